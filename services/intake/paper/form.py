"""The transfer form as a PDF to fill in: the page, its fields, and what is known beforehand."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, String

from services.intake.paper import ink
from services.intake.paper.page import Box, draw_page
from shared.contracts.transfer_forms import FIELDS, LONG, VERSION, VERSION_FIELD, max_length

LINE = "line_of_business"
PRINTED, HIDDEN = 4, 2  # of an annotation
READ_ONLY, LINES, COMBO = 1, 1 << 12, 1 << 17  # of a field
LOOK = String("/Helv 0 Tf 0.07 0.19 0.35 rg")  # of what is typed; 0: as large as there is room for


class TransferForm:
    """The form with a catalogue's lines of business, each a value and its words."""

    def __init__(self, lines: Mapping[str, str], portal_name: str) -> None:
        self._lines, self._portal_name = lines, portal_name
        self._turn = asyncio.Semaphore(1)  # the library that draws shares its fonts between drawings

    async def filled_in(self, values: Mapping[str, str]) -> bytes:
        """The form with ``values`` in its fields; the same ones always give the same bytes."""
        async with self._turn:
            return await asyncio.to_thread(self.make, values)

    def make(self, values: Mapping[str, str]) -> bytes:
        """As :meth:`filled_in`, at once."""
        page, boxes = self._page
        result = io.BytesIO()
        with ExitStack() as opened:
            pdf = opened.enter_context(pikepdf.open(io.BytesIO(page)))
            looks = self._looks(opened, pdf, values)
            fields = [self._field(name, box, values.get(name, ""), looks.get(name)) for name, box in boxes.items()]
            widgets = [pdf.make_indirect(each) for each in (*fields, _version())]
            for widget in widgets:
                widget.P = pdf.pages[0].obj
            pdf.pages[0].Annots = Array(widgets)
            pdf.pages[0].Tabs = Name.R
            # Of what was not drawn here, such as what is read from right to left, viewers draw what they can.
            pdf.Root.AcroForm = _acroform(widgets, are_drawn=looks.keys() == {name for name in values if values[name]})
            pdf.save(result, deterministic_id=True)
        return result.getvalue()

    @cached_property
    def _page(self) -> tuple[bytes, Mapping[str, Box]]:
        return draw_page(self._portal_name)

    def _looks(self, opened: ExitStack, pdf: Pdf, values: Mapping[str, str]) -> dict[str, Object]:
        """How each value looks in its field, but for those that the font has not all letters of."""
        _, boxes = self._page
        shown = {name: self._lines.get(value, value) if name == LINE else value for name, value in values.items()}
        drawn = {name: text for name, text in shown.items() if text and ink.can_draw(text)}
        if not drawn:
            return {}
        pages = ink.draw((text, boxes[name], name == LONG) for name, text in drawn.items())
        inked = opened.enter_context(pikepdf.open(io.BytesIO(pages)))
        return {name: pdf.copy_foreign(page.as_form_xobject()) for name, page in zip(drawn, inked.pages, strict=True)}

    def _field(self, name: str, box: Box, value: str, look: Object | None) -> Dictionary:
        kind: dict[str, Any] = {"FT": Name.Tx, "Ff": LINES if name == LONG else 0, "MaxLen": max_length(name)}
        if name == LINE and self._lines:
            choices = [Array([String(code), String(words)]) for code, words in self._lines.items()]
            kind = {"FT": Name.Ch, "Ff": COMBO, "Opt": Array(choices)}
        if look is not None:
            kind["AP"] = Dictionary(N=look)
        place = (box.x, box.y, box.x + box.width, box.y + box.height)
        return _widget(name, value, place, TU=String(FIELDS[name]), F=PRINTED, DA=LOOK, **kind)


def _version() -> Dictionary:
    """What tells that a letter is this form, and which; nobody sees or changes it."""
    return _widget(VERSION_FIELD, VERSION, (0, 0, 0, 0), FT=Name.Tx, Ff=READ_ONLY, F=HIDDEN)


def _widget(name: str, value: str, place: tuple[float, float, float, float], **more: Any) -> Dictionary:
    facts = {**more, **({"V": String(value)} if value else {})}
    return Dictionary(Type=Name.Annot, Subtype=Name.Widget, T=String(name), Rect=Array(list(place)), **facts)


def _acroform(widgets: Sequence[Object], *, are_drawn: bool) -> Dictionary:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    return Dictionary(
        Fields=Array(widgets), DA=LOOK, DR=Dictionary(Font=Dictionary(Helv=font)), NeedAppearances=not are_drawn
    )
