"""The portal's small rules: letters kept, attempts counted, forms drawn."""

import io
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.datastructures import UploadFile
from starlette.requests import Request

from portal.attempts import Attempts
from portal.comparisons import comparisons_of
from portal.forms import Filled, around_documents, errors_by_field, facts_of, fields_of
from portal.gateway import Gateway, Refused
from portal.kept import KeptLetter, KeptLetters
from portal.pages.tickets import _send
from portal.sessions import Session
from portal.submitted import MOST_FIELD_BYTES, Submitted, _read_table, read_submitted


async def keep(kept: KeptLetters, session: str, content: bytes = b"letter") -> KeptLetter:
    """Keep one letter."""
    return await kept.keep(session, "por_documentation", "letter.pdf", "application/pdf", io.BytesIO(content))


async def test_a_kept_letter_is_its_sessions_alone(tmp_path: Path) -> None:
    """Nobody else finds it, and with its session it is gone from the disk."""
    kept = KeptLetters(tmp_path / "letters")
    letter = await keep(kept, "mine")
    assert kept.find("mine", [letter.id, letter.id, "other"]) == [letter]
    assert kept.find("theirs", [letter.id]) == []
    kept.drop_all_of("mine")
    assert list((tmp_path / "letters").iterdir()) == []


async def test_kept_letters_end_by_age_and_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half an hour, or where there are too many bytes, the oldest are deleted; a restart deletes all."""
    kept = KeptLetters(tmp_path / "letters")
    monkeypatch.setattr("portal.kept.MOST_OF_SESSION", 25)
    first, second, third = [await keep(kept, "mine", b"x" * 10) for _ in range(3)]
    assert kept.find("mine", [first.id, second.id, third.id]) == [second, third]
    monkeypatch.setattr("portal.kept.MOST_BYTES", 25)
    theirs = await keep(kept, "theirs", b"x" * 10)
    assert kept.find("mine", [second.id, third.id]) == [third]
    assert not second.path.exists()
    now = theirs.since
    monkeypatch.setattr("portal.kept.time.monotonic", lambda: now + 31 * 60)
    assert kept.find("theirs", [theirs.id]) == []
    await keep(kept, "mine")
    KeptLetters(tmp_path / "letters")
    assert list((tmp_path / "letters").iterdir()) == []


def test_attempts_are_counted_by_name_and_by_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name waits after its own attempts, a machine after ten times as many; time and success set free."""
    attempts, now = Attempts(2, 60), time.monotonic()
    for _ in range(2):
        assert attempts.wait("Dana ", "FE80::1") == 0
        attempts.note("Dana ", "FE80::1")
    assert 59 <= attempts.wait("dana", "elsewhere") <= 61
    assert attempts.wait("carl", "fe80::1") == 0
    for n in range(18):
        attempts.note(f"name {n}", "FE80::1")
    assert attempts.wait("carl", "fe80::1") > 0
    assert attempts.wait("carl", "elsewhere") == 0
    attempts.forget("dana", "fe80::1")
    assert attempts.wait("dana", "FE80::1") == 0
    for _ in range(2):
        attempts.note("dana", "elsewhere")
    assert attempts.wait("dana", "elsewhere") > 0
    monkeypatch.setattr("portal.attempts.time.monotonic", lambda: now + 65)
    assert attempts.wait("dana", "elsewhere") == 0


