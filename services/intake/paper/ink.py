"""How what is written into the form beforehand looks: in a font with most names' letters, and as large as it fits."""

import io
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from reportlab.lib.colors import HexColor
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from services.intake.paper.page import Box

FONT = "DejaVuSansCondensed"
FILE = Path(__file__).parent / "fonts" / f"{FONT}.ttf"
LARGEST, SMALLEST = 10.0, 3.0
LEADING = 1.25
PAD = 1.0
COLOR = HexColor("#12305a")

# Written from right to left, or shaped by their neighbours: that is for a viewer to do.
_FROM_RIGHT = frozenset({"R", "AL", "AN"})


@cache
def _font() -> TTFont:
    font = TTFont(FONT, str(FILE), asciiReadable=0)  # only the letters that are used go into a form
    pdfmetrics.registerFont(font)
    return font


def can_draw(text: str) -> bool:
    """Whether the font has every letter, and they stand one after the other."""
    letters = _font().face.charToGlyph
    return all(ord(char) in letters and unicodedata.bidirectional(char) not in _FROM_RIGHT for char in text)


def draw(values: Iterable[tuple[str, Box, bool]]) -> bytes:
    """A PDF with a page for each value, as large as its box; the last of the three says that it may have lines."""
    _font()
    pdf = io.BytesIO()
    canvas = Canvas(pdf, pageCompression=1, invariant=1)
    for text, box, is_long in values:
        canvas.setPageSize((box.width, box.height))
        lines, size = _fitted(text, box, is_long=is_long)
        top = box.height - PAD - size if is_long else (box.height - size * 0.72) / 2
        canvas.setFillColor(COLOR)
        canvas.setFont(FONT, size)
        for number, line in enumerate(lines):
            canvas.drawString(PAD, top - number * size * LEADING, line)
        canvas.showPage()
    canvas.save()
    return pdf.getvalue()


def _fitted(text: str, box: Box, *, is_long: bool) -> tuple[list[str], float]:
    """The lines of a text and the size of their letters, as large as there is room for."""
    width, size = box.width - 2 * PAD, LARGEST
    while size > SMALLEST:
        lines = simpleSplit(text, FONT, size, width) if is_long else [text]
        is_low = len(lines) * size * LEADING <= box.height - PAD
        if is_low and all(pdfmetrics.stringWidth(line, FONT, size) <= width for line in lines):
            return lines, size
        size -= 0.5
    return (simpleSplit(text, FONT, size, width) if is_long else [text]), size
