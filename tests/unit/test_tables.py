"""A list as CSV: every row has its verdict before anything is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.intake.catalogue import load_catalogue
from shared.contracts.problems import FieldProblem
from shared.contracts.requests import FormValue

KIND = load_catalogue(None, "Portal").types["book-transfer"]


def read(text: str) -> tuple[FormValue | None, list[FieldProblem]]:
    """The list as it is kept, and what is wrong with it."""
    form, errors = KIND.read({**KIND.example, "accounts": text})
    return form.get("accounts"), errors


ROWS = ({"account_number": "041872", "account_name": "Harbor & Pine, Inc."},)


@pytest.mark.parametrize(
    "text",
    [
        'Account Number,Account Name,Effective Date\n041872,"Harbor & Pine, Inc.",\n',
        'account_name,account_number\n"Harbor & Pine, Inc.",041872',
        '\ufeffACCOUNT NUMBER;Account name\r\n041872;"Harbor & Pine, Inc."\r\n\r\n',
        "account_number\taccount_name\n 041872 \tHarbor & Pine, Inc.\n",
    ],
    ids=["commas", "other-order", "spreadsheet", "tabs"],
)
def test_a_list_is_read_as_spreadsheets_write_it(text: str) -> None:
    """Columns in any order, by name or label; commas, semicolons or tabs; with a byte order mark and blank ends."""
    assert read(text) == (ROWS, [])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_cell_of_several_lines_is_one_cell(end: str) -> None:
    """A line break within quotes is a space, and what only some call the end of a line ends no row."""
    text = end.join(("account_number,account_name", '041872,"Harbor', 'Pine"', "041873,Lake\u2028side"))
    names = [{"account_number": "041872", "account_name": "Harbor Pine"}]
    names.append({"account_number": "041873", "account_name": "Lake side"})
    assert read(text) == (tuple(names), [])


def test_every_row_has_its_verdict() -> None:
    """Each wrong cell is named by its row as a spreadsheet counts, its column, and what is wrong, all at once."""
    _, errors = read(
        "Account Number,Account Name,Effective Date\n"
        "041872,Harbor,\n"
        "41873,Lakeside,2027-01-01\n"
        "041874,,soon\n"
        ",,\n"
        "\n"
        "041875,Prairie,2027-01-01,more\n"
    )
    assert [(error.row, error.pointer, error.code) for error in errors] == [
        (3, "#/accounts/1/account_number", "string-pattern-mismatch"),
        (4, "#/accounts/2/account_name", "missing"),
        (4, "#/accounts/2/effective_date", "date-format"),
        (7, "#/accounts/5/beyond the last column", "extra-forbidden"),
    ]
    assert [error.detail for error in errors] == [
        "An account number has six digits, including leading zeros.",
        "Account Name: Fill this in.",
        "Effective Date: Enter the date as YYYY-MM-DD or M/D/YYYY.",
        "Beyond the last column: There is no such field.",
    ]


def test_rows_of_nothing_are_passed_over() -> None:
    """What a spreadsheet leaves below or between rows is no account; the others are counted as it counts them."""
    gaps = "Account Number,Account Name,Effective Date\n,,\n041872,Harbor,\n , ,\n\n041873,Lakeside,\n,,\n,,\n"
    accounts, errors = read(gaps)
    assert errors == []
    assert accounts == (
        {"account_number": "041872", "account_name": "Harbor"},
        {"account_number": "041873", "account_name": "Lakeside"},
    )
    _, [error] = read(gaps.replace("041873", "041872"))
    assert (error.row, error.detail) == (6, "Account Number: This value is already in row 3.")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1/2/2027", "2027-01-02"),
        ("01/02/2027", "2027-01-02"),
        ("12/31/2027", "2027-12-31"),
        ("2027-01-02", "2027-01-02"),
    ],
)
def test_a_date_may_be_written_as_spreadsheets_in_the_us_do(written: str, kept: str) -> None:
    """Month, day and year, with or without zeros, is a date in a list; it is kept as every date is."""
    accounts, errors = read(f"account_number,account_name,effective_date\n041872,Harbor,{written}\n")
    assert errors == []
    assert accounts == ({"account_number": "041872", "account_name": "Harbor", "effective_date": kept},)


@pytest.mark.parametrize(
    ("written", "code"), [("2/30/2027", "no-such-day"), ("31/12/2027", "no-such-day"), ("1/2/27", "date-format")]
)
def test_no_other_day_is_guessed(written: str, code: str) -> None:
    """A day that there is not, or that could be meant otherwise, is refused."""
    _, [error] = read(f"account_number,account_name,effective_date\n041872,Harbor,{written}\n")
    assert error.code == code


def test_an_account_is_moved_once() -> None:
    """The second row of the same account is refused, and says where the first is."""
    _, [error] = read("account_number,account_name\n041872,Harbor\n041873,Lakeside\n041872,Harbor\n")
    assert (error.row, error.pointer, error.code) == (4, "#/accounts/2/account_number", "twice")
    assert "row 2" in error.detail


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("account_number,account_name", "table-length"),
        ("account_number,account_name\n" + "041872,Harbor\n" * 501, "table-length"),
        ("number,name\n041872,Harbor", "table-heading"),
        ("account_number,account_number\n041872,041872", "table-heading"),
        ("041872,Harbor", "table-heading"),
        ('account_number,account_name\n041872,"Harbor', "not-a-table"),
        ("account_number,account_name\n,\n\n,\n", "table-length"),
        ("   ", "missing"),
    ],
)
def test_what_is_no_such_list_is_refused_as_a_whole(text: str, code: str) -> None:
    """Without rows, with too many, or without the heading there is nothing to judge row by row."""
    _, [error] = read(text)
    assert (error.pointer, error.code, error.row) == ("#/accounts", code, None)


@given(some.text(max_size=200))
def test_nothing_that_is_sent_is_an_unexpected_error(text: str) -> None:
    """Whatever bytes of text arrive are a list or are refused."""
    kept, errors = read(f"account_number,account_name\n{text}")
    assert (kept is None) == bool(errors)
