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


def test_every_row_has_its_verdict() -> None:
    """Each wrong cell is named by its row as a spreadsheet counts, its column, and what is wrong, all at once."""
    _, errors = read(
        "Account Number,Account Name,Effective Date\n"
        "041872,Harbor,\n"
        "41873,Lakeside,2027-01-01\n"
        "041874,,soon\n"
        "\n"
        "041875,Prairie,2027-01-01,more\n"
    )
    assert [(error.row, error.pointer, error.code) for error in errors] == [
        (3, "#/accounts/1/account_number", "string-pattern-mismatch"),
        (4, "#/accounts/2/account_name", "missing"),
        (4, "#/accounts/2/effective_date", "date-format"),
        (5, "#/accounts/3/account_number", "missing"),
        (5, "#/accounts/3/account_name", "missing"),
        (6, "#/accounts/4/beyond the last column", "extra-forbidden"),
    ]


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
        ("   ", "not-a-table"),
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