def test_no_flood_of_names_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many names the oldest are forgotten."""
    monkeypatch.setattr("portal.attempts.MOST_KEPT", 10)
    attempts = Attempts(1, 60)
    for n in range(50):
        attempts.note(f"name {n}", "here")
    assert len(attempts._made) == 10


def test_errors_stand_beside_their_fields() -> None:
    """A pointer into a list or a file is of its field; rows count as in a spreadsheet; nothing is said twice."""
    errors: list[dict[str, Any]] = [
        {"pointer": "#/accounts/0/account_number", "detail": "Six digits.", "row": 2},
        {"pointer": "#/por_documentation/0", "detail": "Empty."},
        {"pointer": "#/por_documentation/1", "detail": "Empty."},
    ]
    assert errors_by_field(errors) == {"accounts": ("Row 2: Six digits.",), "por_documentation": ("Empty.",)}


def test_an_unknown_kind_of_field_is_a_line_of_text() -> None:
    """A catalogue with a kind of field that is newer than the portal is drawn all the same."""
    layout = {"name": "x", "label": "X", "kind": "colour", "lines": 1, "required": True, "help": "", "choices": {}}
    [field] = fields_of({"layout": [layout]}, Filled({"x": "red"}, {"x": ("Wrong.",)}))
    assert (field.shape, field.input_type, field.value, field.errors) == ("line", "text", "red", ("Wrong.",))


def test_a_request_of_a_type_that_is_gone_is_still_shown() -> None:
    """Without its catalogue entry a form is told in plain words, its lists too."""
    facts = facts_of(None, {"account_number": "041872", "affirmed": True, "accounts": [{"account_name": "A"}]})
    assert [(fact.label, fact.words) for fact in facts] == [
        ("Account number", "041872"),
        ("Affirmed", "Yes"),
        ("Accounts", ""),
    ]
    assert (facts[2].heading, facts[2].rows) == (("Account name",), (("A",),))


def compared(letter_id: str, **more: Any) -> dict[str, Any]:
    """A letter as the desk compares it."""
    return {"letter_id": letter_id, "result": "not-readable", "version": None, "is_current": None, "fields": [], **more}


def test_a_comparison_is_told_in_words() -> None:
    """The newest letter is first, under the name of its file; choices are told in the catalogue's words; old is old."""
    line = {"name": "line_of_business", "label": "Line of business", "form": "dental", "request": "gone"}
    forms = [
        compared("one", result="differs", version="2024-02", is_current=False, fields=[{**line, "result": "differs"}]),
        compared("two"),
    ]
    letters = [{"letter_id": "one", "filename": "form.pdf"}, {"letter_id": "two", "filename": "scan.png"}]
    entry = {"layout": [{"name": "line_of_business", "choices": {"dental": "Group dental"}}]}
    newest, oldest = comparisons_of(entry, {"letters": letters, "staff": {"forms": forms}})
    assert (newest.letter, newest.result, newest.rows, newest.is_older) == ("scan.png", "not-readable", (), False)
    assert (oldest.letter, oldest.version, oldest.is_older) == ("form.pdf", "2024-02", True)
    [row] = oldest.rows
    assert (row.label, row.form, row.request, row.words) == ("Line of business", "Group dental", "gone", "Differs")
    assert comparisons_of(None, {"letters": letters, "staff": {"forms": None}}) == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Account Number\n041872,Café\n".encode(), "Account Number\n041872,Café\n"),
        (b"\xef\xbb\xbfAccount Number\n", "Account Number\n"),
        ("041872,Café\n".encode("cp1252"), "041872,Café\n"),
        (b"PK\x03\x04\x14\x00\x06\x00", None),
    ],
    ids=["utf-8", "with a mark", "as Excel on Windows", "a workbook"],
)
async def test_a_list_is_read_as_spreadsheets_write_it(content: bytes, text: str | None) -> None:
    """CSV in either encoding is text, letter for letter; what is no text is told at the field, and replaces nothing."""
    submitted = Submitted(fields={"accounts": "typed"})
    await _read_table(submitted, "accounts", UploadFile(io.BytesIO(content)))
    assert submitted.fields["accounts"] == (text or "typed")
    assert bool(submitted.faults) is (text is None)
    submitted = Submitted()
    await _read_table(submitted, "accounts", UploadFile(io.BytesIO(b"x" * (MOST_FIELD_BYTES + 1))))
    assert submitted.faults[0]["pointer"] == "#/accounts"


def test_what_is_optional_at_a_forms_end_stands_below_its_documents() -> None:
    """The fields after the last required one are extras; a form without required ones has them all above."""
    filled = Filled()
    layout = [{"name": name, "required": name == "b"} for name in "abcd"]
    above, below = around_documents(fields_of({"layout": layout}, filled))
    assert [[each.layout["name"] for each in part] for part in (above, below)] == [["a", "b"], ["c", "d"]]
    free = [{"name": "a", "required": False}]
    assert len(around_documents(fields_of({"layout": free}, filled))[0]) == 1


MINE = cast("Session", SimpleNamespace(id="mine", csrf="word"))
DOCUMENTS = [{"part": "por_documentation", "max_bytes": 2 * 1024**2}]


def posted(*parts: tuple[str, str | bytes]) -> Request:
    """The post of a form of this session; bytes are a file."""
    body = b""
    for name, value in (("csrf", "word"), *parts):
        content, file = (value.encode(), "") if isinstance(value, str) else (value, f'; filename="{len(value)}.pdf"')
        body += f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body + b"--x--\r\n"}

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def test_a_kept_file_that_is_gone_is_asked_for_again(tmp_path: Path) -> None:
    """Nothing is sent without a file that the page called uploaded: its field says to choose it again."""
    request = posted(("comment", "A"), ("kept", "gone-meanwhile"))
    async with read_submitted(request, MINE, KeptLetters(tmp_path / "letters"), DOCUMENTS, {}) as submitted:
        assert submitted.fields == {"comment": "A"}
        with pytest.raises(Refused) as refused:
            await _send(cast("Gateway", None), MINE, "SR-00000001-9", submitted)
    assert [error["pointer"] for error in refused.value.errors] == ["#/por_documentation"]


async def test_what_is_too_large_takes_nothing_else_with_it(tmp_path: Path) -> None:
    """Too large a file and too long a text are told where they are, and every other file is kept, in its order."""
    kept = KeptLetters(tmp_path / "letters")
    before = [await keep(kept, "mine") for _ in range(3)]
    request = posted(
        *(("kept", letter.id) for letter in before),
        ("por_documentation", b"%" * (2 * 1024**2 + 1)),
        ("por_documentation", b"%PDF-"),
        ("comments", "  " + "x" * 501),
        ("account_name", "y" * 501),
    )
    async with read_submitted(request, MINE, kept, DOCUMENTS, {"comments": {"maxLength": 500}}) as submitted:
        with pytest.raises(Refused) as refused, submitted.letters():
            pytest.fail("it would be sent for nothing")
        await submitted.keep(kept, MINE, refused.value)
    assert [(error["pointer"], error["detail"]) for error in refused.value.errors] == [
        ("#/por_documentation/3", "2097153.pdf: a file may be at most 2 MB. Choose a smaller one."),
        ("#/comments", "At most 500 characters."),
    ]
    assert submitted.kept[:3] == before
    assert [letter.name for letter in submitted.kept[3:]] == ["5.pdf"]
