"""The portal's small rules: letters kept, attempts counted, forms drawn."""

import io
from pathlib import Path
from typing import Any

import pytest

from portal.attempts import Attempts
from portal.comparisons import comparisons_of
from portal.forms import Filled, errors_by_field, facts_of, fields_of
from portal.kept import KeptLetter, KeptLetters


def keep(kept: KeptLetters, session: str, content: bytes = b"letter") -> KeptLetter:
    """Keep one letter."""
    return kept.keep(session, "por_documentation", "letter.pdf", "application/pdf", io.BytesIO(content))


def test_a_kept_letter_is_its_sessions_alone(tmp_path: Path) -> None:
    """Nobody else finds it, and with its session it is gone from the disk."""
    kept = KeptLetters(tmp_path / "letters")
    letter = keep(kept, "mine")
    assert kept.find("mine", [letter.id, letter.id, "other"]) == [letter]
    assert kept.find("theirs", [letter.id]) == []
    kept.drop_all_of("mine")
    assert list((tmp_path / "letters").iterdir()) == []


def test_kept_letters_end_by_age_and_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half an hour, or where there are too many bytes, the oldest are deleted; a restart deletes all."""
    kept = KeptLetters(tmp_path / "letters")
    monkeypatch.setattr("portal.kept.MOST_OF_SESSION", 25)
    first, second, third = (keep(kept, "mine", b"x" * 10) for _ in range(3))
    assert kept.find("mine", [first.id, second.id, third.id]) == [second, third]
    monkeypatch.setattr("portal.kept.MOST_BYTES", 25)
    theirs = keep(kept, "theirs", b"x" * 10)
    assert kept.find("mine", [second.id, third.id]) == [third]
    assert not second.path.exists()
    now = theirs.since
    monkeypatch.setattr("portal.kept.time.monotonic", lambda: now + 31 * 60)
    assert kept.find("theirs", [theirs.id]) == []
    keep(kept, "mine")
    KeptLetters(tmp_path / "letters")
    assert list((tmp_path / "letters").iterdir()) == []


def test_attempts_are_counted_by_name_and_by_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name waits after its own attempts, a machine after ten times as many; time and success set free."""
    attempts = Attempts(2, 60)
    for _ in range(2):
        assert attempts.wait("Dana ", "here") == 0
        attempts.note("Dana ", "here")
    assert 59 <= attempts.wait("dana", "elsewhere") <= 61
    assert attempts.wait("carl", "here") == 0
    for n in range(18):
        attempts.note(f"name {n}", "here")
    assert attempts.wait("carl", "here") > 0
    assert attempts.wait("carl", "elsewhere") == 0
    attempts.forget("dana", "here")
    assert attempts.wait("dana", "here") == 0


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
