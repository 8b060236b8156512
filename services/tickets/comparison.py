"""What a filled-in transfer form says beside what the request says, field by field, as a person would compare. Pure."""

import re
import time
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeAlias

from shared.contracts.comparisons import ComparedField, FormComparison, Match
from shared.contracts.requests import Submission
from shared.contracts.transfer_forms import FIELDS, REQUEST_TYPE, FilledForm, FormReading

Forms: TypeAlias = tuple[FormReading, ...]

_DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m.%d.%Y", "%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y")


def first_forms(submission: Submission, forms: Forms) -> dict[str, Any]:
    """What a new ticket keeps of its letters as forms; of other types than the form's, nothing."""
    if submission.request_type != REQUEST_TYPE:
        return {}
    return {"forms": [each.model_dump(mode="json") for each in forms]}


def with_form(ticket: Mapping[str, Any], letter_id: str, forms: Forms) -> dict[str, Any]:
    """What a ticket keeps when a further letter comes."""
    if ticket["request_type"] != REQUEST_TYPE:
        return {}
    kept = {each["letter_id"]: each for each in ticket.get("forms", ())}
    kept |= {each.letter_id: each.model_dump(mode="json") for each in forms if each.letter_id == letter_id}
    return {"forms": [*kept.values()]}


def comparisons_of(ticket: Mapping[str, Any]) -> list[FormComparison] | None:
    """A ticket's letters as forms, in the order in which they came; None: nobody looked for any."""
    if "forms" not in ticket:
        return None
    return [compare(FormReading.model_validate(each), asked_of(ticket)) for each in ticket["forms"]]


def asked_of(ticket: Mapping[str, Any]) -> dict[str, str]:
    """What the request says of the form's fields: the new producer is whoever asks."""
    form = ticket["form"]
    asked = {
        **{name: form.get(name) for name in ("account_name", "account_number", "line_of_business", "effective_date")},
        "new_producer": ticket.get("producer_name"),
        "new_producer_id": ticket["producer_id"],
    }
    return {name: value for name, value in asked.items() if value}


def compare(reading: FormReading, asked: Mapping[str, str]) -> FormComparison:
    """One letter against the request."""
    if reading.form is None:
        return FormComparison(letter_id=reading.letter_id, result="not-readable")
    fields = [_field(name, reading.form, asked.get(name)) for name in FIELDS]
    results = {field.result for field in fields}
    return FormComparison(
        letter_id=reading.letter_id,
        result=next((worst for worst in (Match.DIFFERS, Match.MISSING) if worst in results), Match.MATCH),
        version=reading.form.version,
        is_current=reading.form.is_current,
        fields=fields,
    )


def _field(name: str, form: FilledForm, asked: str | None) -> ComparedField:
    said = form.fields.get(name)
    result = Match.MISSING if said is None else None
    if said is not None and asked is not None:
        result = Match.MATCH if _is_same(name, form, asked) else Match.DIFFERS
    return ComparedField(name=name, label=FIELDS[name], form=said, request=asked, result=result)


def _is_same(name: str, form: FilledForm, asked: str) -> bool:
    # A token names whoever asks, a person or an agency; the form has a place for each.
    places = ("new_producer", "agency") if name == "new_producer" else (name,)
    key = _day if name == "effective_date" else _words
    return key(asked) in [key(form.fields[place]) for place in places if place in form.fields]


def _words(text: str) -> str:
    """Letters and digits, whatever their case and what stands between them; *and* and *&* are the same, and nothing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Letters with their marks, and numbers.
    words = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in folded).split()
    return "".join(word for word in words if word != "and") or folded


def _day(text: str) -> object:
    """The day, in whichever of the usual ways it is written; what is none is compared as words."""
    plain = " ".join(re.sub(r"(?<=\d)(st|nd|rd|th)\b|,|\.(?=\s)", " ", text, flags=re.IGNORECASE).split())
    for form in _DAYS:
        try:
            return time.strptime(plain, form)[:3]
        except ValueError:
            continue
    return _words(text)
