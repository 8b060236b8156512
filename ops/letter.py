"""Makes the signed letter with which an employer group asks the carrier to change its producer of record."""

import io
import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import pikepdf
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Frame,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

SAMPLE = Path(__file__).parent / "samples" / "por-letter.toml"


@dataclass(frozen=True, slots=True)
class Group:
    """The employer group, as its letterhead shows it."""

    name: str
    tagline: str
    address: tuple[str, ...]
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Carrier:
    """Whom the letter is addressed to."""

    name: str
    address: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Producer:
    """An insurance producer and the agency behind the name."""

    name: str
    agency: str
    producer_id: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs for the group."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that a producer-of-record letter says, and so what the request's form says too."""

    account_number: str
    account_name: str
    line_of_business: str
    effective_date: date
    signed_on: date
    reason: str
    comments: str
    group: Group
    carrier: Carrier
    new_producer: Producer
    current_producer: Producer
    signer: Signer


def load_sample() -> Letter:
    """Read the committed sample; a missing or an unknown entry in it is an error."""
    entries = tomllib.loads(SAMPLE.read_text(encoding="utf-8"))
    return Letter(
        **entries
        | {
            "group": Group(**_with_address(entries["group"])),
            "carrier": Carrier(**_with_address(entries["carrier"])),
            "new_producer": Producer(**entries["new_producer"]),
            "current_producer": Producer(**entries["current_producer"]),
            "signer": Signer(**entries["signer"]),
        }
    )


def make_letter(letter: Letter) -> bytes:
    """Draw the letter as a PDF of one page; the same letter always gives the same bytes."""
    pdf = io.BytesIO()
    canvas = Canvas(pdf, pagesize=LETTER, pageCompression=1, invariant=1, lang="en-US")
    canvas.setTitle(f"Producer of record change, account {letter.account_number}")
    canvas.setAuthor(letter.group.name)
    canvas.setSubject("Group Producer of Record change")
    canvas.setCreator(letter.group.name)
    _draw_letterhead(canvas, letter.group)
    text = _text(letter)
    _frame().addFromList(text, canvas)
    if text:
        raise ValueError("the letter does not fit on one page")
    canvas.save()
    return pdf.getvalue()


def make_padded_letter(letter: Letter, size: int, seed: int) -> bytes:
    """Give the letter as on scanned paper, in about `size` bytes that differ with each seed."""
    before, pixels, after = _scan(letter, size)
    return b"".join((before, random.Random(seed).randbytes(pixels), after))


# --- scanned paper --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _scan(letter: Letter, size: int) -> tuple[bytes, int, bytes]:
    """Split the PDF around the grain of its paper: raw grey pixels, so any bytes of that number keep it valid."""
    plain = make_letter(letter)
    room = size - len(plain)
    for _ in range(3):  # each time with a better idea of what the file needs beside the pixels
        if room < 64:  # fewer bytes could not be told from the rest of the file
            raise ValueError(f"the letter alone is larger than {size} bytes")
        width = max(1, int((room * LETTER[0] / LETTER[1]) ** 0.5))
        height, spare = divmod(room, width)
        grain = random.Random(0).randbytes(width * height)
        pdf = _on_paper(plain, grain, width, height, spare)
        if len(pdf) == size:
            break
        room += size - len(pdf)
    before, _, after = pdf.partition(grain)
    return before, len(grain), after


def _on_paper(letter: bytes, grain: bytes, width: int, height: int, spare: int) -> bytes:
    """Lay a picture of grainy paper under the page, stored as it is, and `spare` blanks to make the size come out."""
    result = io.BytesIO()
    with pikepdf.open(io.BytesIO(letter)) as pdf:
        page = pdf.pages[0]
        paper = pikepdf.Stream(
            pdf,
            grain,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=width,
            Height=height,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
            Decode=[0.94, 1],
        )
        name = page.add_resource(paper, pikepdf.Name.XObject)
        draw = f"q {LETTER[0]:g} 0 0 {LETTER[1]:g} 0 0 cm {name} Do Q\n{' ' * spare}".encode()
        page.contents_add(draw, prepend=True)
        pdf.save(
            result,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            deterministic_id=True,
        )
    return result.getvalue()


# --- the page -------------------------------------------------------------------------------------------------------

