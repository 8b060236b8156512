"""The catalogue: the nine types as a person may fill them in, and files that are no types."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from services.intake.catalogue import LINE_FIELD, SHIPPED, Catalogue, load_catalogue
from shared.contracts.requests import Form
from shared.runtime.settings import ConfigurationError
from tests.builders import FORM, form

CATALOGUE = load_catalogue(None, "Lakeside Online")
FIELDS = {name: value for name, value in FORM.items() if name != "request_type"}

MENU = [
    "Commission Dispute",
    "Update my Group Producer of Record (POR)",
    "Update my Electronic Funds Transfer (EFT) info",
    "Update my contact info",
    "Book of Business Transfer Request",
    "Update my Lakeside Online password",
    "Update my challenge question",
    "Update my E&O Coverage",
    "SEP Training Affirmation",
]
PROBLEMS = [
    "The email with the link does not arrive",
    "The link does not work",
    "My account is locked",
    "The email goes to an address I no longer have",
    "Other",
]
LINES = ["group-medical", "group-dental", "group-vision", "group-life-disability", "individual-under-65", "medicare"]


def read(fields: dict[str, str], code: str = "group-por-change") -> tuple[Form, dict[str, str]]:
    """A form as it is kept, and what is wrong with it: code by pointer."""
    filled, errors = CATALOGUE.types[code].read(fields)
    return filled, {error.pointer: error.code for error in errors}


def changed(code: str, **changes: str) -> dict[str, str]:
    """What is wrong with a type's example when these fields are changed."""
    return read({**CATALOGUE.types[code].example, **changes}, code)[1]


def test_the_menu_has_the_nine_in_its_words() -> None:
    """The nine entries are there, in the order and in the words of the portal, whose name is a setting."""
    assert [kind.label for kind in CATALOGUE.types.values()] == MENU


@pytest.mark.parametrize("code", CATALOGUE.types)
def test_the_schema_agrees_on_the_example(code: str) -> None:
    """Each type's schema is a JSON Schema that takes the type's own example, and requires what the form requires."""
    kind = CATALOGUE.types[code]
    Draft202012Validator.check_schema(kind.schema_)
    validator = Draft202012Validator(kind.schema_, format_checker=Draft202012Validator.FORMAT_CHECKER)
    validator.validate(kind.example)
    for name in kind.example:
        rest = {key: value for key, value in kind.example.items() if key != name}
        assert validator.is_valid(rest) == (kind.read(rest)[1] == []), name
    assert not validator.is_valid({**kind.example, "colour": "blue"})


@pytest.mark.parametrize("code", CATALOGUE.types)
def test_each_required_field_is_missed(code: str) -> None:
    """An empty form is told every required field at once, and each of them may not be empty."""
    required = set(CATALOGUE.types[code].schema_["required"]) | set(CATALOGUE.types[code].one_of[:1])
    assert read({}, code)[1] == {f"#/{name}": "missing" for name in required}
    empty = dict.fromkeys(CATALOGUE.types[code].example, "")
    assert read(empty, code)[1] == {f"#/{name}": "missing" for name in required}


def test_a_form_filled_in_right_is_read() -> None:
    """A right form is read with its leading zeros, its date and its words."""
    assert read({**FIELDS, "effective_date": "2027-01-01", "comments": " Please hurry. "}) == (form(), {})


def test_everything_wrong_is_said_at_once() -> None:
    """Every bad field is named with a pointer in one answer."""
    wrong = {"line_of_business": "pets", "account_number": "12345", "effective_date": "tomorrow"}
    assert read(wrong)[1] == {
        "#/line_of_business": "enum",
        "#/account_number": "string-pattern-mismatch",
        "#/account_name": "missing",
        "#/effective_date": "date-format",
    }


@pytest.mark.parametrize(("named", "code"), [("", "missing"), ("holiday", "unknown-request-type")])
def test_the_type_must_be_one_of_the_catalogue(named: str, code: str) -> None:
    """A form without a type, or of one that there is not, is told the types that there are."""
    kind, [error] = CATALOGUE.type_of({"request_type": named})
    assert kind is None
    assert (error.pointer, error.code) == ("#/request_type", code)
    assert all(each in error.detail for each in CATALOGUE.types)


@pytest.mark.parametrize("name", ["effective_date", "comments"])
def test_an_optional_field_may_be_empty(name: str) -> None:
    """An HTML form sends optional fields empty: they are not filled in."""
    filled, errors = read({**FIELDS, name: ""})
    assert (name in filled, errors) == (False, {})


@pytest.mark.parametrize("number", ["000001", "041872", "999999"])
def test_six_digits_are_an_account_number_and_stay_as_they_are(number: str) -> None:
    """Leading zeros of an account number are kept."""
    assert read({**FIELDS, "account_number": number})[0]["account_number"] == number


@pytest.mark.parametrize("number", ["041872 ", " 041872", "\t041872\xa0"])
def test_blanks_around_a_number_do_not_count(number: str) -> None:
    """What comes along when a number is copied from elsewhere is left out."""
    assert read({**FIELDS, "account_number": number})[0]["account_number"] == "041872"


