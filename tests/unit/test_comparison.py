"""A transfer form beside its request: compared as a person would, and nothing made of it."""

from typing import Any

import pytest

from services.tickets.comparison import comparisons_of, first_forms, with_form
from shared.contracts.comparisons import FormComparison
from shared.contracts.transfer_forms import FIELDS, VERSION, FilledForm, FormReading
from tests.builders import form, submission
from tests.fixtures.transfer_forms import WHOLE

LETTER = "a-letter"
# What the request says nothing of: it is there, or it is not.
ALONE = set(WHOLE) - {
    "account_name", "account_number", "line_of_business", "effective_date", "new_producer", "new_producer_id",
}  # fmt: skip


def reading(fields: dict[str, str], **more: Any) -> FormReading:
    """A letter in which this could be read."""
    filled = FilledForm(**{"version": VERSION, "is_current": True, "fields": fields, **more})
    return FormReading(letter_id=LETTER, form=filled)


def ticket(*forms: FormReading, **changes: Any) -> dict[str, Any]:
    """A ticket as it is kept."""
    request = submission(form=form(**changes))
    return {
        "request_type": request.request_type,
        "producer_id": request.producer.producer_id,
        "form": request.form,
        "producer_name": request.producer.name,
        **first_forms(request, forms),
    }


def compared(fields: dict[str, str], **changes: Any) -> FormComparison:
    """What staff sees of one form."""
    [found] = comparisons_of(ticket(reading(fields), **changes)) or []
    return found


def results(found: FormComparison) -> dict[str, str | None]:
    """The results by field."""
    return {field.name: field.result for field in found.fields}


def test_a_form_that_says_the_same_matches() -> None:
    """Every field is told in the form's order with both values; what the form alone says has no result."""
    found = compared(WHOLE)
    assert list(results(found)) == list(FIELDS)
    assert results(found) == {name: None if name in ALONE else "match" for name in FIELDS}
    assert (found.result, found.version, found.is_current, found.letter_id) == ("match", VERSION, True, LETTER)
    [number] = [field for field in found.fields if field.name == "account_number"]
    assert (number.label, number.form, number.request) == ("Account number", "041872", "041872")


def test_what_is_empty_on_the_form_is_missing() -> None:
    """An empty form lacks everything, also what the request does not say."""
    found = compared({})
    assert set(results(found).values()) == {"missing"}
    assert found.result == "missing"


@pytest.mark.parametrize("name", sorted(ALONE))
def test_what_only_the_form_says_is_missing_or_nothing(name: str) -> None:
    """Signer, title, signature, date and the like are never called the same or another."""
    rest = {other: value for other, value in WHOLE.items() if other != name}
    assert results(compared(rest))[name] == "missing"
    assert results(compared({**rest, name: "Whatever"}))[name] is None
    assert compared(rest).result == "missing"


def test_what_differs_counts_above_what_is_missing() -> None:
    """The whole letter is as good as its worst field."""
    found = compared({"account_number": "041873"})
    assert results(found)["account_number"] == "differs"
    assert found.result == "differs"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("account_name", "HARBOR AND PINE WOODWORKS INC"),
        ("account_name", "Harbor  &  Pine Woodworks, Inc"),
        ("account_number", "041-872"),
        ("account_number", "# 041 872"),
        ("line_of_business", "Group medical"),
        ("line_of_business", "GROUP-MEDICAL"),
        ("effective_date", "1/1/2027"),
        ("effective_date", "01-01-2027"),
        ("effective_date", "2027-01-01"),
        ("effective_date", "1/1/27"),
        ("effective_date", "January 1, 2027"),
        ("effective_date", "jan. 1st 2027"),
        ("effective_date", "1 January 2027"),
        ("new_producer", "dana WHITFIELD"),
        ("new_producer_id", "p-1001"),
        ("new_producer_id", "P 1001"),
    ],
)
def test_a_person_would_call_it_the_same(name: str, written: str) -> None:
    """Case, spaces, punctuation, *and* for *&*, the words of a choice, and ways to write a day make no difference."""
    assert results(compared({**WHOLE, name: written}))[name] == "match"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("account_name", "Harbor & Pine Woodworks, LLC"),
        ("account_name", "&"),
        ("account_number", "41872"),
        ("account_number", "041827"),
        ("line_of_business", "Group dental"),
        ("line_of_business", "medical"),
        ("effective_date", "01/02/2027"),
        ("effective_date", "13/01/2027"),
        ("effective_date", "at once"),
        ("new_producer", "Carl Jensen"),
        ("new_producer_id", "P1010"),
        ("new_producer_id", "P10011"),
    ],
)
def test_a_person_would_call_it_another(name: str, written: str) -> None:
    """A digit, a leading zero, a word or a day that is another is told."""
    assert results(compared({**WHOLE, name: written}))[name] == "differs"


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("group-life-disability", "Group life and disability"),
        ("group-life-disability", "Group Life & Disability"),
        ("individual-under-65", "Individual under 65"),
    ],
)
def test_a_line_is_known_by_its_words(code: str, label: str) -> None:
    """Some programs put a choice's words into the field, not its code."""
    found = compared({**WHOLE, "line_of_business": label}, line_of_business=code)
    assert results(found)["line_of_business"] == "match"


