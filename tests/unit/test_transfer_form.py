"""The transfer form: made by one library, filled in by another, and read back as what was written."""

import asyncio
import hashlib
import io
import time
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from pypdf import PdfReader
from reportlab.pdfbase.pdfmetrics import stringWidth

from services.documents.checks import judge
from services.documents.transfer_form import MOST_FIELDS
from services.documents.verdict import VERDICT, Verdict
from services.intake.paper import ink
from services.intake.paper.form import TransferForm
from shared.contracts.letters import LetterFault
from shared.contracts.transfer_forms import (
    FIELDS,
    LONG,
    MAX_LINE,
    VERSION,
    VERSION_FIELD,
    FilledForm,
    max_length,
)
from tests.builders import pages, pdf, picture
from tests.fixtures.hostile import script
from tests.fixtures.transfer_forms import WHOLE, changed, field_of, filled, longest, looping, maker, whole

WORKERS_LINE = 64 * 1024  # bytes that the service reads of a worker's answer


def verdict(data: bytes) -> Verdict:
    """The verdict on bytes that came back as they were sent."""
    return judge(data, hashlib.sha256(data).hexdigest(), 50)


def said(data: bytes) -> dict[str, str]:
    """What a form that is readable says."""
    found = verdict(data)
    assert found.fault is None
    assert found.form is not None
    return found.form.fields


def set_field(name: str, value: Any) -> Callable[[Pdf], object]:
    """Put any object into a field."""
    return lambda form: setattr(field_of(form, name), "V", value)


def test_an_empty_form_is_a_letter_that_says_nothing() -> None:
    """What the desk hands out passes the desk's own checks, and tells its version to who looks for it and to people."""
    empty = maker().make({})
    assert verdict(empty) == Verdict("application/pdf", 1, form=FilledForm(version=VERSION, is_current=True, fields={}))
    reader = PdfReader(io.BytesIO(empty))
    assert reader.pages[0].extract_text().count(VERSION) == 2
    assert reader.metadata is not None
    assert VERSION in str(reader.metadata["/Keywords"])
    assert set(reader.get_fields() or {}) == {*FIELDS, VERSION_FIELD}


def test_what_another_program_fills_in_is_read_back() -> None:
    """Every field, typed in with another library, is read as it was typed."""
    assert said(whole()) == WHOLE


def test_what_is_known_is_in_its_fields() -> None:
    """Values known beforehand are the fields' own, can be changed, and are read where they are left alone."""
    known = maker().make({"new_producer": "Dana Whitfield", "line_of_business": "group-medical"})
    fields = PdfReader(io.BytesIO(known)).get_fields() or {}
    assert {name: str(field.value) for name, field in fields.items() if field.value} == {
        "new_producer": "Dana Whitfield",
        "line_of_business": "group-medical",
        VERSION_FIELD: VERSION,
    }
    assert said(filled(known, {"new_producer": "Carl Jensen"})) == {
        "new_producer": "Carl Jensen",
        "line_of_business": "group-medical",
    }


def test_the_lines_of_business_are_the_catalogues() -> None:
    """The form offers what a request may name, by the same words."""
    with pikepdf.open(io.BytesIO(maker().make({}))) as form:
        choices = {str(code): str(words) for code, words in field_of(form, "line_of_business").Opt}
    assert choices["group-life-disability"] == "Group life and disability"
    assert len(choices) == 6


def test_the_same_values_make_the_same_bytes() -> None:
    """Who compares by hash finds the same form the same, and another one another."""
    known = {"new_producer": "Łukasz Żółć"}
    assert maker().make(known) == maker().make(dict(known))
    assert maker().make(known) != maker().make({})


@pytest.mark.parametrize(
    "name", ["José Núñez", "Łukasz Wiśniewski", "Nguyễn Thị Ánh", "Ελένη Παππά", "Сергей Кузнецов", "Đặng & Søn"]
)
def test_names_print_with_all_their_letters(name: str) -> None:
    """A name is drawn in a font that travels along, and read back, whatever its letters are."""
    made = maker().make({"new_producer": name})
    with pikepdf.open(io.BytesIO(made)) as form:
        look = field_of(form, "new_producer").AP.N
        fonts = [font for _, font in look.Resources.Font.items() if "/FontDescriptor" in font]
        assert fonts
        assert all("/FontFile2" in font.FontDescriptor for font in fonts)
        assert not form.Root.AcroForm.NeedAppearances
    assert said(made) == {"new_producer": name}


@pytest.mark.parametrize("name", ["דנה כהן", "دانا", "田中花子"])
def test_what_cannot_be_drawn_is_left_to_the_viewer(name: str) -> None:
    """Letters that the font has not, or that stand otherwise than one after the other, are drawn by who shows them."""
    made = maker().make({"new_producer": name, "agency": "Agency"})
    with pikepdf.open(io.BytesIO(made)) as form:
        assert "/AP" not in field_of(form, "new_producer")
        assert form.Root.AcroForm.NeedAppearances
    assert said(made)["new_producer"] == name


@pytest.mark.parametrize("name", ["account_name", "new_producer", "agency", "signer", "signer_title", LONG])
def test_what_is_long_is_written_small_enough(name: str) -> None:
    """The longest name that is taken stands within its field, and the longest reason in its lines."""
    _, boxes = maker()._page
    text = ("Amelia Earhart " * 100)[: max_length(name)]
    lines, size = ink._fitted(text, boxes[name], is_long=name == LONG)
    assert " ".join(lines).split() == text.split()
    assert max(stringWidth(line, ink.FONT, size) for line in lines) <= boxes[name].width
    assert len(lines) * size <= boxes[name].height