@pytest.mark.parametrize("number", ["41872", "0418721", "04187a", "04 872", "041872\n", "٠٤١٨٧٢", "-41872"])
def test_anything_but_six_digits_is_no_account_number(number: str) -> None:
    """Too few, too many and other characters are refused."""
    assert read({**FIELDS, "account_number": number})[1] == {"#/account_number": "string-pattern-mismatch"}


@pytest.mark.parametrize(("length", "problems"), [(1, set()), (120, set()), (121, {"#/account_name"})])
def test_an_account_name_has_at_most_120_characters(length: int, problems: set[str]) -> None:
    """120 characters are taken, 121 are not; characters count, not bytes."""
    assert set(read({**FIELDS, "account_name": "é" * length})[1]) == problems


def test_an_account_name_of_blanks_is_none() -> None:
    """Blanks are not a name."""
    assert set(read({**FIELDS, "account_name": "   "})[1]) == {"#/account_name"}


def test_an_unknown_field_is_named() -> None:
    """A field that the type does not have is not passed over in silence."""
    assert read({**FIELDS, "acount_name": "Harbor"})[1] == {"#/acount_name": "extra-forbidden"}


def test_what_was_typed_is_not_repeated() -> None:
    """An error tells the field, never the value: it may be personal."""
    for kind in CATALOGUE.types.values():
        _, errors = kind.read(dict.fromkeys(kind.example, "\tsecret-7"))
        assert errors
        assert not any("secret" in error.detail for error in errors)


@pytest.mark.parametrize("line", LINES)
def test_every_line_of_business_is_taken(line: str) -> None:
    """Each of the six lines can be chosen, for a change and in a dispute alike."""
    assert read({**FIELDS, "line_of_business": line})[1] == {}
    assert changed("commission-dispute", line_of_business=line) == {}


@pytest.mark.parametrize("day", ["0", "20270101", "2027-01-01T00:00:00Z", "01/01/2027", "2027-1-1", "-1", "2027-02-30"])
def test_a_date_is_a_date(day: str) -> None:
    """Only YYYY-MM-DD is a date, and only where there is such a day: a number is no day in 1970."""
    expected = "no-such-day" if day == "2027-02-30" else "date-format"
    assert read({**FIELDS, "effective_date": day})[1] == {"#/effective_date": expected}


def test_coverage_ends_after_it_begins() -> None:
    """An E&O policy that ends on its first day or before is refused at its end."""
    for last, wrong in [("2026-11-30", True), ("2026-12-01", True), ("2026-12-02", False)]:
        assert changed("eo-coverage", effective_date="2026-12-01", expiration_date=last) == (
            {"#/expiration_date": "not-later"} if wrong else {}
        )


def test_contact_info_changes_something() -> None:
    """Any one of address, phone and mail will do; none of them, with whatever else, is refused."""
    for name in ("contact_email", "phone", "address"):
        assert read({name: CATALOGUE.types["contact-info"].example[name]}, "contact-info")[1] == {}
    assert read({"comments": "I have moved."}, "contact-info")[1] == {"#/contact_email": "missing"}


@pytest.mark.parametrize("code", ["portal-password", "challenge-question"])
def test_no_secret_is_asked_for(code: str) -> None:
    """Who needs help to log in is asked for no password and no answer, and is shown what to do without the desk."""
    kind = CATALOGUE.types[code]
    assert not {"password", "answer", "new_password"} & {field.name for field in kind.fields}
    assert kind.self_service
    assert "Never include" in kind.help


def test_a_book_goes_to_another_producer() -> None:
    """From and to may not be one producer, however his id is written."""
    for new, wrong in [("P1001", True), (" p1001 ", True), ("P1002", False)]:
        assert changed("book-transfer", from_producer_id="P1001", to_producer_id=new) == (
            {"#/to_producer_id": "not-another"} if wrong else {}
        )


def test_a_bank_account_is_typed_twice_and_kept_once() -> None:
    """What is typed again must say the same, in groups or not, and is no part of the request."""
    example = CATALOGUE.types["eft-info"].example
    filled, errors = read({**example, "bank_account_number_again": "0001 2345-6789"}, "eft-info")
    assert (filled["bank_account_number"], "bank_account_number_again" in filled, errors) == ("000123456789", False, {})
    assert changed("eft-info", bank_account_number_again="000123456780") == {
        "#/bank_account_number_again": "not-the-same"
    }
    assert changed("eft-info", bank_account_number_again="") == {"#/bank_account_number_again": "missing"}
    assert changed("eft-info", bank_account_number="123") == {"#/bank_account_number": "bank-account"}