_INK, _PEN, _GREEN, _GREY, _RULE = map(HexColor, ("#1f2328", "#1b2f7a", "#22483c", "#5c6670", "#c9d1cc"))
_MARGIN = 1.05 * inch
_TEXT = ParagraphStyle("text", fontName="Times-Roman", fontSize=11, leading=14.6, textColor=_INK, spaceAfter=8.5)
_BODY = ParagraphStyle("body", parent=_TEXT, alignment=TA_JUSTIFY)
_SUBJECT = ParagraphStyle("subject", parent=_TEXT, fontName="Times-Bold", leftIndent=26, firstLineIndent=-26)


def _frame() -> Frame:
    width, height = LETTER
    return Frame(_MARGIN, 0.75 * inch, width - 2 * _MARGIN, height - 2.45 * inch, 0, 0, 0, 0)


def _draw_letterhead(canvas: Canvas, group: Group) -> None:
    width, height = LETTER
    _draw_mark(canvas, _MARGIN, height - 1.19 * inch)
    left, right = _MARGIN + 50, width - _MARGIN
    canvas.setFillColor(_GREEN)
    canvas.setFont("Times-Bold", 17)
    canvas.drawString(left, height - 0.93 * inch, group.name)
    canvas.setFillColor(_GREY)
    canvas.setFont("Times-Italic", 10)
    canvas.drawString(left, height - 1.12 * inch, group.tagline)
    canvas.setFont("Helvetica", 7.8)
    for row, line in enumerate((*group.address, group.phone, group.email)):
        canvas.drawRightString(right, height - 0.80 * inch - row * 10.4, line)
    canvas.setStrokeColor(_GREEN)
    canvas.setLineWidth(1.4)
    canvas.line(_MARGIN, height - 1.35 * inch, right, height - 1.35 * inch)


def _draw_mark(canvas: Canvas, x: float, y: float) -> None:
    """The group's mark: a pine above two waves."""
    canvas.saveState()
    canvas.translate(x, y)
    canvas.setFillColor(_GREEN)
    for base, half, tip in ((11, 13, 24), (19, 10.5, 31), (27, 8, 39)):
        tree = canvas.beginPath()
        tree.moveTo(19 - half, base)
        tree.lineTo(19, tip)
        tree.lineTo(19 + half, base)
        tree.close()
        canvas.drawPath(tree, stroke=0, fill=1)
    canvas.setStrokeColor(_GREEN)
    canvas.setLineWidth(1.6)
    canvas.setLineCap(1)
    for height in (6.5, 1.5):
        wave = canvas.beginPath()
        wave.moveTo(0, height)
        for start in (0.0, 12.7, 25.4):
            wave.curveTo(start + 4, height + 4, start + 8.7, height - 4, start + 12.7, height)
        canvas.drawPath(wave, stroke=1, fill=0)
    canvas.restoreState()


def _text(letter: Letter) -> list[Flowable]:
    """What stands between the letterhead and the foot of the page, from the date down to the signer's title."""
    new, current, group = letter.new_producer, letter.current_producer, escape(letter.group.name)
    line_of_business = letter.line_of_business.replace("-", " ").title()
    effective = _long(letter.effective_date)
    facts = {
        "Group account name": letter.account_name,
        "Group account number": letter.account_number,
        "Line of business": line_of_business,
        "New producer of record": f"{new.name}, {new.agency}",
        "New producer ID": new.producer_id,
        "Current producer": f"{current.name}, {current.agency} ({current.producer_id})",
        "Effective date": effective,
    }
    return [
        Paragraph(_long(letter.signed_on), _TEXT),
        Spacer(0, 3),
        Paragraph("<br/>".join(map(escape, (letter.carrier.name, *letter.carrier.address))), _TEXT),
        Spacer(0, 3),
        Paragraph(
            f"RE:&nbsp; Change of Producer of Record<br/>{escape(letter.account_name)}, "
            f"account {escape(letter.account_number)}, {escape(line_of_business)}",
            _SUBJECT,
        ),
        Paragraph("To whom it may concern:", _TEXT),
        Paragraph(
            f"{group} appoints <b>{escape(new.name)}</b> of <b>{escape(new.agency)}</b> as its exclusive producer of "
            f"record for the coverage named below, effective <b>{effective}</b>. On that day this letter "
            f"ends the appointment of {escape(current.name)} of {escape(current.agency)} for that coverage.",
            _BODY,
        ),
        _facts(facts),
        Spacer(0, 10),
        Paragraph(f"<b>Reason for the change.</b> {escape(letter.reason)}", _BODY),
        Paragraph(
            f"From the effective date, please give {escape(new.name)} the information about our contract that is "
            f"needed to serve it, and direct commissions accordingly. {escape(letter.comments)} This authorization "
            "stays in force until we withdraw it in writing.",
            _BODY,
        ),
        Spacer(0, 2),
        Paragraph("Sincerely,", _TEXT),
        _Signature(),
        Paragraph(
            f"<b>{escape(letter.signer.name)}</b><br/>{escape(letter.signer.title)}<br/>{group}<br/>"
            f"Date signed: {_long(letter.signed_on)}",
            _TEXT,
        ),
    ]


