"""Staff's move of a ticket: which reasons are offered, and whose words go into the mail. Pure."""

from portal.gateway import Json


def reasons_for(entry: Json | None, reasons: list[Json]) -> list[Json]:
    """The reasons that fit a type of request: those about letters only where it has some."""
    has_letters = entry is None or bool(entry["documents"])
    return [each for each in reasons if has_letters or not each["about_letter"]]


def message_of(typed: str, reason: str, reasons: list[Json]) -> str:
    """The words that go into the mail in place of the reason's own; empty where they are the same, or none."""
    text = typed.replace("\r\n", "\n").strip()
    own = next((each["text"] for each in reasons if each["reason"] == reason), "")
    return "" if text == own else text