@pytest.mark.parametrize(
    ("code", "name", "value", "said"),
    [
        ("group-por-change", "account_name", "", "Fill this in."),
        ("group-por-change", "account_name", "x" * 121, "At most 120 characters."),
        ("group-por-change", "acount_name", "x", "There is no such field."),
        (
            *("sep-training", "completed_on", "2026-02-30"),
            "There is no such date; enter it as YYYY-MM-DD.",
        ),
        (
            *("portal-password", "problem", "pets"),
            f"Choose one of: {'; '.join(PROBLEMS)}.",
        ),
        ("eo-coverage", "expiration_date", "2026-12-01", "This date must be later than Effective Date."),
        ("eo-coverage", "expiration_date", "12/01/2027", "Enter the date as YYYY-MM-DD."),
        ("book-transfer", "to_producer_id", "P1001", "This must not be the same as Current Producer ID."),
        ("eft-info", "bank_account_number_again", "1234", "This is not the same as Bank Account Number."),
        ("book-transfer", "accounts", "", "Fill this in."),
    ],
)
def test_what_is_wrong_is_said_in_sentences_for_people(code: str, name: str, value: str, said: str) -> None:
    """A portal shows what the desk says beside the field: it is in the form's own words, and says what to do."""
    _, errors = CATALOGUE.types[code].read({**CATALOGUE.types[code].example, name: value})
    assert [(error.pointer, error.detail) for error in errors] == [(f"#/{name}", said)]


def test_training_must_be_affirmed() -> None:
    """A box that is not ticked affirms nothing."""
    assert changed("sep-training", affirmed="") == {"#/affirmed": "missing"}
    assert changed("sep-training", affirmed="no") == {"#/affirmed": "not-affirmed"}


def test_only_bank_details_are_private() -> None:
    """Both bank numbers, and the documents that show them, are private; nothing else is."""
    private = {(kind.code, name) for kind in CATALOGUE.types.values() for name in kind.private_fields}
    numbers = ("routing_number", "bank_account_number", "bank_account_number_again")
    assert private == {("eft-info", name) for name in numbers}
    documents = [kind.code for kind in CATALOGUE.types.values() if kind.document and kind.document.private]
    assert documents == ["eft-info"]


def test_lines_are_those_of_the_field() -> None:
    """The lines a hold may name are the choices of the type's own field."""
    assert CATALOGUE.types["group-por-change"].lines_of_business == set(LINES)
    assert CATALOGUE.types["eft-info"].lines_of_business == set()
    assert LINE_FIELD in FORM


TABLE = """
unique = ["night"]
[[fields.columns]]
name = "day"
label = "Day"
kind = "date"
example = "2027-01-01"
"""
GOOD = (
    'label = "Holiday"\nposition = 1\n[[fields]]\nname = "day"\nlabel = "Day"\nkind = "date"\nexample = "2027-01-01"\n'
)


def loaded(folder: Path, text: str) -> Catalogue:
    """The catalogue of one file."""
    (folder / "holiday.toml").write_text(text)
    return load_catalogue(folder, "Portal")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("no toml", "holiday.toml"),
        (GOOD.replace("label", "lable", 1), "lable"),
        (GOOD.replace('kind = "date"', 'kind = "day"'), "kind"),
        (GOOD.replace("2027-01-01", "tomorrow"), "example is refused"),
        (GOOD.replace('name = "day"', 'name = "request_type"'), "used twice"),
        (GOOD.replace('name = "day"', 'name = "The Day"'), "name"),
        (GOOD.replace("position = 1", 'position = 1\none_of = ["night"]'), "one_of names no field: night"),
        (GOOD + "choices = {}\n", "choices"),
        (GOOD + 'after = "night"\n', "day is compared with no field before it: night"),
        (GOOD + 'same_as = "day"\n', "day is compared with no field before it: day"),
        (
            GOOD.replace("date", "table") + TABLE.replace('["night"]', '["day"]') + 'other_than = "night"\n',
            "day is compared with no field before it: night",
        ),
        (GOOD.replace("date", "text") + 'pattern = "[0-9-]+"\n', "in wrong"),
        (GOOD.replace("date", "text") + 'pattern = "("\nwrong = "No."\n', "unterminated"),
        (GOOD.replace("date", "table") + TABLE, "unique names no column: night"),
        (GOOD.partition("[[")[0], "fields"),
    ],
)
def test_a_file_that_is_no_type_is_named_at_start(tmp_path: Path, wrong: str, said: str) -> None:
    """A catalogue file with a mistake keeps the service from starting, and is named with the mistake."""
    loaded(tmp_path, GOOD)
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, wrong)
    assert "holiday.toml" in str(refused.value)
    assert said in str(refused.value)


def test_a_folder_without_types_is_refused(tmp_path: Path) -> None:
    """A catalogue with nothing in it is a mistake of who configured it."""
    with pytest.raises(ConfigurationError, match="POR_REQUEST_TYPES"):
        load_catalogue(tmp_path, "Portal")


def test_the_files_are_the_catalogue() -> None:
    """Each file of the folder is one type, by its name."""
    assert {path.stem for path in SHIPPED.iterdir()} == set(CATALOGUE.types)
    assert json.dumps([kind.schema_ for kind in CATALOGUE.types.values()])