def _facts(facts: dict[str, str]) -> Table:
    label = ParagraphStyle("label", parent=_TEXT, fontSize=10, leading=12, textColor=_GREY, spaceAfter=0)
    value = ParagraphStyle("value", parent=label, textColor=_INK)
    rows = [[Paragraph(escape(k), label), Paragraph(escape(v), value)] for k, v in facts.items()]
    return Table(
        rows,
        colWidths=(1.75 * inch, LETTER[0] - 2 * _MARGIN - 1.75 * inch),
        style=TableStyle(
            [
                ("LINEABOVE", (0, 0), (-1, 0), 0.6, _RULE),
                ("LINEBELOW", (0, 0), (-1, -1), 0.6, _RULE),
                ("TOPPADDING", (0, 0), (-1, -1), 2.6),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.6),
                ("LEFTPADDING", (0, 0), (-1, -1), 4),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        ),
    )


# --- the signature --------------------------------------------------------------------------------------------------

_Point = tuple[float, float]

# Where the pen goes through, stroke by stroke: "M Ellison" in a hurry.
_STROKES: tuple[tuple[_Point, ...], ...] = (
    ((4, 10), (10, 6), (15, 22), (22, 41), (24, 30), (23, 9), (30, 28), (39, 43), (41, 30), (40, 12), (45, 8),
     (52, 14)),
    ((84, 33), (78, 40), (67, 37), (66, 28), (76, 24), (66, 20), (62, 11), (72, 6), (84, 12), (92, 26), (97, 41),
     (93, 44), (90, 30), (92, 9), (98, 12), (105, 28), (109, 42), (105, 44), (103, 28), (105, 9), (111, 11),
     (115, 18), (116, 10), (120, 9), (126, 18), (124, 10), (119, 8), (130, 11), (138, 18), (133, 12), (138, 9),
     (143, 17), (150, 15), (151, 9), (155, 17), (160, 17), (161, 10), (172, 9), (196, 16)),
    ((116.5, 24), (117.5, 25)),
    ((58, 1), (92, 3), (140, 1), (204, 7)),
)  # fmt: skip


class _Signature(Flowable):  # type: ignore[misc]
    """Handwriting: smooth strokes that are thicker where the pen goes down."""

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return 210, 52

    def draw(self) -> None:
        canvas = self.canv
        canvas.translate(0, 5)
        canvas.setStrokeColor(_PEN)
        canvas.setLineCap(1)
        for stroke in _STROKES:
            for start, first, second, end in _curves(stroke):
                canvas.setLineWidth(1.0 + 0.55 * max(0.0, min(1.0, (start[1] - end[1]) / 16)))
                canvas.bezier(*start, *first, *second, *end)


def _curves(points: Sequence[_Point]) -> list[tuple[_Point, _Point, _Point, _Point]]:
    """One Bezier curve between each two points, smooth where they meet (Catmull-Rom)."""
    ends = [points[0], *points, points[-1]]
    return [
        (
            b,
            (b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6),
            (c[0] - (d[0] - b[0]) / 6, c[1] - (d[1] - b[1]) / 6),
            c,
        )
        for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False)
    ]


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _with_address(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"address": tuple(entry["address"])}


def _long(day: date) -> str:
    """Write a date as `January 1, 2027`, whatever the locale."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"