def test_an_older_version_is_told() -> None:
    """A form of another version is read all the same, and called what it is."""
    form = verdict(changed(set_field(VERSION_FIELD, String("2024-02")))).form
    assert form is not None
    assert (form.version, form.is_current, form.fields) == ("2024-02", False, WHOLE)


def flattened(form: Pdf) -> None:
    """As a program does that prints fields into the page."""
    form.flatten_annotations("all")
    del form.Root.AcroForm


NOT_READABLE: dict[str, Callable[[], bytes]] = {
    "another letter": pdf,
    "a blank page": lambda: pages(1),
    "a scan": lambda: picture("PNG"),
    "flattened": lambda: changed(flattened),
    "without its version": lambda: changed(set_field(VERSION_FIELD, String(""))),
    "another form": lambda: changed(lambda form: setattr(field_of(form, VERSION_FIELD), "T", String("edition"))),
    "two answers to one question": lambda: changed(
        lambda form: form.Root.AcroForm.Fields.append(Dictionary(FT=Name.Tx, T="signer", V="Somebody Else"))
    ),
    "fields without end": lambda: changed(
        lambda form: form.Root.AcroForm.Fields.extend(Dictionary(FT=Name.Tx, T="x") for _ in range(MOST_FIELDS))
    ),
    "fields that are none": lambda: changed(lambda form: setattr(form.Root.AcroForm, "Fields", Dictionary())),
    "a form that is none": lambda: changed(lambda form: setattr(form.Root, "AcroForm", Array([1, 2]))),
}


@pytest.mark.parametrize("case", NOT_READABLE)
def test_what_cannot_be_read_as_the_form_is_a_letter_all_the_same(case: str) -> None:
    """Scans, flattened forms, other letters, and forms that say two things at once are taken, and not read."""
    found = verdict(NOT_READABLE[case]())
    assert (found.fault, found.form) == (None, None)


def test_a_tree_of_fields_without_end_is_read_and_left() -> None:
    """Fields that are each other's children are read once each."""
    assert said(looping()) == WHOLE


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("  Margaret \r\n\t Ellison ", "Margaret Ellison"),
        ("Margaret\x00\x07\x1b[31m Ellison", "Margaret[31m Ellison"),
        ("Margaret\u202e nosillE\u2066\u200b\ufeff", "Margaret nosillE"),
        ("x" * 1_000_000, "x" * MAX_LINE + "…"),
        ("\u202e" * 5000, ""),
    ],
    ids=["spaces", "controls", "bidi", "huge", "nothing-to-see"],
)
def test_values_are_bounded_and_cleaned(value: str, read: str) -> None:
    """No value is longer than its field, on more than one line, or has anything that is not seen for what it is."""
    assert said(changed(set_field("signer", String(value)))).get("signer", "") == read


@pytest.mark.parametrize(
    "value",
    [7, True, Name.Yes, Array([String("a"), String("b")]), Dictionary(V="x"), b"\xd8\x00", b"\xfe\xff\xd8\x00\xd8\x00"],
    ids=["number", "bool", "name", "array", "dictionary", "bytes", "half-letters"],
)
def test_a_value_that_is_no_text_harms_nothing(value: Any) -> None:
    """Whatever lies in a field, the others are read, and the verdict can be told."""
    made = changed(set_field("signer", String(value) if isinstance(value, bytes) else value))
    found = verdict(made)
    assert found.form is not None
    assert {**found.form.fields, "signer": ""} == {**WHOLE, "signer": ""}
    assert VERDICT.validate_json(VERDICT.dump_json(found)) == found


def test_a_value_that_is_a_stream_is_not_unfolded() -> None:
    """A text kept apart is no text of a field."""
    made = changed(lambda form: setattr(field_of(form, "signer"), "V", Stream(form, b"Margaret")))
    assert "signer" not in said(made)


def test_the_longest_form_fits_into_a_workers_answer() -> None:
    """Every field filled with as many of the largest letters as it takes is told in one line."""
    found = verdict(longest())
    assert found.form is not None
    assert len(found.form.fields) == len(FIELDS)
    assert len(VERDICT.dump_json(found)) < WORKERS_LINE / 2


def test_a_form_that_acts_is_refused_and_not_read() -> None:
    """With a script within it is no letter, whatever its fields say."""
    found = verdict(changed(lambda form: setattr(form.Root, "OpenAction", script())))
    assert (found.fault, found.form) == (LetterFault.ACTIVE, None)


async def test_forms_are_drawn_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library that draws may use a font for one document at once: who comes meanwhile waits."""
    under_way, most = [0], [0]

    def make(_: TransferForm, values: dict[str, str]) -> bytes:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        under_way[0] -= 1
        return values["agency"].encode()

    monkeypatch.setattr(TransferForm, "make", make)
    form = TransferForm({}, "Portal")
    drawn = asyncio.gather(*(form.filled_in({"agency": each}) for each in "abc"))
    await asyncio.sleep(0.01)
    assert not drawn.done(), "the loop goes on while a form is drawn"
    assert (await drawn, most) == ([b"a", b"b", b"c"], [1])