def test_who_asks_may_be_the_agency() -> None:
    """The token names a person or an agency: either place of the form may say so."""
    fields = {**WHOLE, "new_producer": "W. Benefits", "agency": "dana whitfield"}
    assert results(compared(fields))["new_producer"] == "match"
    assert results(compared({**fields, "agency": "Another Agency"}))["new_producer"] == "differs"


def test_a_day_that_nobody_asked_for_is_the_forms_own() -> None:
    """Without an effective date in the request there is nothing that the form's could differ from."""
    assert results(compared(WHOLE, effective_date=None))["effective_date"] is None


def test_names_in_other_letters_are_compared_letter_by_letter() -> None:
    """The same name composed otherwise is the same; a sign above or below a letter is part of it."""
    decomposed = "Cafe\u0301 Ołówek"
    for written, asked, result in ((decomposed, "Café Ołówek", "match"), ("कि", "कु", "differs")):
        assert results(compared({**WHOLE, "account_name": written}, account_name=asked))["account_name"] == result


def test_a_scan_is_not_readable() -> None:
    """Of what is no form there are no fields, and no version."""
    [found] = comparisons_of(ticket(FormReading(letter_id=LETTER))) or []
    assert found == FormComparison(letter_id=LETTER, result="not-readable")


def test_an_older_version_is_compared_and_told() -> None:
    """The fields of an older form are compared too."""
    [found] = comparisons_of(ticket(reading(WHOLE, version="2024-02", is_current=False))) or []
    assert (found.version, found.is_current, found.result) == ("2024-02", False, "match")


def test_other_requests_keep_nothing_of_a_form() -> None:
    """The form belongs to one type; what another's letters say is not kept."""
    other = submission(request_type="eo-coverage")
    assert first_forms(other, (reading(WHOLE),)) == {}
    assert with_form({"request_type": "eo-coverage"}, LETTER, (reading(WHOLE),)) == {}
    assert comparisons_of({"request_type": "eo-coverage", "producer_id": "P1001", "form": {}}) is None


def test_a_further_letter_joins_those_before_once() -> None:
    """A new letter comes after the others; the same one again takes its own place; another's reading is not taken."""
    first, second = ticket(FormReading(letter_id="first")), reading(WHOLE)
    once = {**first, **with_form(first, LETTER, (second, FormReading(letter_id="elsewhere")))}
    assert [each["letter_id"] for each in once["forms"]] == ["first", LETTER]
    assert with_form(once, LETTER, (second,))["forms"] == once["forms"]


def test_a_ticket_from_before_takes_a_form() -> None:
    """Where who asks is not known by name, his id is compared all the same."""
    old = {name: value for name, value in ticket().items() if name not in {"forms", "producer_name"}}
    [found] = comparisons_of({**old, **with_form(old, LETTER, (reading(WHOLE),))}) or []
    assert (results(found)["new_producer"], results(found)["new_producer_id"]) == (None, "match")
