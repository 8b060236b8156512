"""What the desk found in the letters as transfer forms, in the words that staff reads. Pure."""

from dataclasses import dataclass

from portal.gateway import Json

RESULTS = {"match": "Matches", "differs": "Differs", "missing": "Missing", None: "Form only"}
WHOLE = {
    "match": "The form and the request match; nothing is missing.",
    "differs": "The form and the request differ.",
    "missing": "Something is missing on the form.",
    "not-readable": "Not readable as a form: this is a scan, a picture or another letter. Compare it by eye.",
}


@dataclass(frozen=True)
class Row:
    """One field: what the form says, what the request says, and how these compare."""

    label: str
    form: str
    request: str
    result: str
    words: str


@dataclass(frozen=True)
class Comparison:
    """One letter; without rows it could not be read."""

    letter: str
    result: str
    words: str
    version: str
    is_older: bool
    rows: tuple[Row, ...]


def comparisons_of(entry: Json | None, ticket: Json) -> list[Comparison]:
    """Of each letter, the newest first; choices in the words of the catalogue, where it still has them."""
    names = {letter["letter_id"]: letter["filename"] for letter in ticket["letters"]}
    choices = {field["name"]: field["choices"] for field in (entry or {}).get("layout", ())}
    return [
        Comparison(
            letter=names.get(found["letter_id"], ""),
            result=found["result"],
            words=WHOLE[found["result"]],
            version=found["version"] or "",
            is_older=found["is_current"] is False,
            rows=tuple(_row(field, choices.get(field["name"], {})) for field in found["fields"]),
        )
        for found in reversed(ticket["staff"].get("forms") or [])
    ]


def _row(field: Json, choices: Json) -> Row:
    said, asked = (choices.get(field[name], field[name]) or "" for name in ("form", "request"))
    return Row(field["label"], said, asked, field["result"] or "alone", RESULTS[field["result"]])
