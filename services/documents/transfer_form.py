"""Reads the Group POR Transfer Form out of a letter that is one. Pure rules over the letter's objects.

It reads what the fields hold, as whoever filled them in left it; what the page shows is for people to look at.
"""

from typing import Any

import pikepdf

from shared.contracts.transfer_forms import CUT_OFF, FIELDS, VERSION, VERSION_FIELD, FilledForm, max_length

MOST_FIELDS = 200
MOST_READ = 4000  # characters of a value that are looked at; no field takes so many


def read_form(pdf: pikepdf.Pdf) -> FilledForm | None:
    """What the form says; None: this is none, or two of its fields of one name say different things.

    Only the roots of the tree of fields are looked at, where the desk put all of them: no tree is walked, so that it
    matters nothing how deep one is, or whether it has an end.
    """
    values: dict[str, str] = {}
    for field in _roots(pdf):
        name = _text(field.get("/T"))
        if name != VERSION_FIELD and name not in FIELDS:
            continue
        value = plain(_text(field.get("/V")), max_length(name))
        if values.setdefault(name, value) != value:
            return None
    version = values.pop(VERSION_FIELD, "")
    if not version:
        return None
    return FilledForm(
        version=version,
        is_current=version == VERSION,
        fields={name: values[name] for name in FIELDS if values.get(name)},
    )


def plain(text: str, most: int) -> str:
    """A value on one line, without what cannot be seen or turns the order of letters, and no longer than ``most``."""
    seen = "".join(char for char in text[:MOST_READ] if char.isprintable() or char.isspace())
    line = " ".join(seen.split())
    return line if len(line) <= most else line[:most] + CUT_OFF


def _roots(pdf: pikepdf.Pdf) -> list[pikepdf.Dictionary]:
    form = pdf.Root.get("/AcroForm")
    fields = form.get("/Fields") if isinstance(form, pikepdf.Dictionary) else None
    if not isinstance(fields, pikepdf.Array) or len(fields) > MOST_FIELDS:
        return []
    return [each for each in fields if isinstance(each, pikepdf.Dictionary)]


def _text(value: Any) -> str:
    return str(value) if isinstance(value, pikepdf.String) else ""
