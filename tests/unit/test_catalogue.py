"""The form of a request, as a producer may fill it in."""

import pytest

from services.intake.catalogue import fingerprint, read_form, request_types
from shared.contracts.requests import LineOfBusiness, RequestType
from tests.builders import FORM, form, letter


def pointers(fields: dict[str, str]) -> dict[str, str]:
    """What is wrong with a form: code by pointer."""
    filled, errors = read_form(fields)
    assert filled is None or not errors
    return {error.pointer: error.code for error in errors}


def test_a_form_filled_in_right_is_read() -> None:
    """A right form is read with its leading zeros, its date and its words."""
    filled, errors = read_form({**FORM, "effective_date": "2027-01-01", "comments": " Please hurry. "})
    assert errors == []
    assert filled == form()


def test_everything_wrong_is_said_at_once() -> None:
    """Every bad field is named with a pointer in one answer."""
    wrong = {
        "request_type": "holiday",
        "line_of_business": "pets",
        "account_number": "12345",
        "effective_date": "tomorrow",
    }
    found = pointers(wrong)
    assert set(found) == {
        "#/request_type",
        "#/line_of_business",
        "#/account_number",
        "#/account_name",
        "#/effective_date",
    }
    assert found["#/request_type"] == "unknown-request-type"
    assert found["#/account_name"] == "missing"


@pytest.mark.parametrize("name", ["request_type", "line_of_business", "account_number", "account_name"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_required_field_left_out_or_empty_is_missing(name: str, value: str | None) -> None:
    """A required field that is empty is missing, as one that was not sent."""
    fields = {key: kept for key, kept in {**FORM, name: value}.items() if kept is not None}
    assert pointers(fields) == {f"#/{name}": "missing"}


@pytest.mark.parametrize("name", ["effective_date", "comments"])
def test_an_optional_field_may_be_empty(name: str) -> None:
    """An HTML form sends optional fields empty: they are not filled in."""
    filled, errors = read_form({**FORM, name: ""})
    assert errors == []
    assert getattr(filled, name) is None


@pytest.mark.parametrize("number", ["000001", "041872", "999999"])
def test_six_digits_are_an_account_number_and_stay_as_they_are(number: str) -> None:
    """Leading zeros of an account number are kept."""
    filled, _ = read_form({**FORM, "account_number": number})
    assert filled is not None
    assert filled.account_number == number


@pytest.mark.parametrize("number", ["41872", "0418721", "04187a", "04 872", "041872\n", "٠٤١٨٧٢", "-41872"])
def test_anything_but_six_digits_is_no_account_number(number: str) -> None:
    """Too few, too many and other characters are refused."""
    assert set(pointers({**FORM, "account_number": number})) == {"#/account_number"}


@pytest.mark.parametrize(("length", "problems"), [(1, set()), (120, set()), (121, {"#/account_name"})])
def test_an_account_name_has_at_most_120_characters(length: int, problems: set[str]) -> None:
    """120 characters are taken, 121 are not; characters count, not bytes."""
    assert set(pointers({**FORM, "account_name": "é" * length})) == problems


def test_an_account_name_of_blanks_is_none() -> None:
    """Blanks are not a name."""
    assert set(pointers({**FORM, "account_name": "   "})) == {"#/account_name"}


def test_an_unknown_field_is_named() -> None:
    """A field that the type does not have is not passed over in silence."""
    assert set(pointers({**FORM, "acount_name": "Harbor"})) == {"#/acount_name"}


def test_what_was_typed_is_not_repeated() -> None:
    """An error tells the field, never the value: it may be personal."""
    _, errors = read_form({**FORM, "account_number": "secret-7", "line_of_business": "secret-8"})
    assert len(errors) == 2
    assert not any("secret" in error.detail for error in errors)


@pytest.mark.parametrize("line", list(LineOfBusiness))
def test_every_line_of_business_is_taken(line: LineOfBusiness) -> None:
    """Each of the six lines can be chosen."""
    assert pointers({**FORM, "line_of_business": line.value}) == {}


def test_a_retry_has_the_same_fingerprint() -> None:
    """The same form with the same bytes, in whatever order and under whatever name, is a retry."""
    first, second = letter(b"one"), letter(b"two")
    renamed = letter(b"two", filename="other.pdf")
    assert fingerprint(form(), (first, second)) == fingerprint(form(), (renamed, first))


@pytest.mark.parametrize(
    "changes",
    [
        {"account_number": "041873"},
        {"account_name": "Harbor"},
        {"effective_date": None},
        {"comments": None},
        {"line_of_business": LineOfBusiness.MEDICARE},
    ],
)
def test_another_form_has_another_fingerprint(changes: dict[str, object]) -> None:
    """A key used again for another form is noticed, whichever field differs."""
    assert fingerprint(form(**changes), (letter(),)) != fingerprint(form(), (letter(),))


def test_another_letter_has_another_fingerprint() -> None:
    """A key used again for another letter is noticed."""
    assert fingerprint(form(), (letter(b"one"),)) != fingerprint(form(), (letter(b"two"),))


def test_the_catalogue_tells_the_fields_of_every_type() -> None:
    """Each request type has its label and its fields as JSON Schema."""
    found = {each.request_type: each for each in request_types().items}
    assert set(found) == set(RequestType)
    info = found[RequestType.GROUP_POR_CHANGE]
    assert set(info.fields["required"]) == {"line_of_business", "account_number", "account_name"}
    assert {"effective_date", "comments"} <= set(info.fields["properties"])
    assert info.letter_part == "por_documentation"


@pytest.mark.parametrize("date", ["0", "86400", "20270101", "2027-01-01T00:00:00Z", "01/01/2027", "2027-1-1", "-1"])
def test_a_date_is_a_date(date: str) -> None:
    """Only YYYY-MM-DD is a date: a number is no day in 1970."""
    assert pointers({**FORM, "effective_date": date}) == {"#/effective_date": "date-format"}


def test_the_letter_is_no_field() -> None:
    """A letter sent as text is the upload's matter, not an unknown field."""
    assert pointers({**FORM, "por_documentation": "letter.pdf"}) == {}
