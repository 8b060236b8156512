"""The printed page of the transfer form: its words, its lines, and where its fields are."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from shared.contracts.transfer_forms import FIELDS, FORM, LONG, VERSION

TITLE = "Group POR Transfer Form"
SUBTITLE = "Change of the producer of record of an employer group"
INTRODUCTION = (
    "The employer group fills in every field and signs. The new producer then uploads this form with the request, at "
    "<b>Request Assistance &gt; Group Producer of Record Change</b>. If possible, upload the filled-in PDF itself: its "
    "fields are read and compared with the request. A scan or photo of the signed page is also accepted."
)
STATEMENT = (
    "On behalf of the group I appoint the new producer named above as its exclusive producer of record for this line "
    "of business, from the effective date on. The appointment of any other producer for it ends on that day. Please "
    "give the new producer the information about our contract that is needed to serve it. I am authorized to make this "
    "change."
)
HINTS = {
    "effective_date": "MM/DD/YYYY",
    "current_producer": "write None if there is none",
    "signature": "sign by hand, or type your name",
    "signed_on": "MM/DD/YYYY",
}

Row = tuple[tuple[str, float], ...]  # names, each with its share of the width

PARTS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "The group and its coverage",
        (
            (("account_name", 1),),
            (("account_number", 0.26), ("line_of_business", 0.44), ("effective_date", 0.3)),
            (("reason", 1),),
        ),
    ),
    ("Current producer of record", ((("current_producer", 0.7), ("current_producer_id", 0.3)),)),
    (
        "New producer of record",
        ((("new_producer", 0.7), ("new_producer_id", 0.3)), (("agency", 1),)),
    ),
    (
        "Signature of the group",
        ((("signer", 0.6), ("signer_title", 0.4)), (("signature", 0.7), ("signed_on", 0.3))),
    ),
)
HEIGHTS = {"reason": 48.0, "signature": 38.0, "signed_on": 38.0}
HEIGHT = 22.0
LINE_HEIGHT = 16.0  # of what is typed on one line, however tall its box: viewers fill the height with letters

_DEEP, _INK, _SOFT, _LINE, _FILL = map(HexColor, ("#12395a", "#1a2329", "#4a5862", "#a9b8c4", "#f3f7fa"))
_WIDTH, _TOP = LETTER
_MARGIN, _GAP = 54.0, 12.0
_BAND = 74.0
_SMALL = ParagraphStyle("small", fontName="Helvetica", fontSize=9, leading=12.4, textColor=_INK)


@dataclass(frozen=True)
class Box:
    """Where something is: points from the page's lower left corner."""

    x: float
    y: float
    width: float
    height: float

    def within(self, beside: float, above: float) -> "Box":
        """What is left of it with so much room at its sides, above and below."""
        return Box(self.x + beside, self.y + above, self.width - 2 * beside, self.height - 2 * above)


def draw_page(portal_name: str) -> tuple[bytes, Mapping[str, Box]]:
    """The page as a PDF, and the place of each field; the same name always gives the same bytes."""
    pdf = io.BytesIO()
    canvas = Canvas(pdf, pagesize=LETTER, pageCompression=1, invariant=1, lang="en-US")
    canvas.setTitle(TITLE)
    canvas.setSubject(SUBTITLE)
    canvas.setAuthor(portal_name)
    canvas.setKeywords(f"{FORM} {VERSION}")
    canvas.setViewerPreference("DisplayDocTitle", "true")
    _draw_head(canvas, portal_name)
    y = _draw_text(canvas, INTRODUCTION, _TOP - _BAND - 18)
    boxes: dict[str, Box] = {}
    for number, (heading, rows) in enumerate(PARTS, 1):
        y = _draw_heading(canvas, f"{number}", heading, y - 28)
        if number == len(PARTS):
            y = _draw_text(canvas, STATEMENT, y - 2) - 5
        for row in rows:
            placed = dict(_placed(row, y))
            for name, box in placed.items():
                _draw_box(canvas, name, box)
                boxes[name] = box.within(4, 4 if name == LONG else (box.height - LINE_HEIGHT) / 2)
            y = min(box.y for box in placed.values()) - 5
    _draw_foot(canvas)
    canvas.save()
    return pdf.getvalue(), boxes


def _placed(row: Row, top: float) -> Iterator[tuple[str, Box]]:
    """The boxes of a row, below their labels."""
    x, room = _MARGIN, _WIDTH - 2 * _MARGIN - _GAP * (len(row) - 1)
    for name, share in row:
        height = HEIGHTS.get(name, HEIGHT)
        yield name, Box(x, top - 15 - height, room * share, height)
        x += room * share + _GAP


def _draw_head(canvas: Canvas, portal_name: str) -> None:
    canvas.setFillColor(_DEEP)
    canvas.rect(0, _TOP - _BAND, _WIDTH, _BAND, stroke=0, fill=1)
    canvas.setFillColor(white)
    canvas.setFont("Helvetica-Bold", 21)
    canvas.drawString(_MARGIN, _TOP - 38, TITLE)
    canvas.setFont("Helvetica", 10.5)
    canvas.drawString(_MARGIN, _TOP - 56, SUBTITLE)
    canvas.drawRightString(_WIDTH - _MARGIN, _TOP - 38, portal_name)
    canvas.setFont("Helvetica", 9)
    canvas.drawRightString(_WIDTH - _MARGIN, _TOP - 56, f"Version {VERSION}")


def _draw_text(canvas: Canvas, text: str, top: float) -> float:
    paragraph = Paragraph(text, _SMALL)
    paragraph.wrap(_WIDTH - 2 * _MARGIN, _TOP)
    bottom: float = top - paragraph.height
    paragraph.drawOn(canvas, _MARGIN, bottom)
    return bottom


def _draw_heading(canvas: Canvas, number: str, words: str, y: float) -> float:
    canvas.setFillColor(_DEEP)
    canvas.circle(_MARGIN + 8, y + 4, 8, stroke=0, fill=1)
    canvas.setFont("Helvetica-Bold", 12)
    canvas.drawString(_MARGIN + 22, y, words)
    canvas.setStrokeColor(_DEEP)
    canvas.setLineWidth(0.8)
    canvas.line(_MARGIN, y - 8, _WIDTH - _MARGIN, y - 8)
    canvas.setFillColor(white)
    canvas.setFont("Helvetica-Bold", 9.5)
    canvas.drawCentredString(_MARGIN + 8, y + 0.7, number)
    return y - 13


def _draw_box(canvas: Canvas, name: str, box: Box) -> None:
    above = box.y + box.height + 3.5
    canvas.setFillColor(_INK)
    canvas.setFont("Helvetica-Bold", 8.5)
    canvas.drawString(box.x, above, FIELDS[name])
    if name in HINTS:
        beside = canvas.stringWidth(FIELDS[name], "Helvetica-Bold", 8.5) + 5
        canvas.setFillColor(_SOFT)
        canvas.setFont("Helvetica", 8)
        canvas.drawString(box.x + beside, above, HINTS[name])
    canvas.setFillColor(_FILL)
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(0.7)
    canvas.roundRect(box.x, box.y, box.width, box.height, 2.5, stroke=1, fill=1)


def _draw_foot(canvas: Canvas) -> None:
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(0.6)
    canvas.line(_MARGIN, 44, _WIDTH - _MARGIN, 44)
    canvas.setFillColor(_SOFT)
    canvas.setFont("Helvetica", 8)
    canvas.drawString(_MARGIN, 32, f"{TITLE}, version {VERSION}")
    canvas.drawRightString(_WIDTH - _MARGIN, 32, "Page 1 of 1")
