"""Staff's move of a ticket: which reasons are offered, and whose words go into the mail. Pure."""

from portal.gateway import Json


def reasons_for(entry: Json | None, reasons: list[Json]) -> list[Json]:
    """The reasons that fit a type of request: those about letters only where it has some."""
    has_letters = entry is None or bool(entry["documents"])
    return [each for each in reasons if has_letters or not each["about_letter"]]


def message_of(typed: str, reason: str, reasons: list[Json]) -> str:
    """The words that go into the mail in place of the reason's own; empty where they are the same, or none."""
    text = _plain(typed)
    return "" if text == _texts(reasons).get(reason) else text


def draft_of(typed: str, reason: str, reasons: list[Json]) -> str:
    """The words to edit: staff's own where there are some, else the reason's."""
    texts = _texts(reasons)
    is_own = _plain(typed) not in {"", *texts.values()}
    return typed if is_own else texts.get(reason, "")


def _texts(reasons: list[Json]) -> dict[str, str]:
    return {each["reason"]: each["text"] for each in reasons}


def _plain(typed: str) -> str:
    """Without what a browser's text area adds."""
    return typed.replace("\r\n", "\n").strip()
