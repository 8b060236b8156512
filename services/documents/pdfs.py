"""What a PDF may hold to be a letter: pages, and nothing that acts by itself. Pure rules over all its objects.

The parser has undone by then what hides things from a search: object streams, and names such as ``/J#61vaScript``.
"""

import io
import re
from collections.abc import Iterable
from itertools import takewhile
from typing import Any

import pikepdf

from services.documents.polyglots import check_tail
from services.documents.transfer_form import read_form
from services.documents.verdict import MAX_PIXELS, Refused
from shared.contracts.letters import LetterFault
from shared.contracts.transfer_forms import FilledForm

MAX_OBJECTS = 50_000
MAX_VALUES = 250_000  # lists and dictionaries, of all objects together
MAX_SIDE = 14_400  # points: 200 inches, the most that a reader must take

# An action or annotation of such a kind runs, sends, plays, or opens another file.
_RUNS_OR_SENDS = frozenset({"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE"})
_PLAYS = frozenset(
    {"/Rendition", "/RichMediaExecute", "/GoTo3DView", "/Movie", "/Sound", "/RichMedia", "/3D", "/Screen"}
)
_ACTS = _RUNS_OR_SENDS | _PLAYS
_ATTACHES = frozenset({"/EmbeddedFile", "/FileAttachment"})
_ACTING_KEYS = frozenset({"/JS", "/JavaScript", "/XFA", "/RichMediaContent"})
_ATTACHING_KEYS = frozenset({"/EF", "/EmbeddedFiles", "/Collection"})
# An address that is no page or mailbox: a click would run it, or open a file and tell who opens it.
_BAD_ADDRESS = re.compile(r"\s*(javascript|vbscript|data|file|smb):|\s*[\\/]{2}", re.IGNORECASE)
_KIND_KEYS = frozenset({"/S", "/Subtype", "/Type"})
# What may happen without a click: the view moves.
_HARMLESS = frozenset({"/GoTo", "/Named"})
_UNFOLDING = frozenset({"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/Fl", "/LZW", "/RL"})
_PLAIN = _UNFOLDING | {"/ASCII85Decode", "/ASCIIHexDecode", "/A85", "/AHx"}

_GUESSED = re.compile(r"\(object \d+[ ,]\d+")
_TOO_MUCH = "bad_alloc"  # the parser's word for a MemoryError


def read_pdf(data: bytes) -> tuple[int, FilledForm | None]:
    """The number of pages, and what it says where it is the desk's own form.

    Raises:
        Refused: it is broken off, encrypted, or holds more than pages.
        MemoryError: it unfolds to more than there is.
        Exception: nearly anything, where it cannot be parsed.
    """
    _check_ends(data)
    # Not mended: of a file that is cut off a part would open, and each reader mends in a way of its own.
    with pikepdf.open(io.BytesIO(data), attempt_recovery=False) as pdf:
        if pdf.is_encrypted:
            raise Refused(LetterFault.ENCRYPTED)
        _check_objects(pdf)
        pages = len(pdf.pages)
        for page in pdf.pages:
            _check_paper(page)
        form = read_form(pdf)
        _check_read_as_written(pdf)
        return pages, form


def _check_ends(data: bytes) -> None:
    if not data.startswith(b"%PDF-"):
        raise Refused(LetterFault.MIXED)
    end = data.rfind(b"%%EOF")
    if end < 0:
        raise Refused(LetterFault.UNREADABLE)
    check_tail(data, end + 5)


def _check_objects(pdf: pikepdf.Pdf) -> None:
    if len(pdf.objects) > MAX_OBJECTS:
        raise Refused(LetterFault.TOO_COMPLEX)
    values = 0
    # What is within an object and an object itself comes by itself: a loop is always through such a one.
    stack: list[Any] = [pdf.trailer, *pdf.objects]
    while stack:
        value = stack.pop()
        values += 1
        if values > MAX_VALUES:
            raise Refused(LetterFault.TOO_COMPLEX)
        if isinstance(value, pikepdf.Array):
            stack.extend(_within(value))
        elif isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
            entries = dict(value.items())
            _check_entries(entries)
            if isinstance(value, pikepdf.Stream):
                _check_stream(value, entries)
            stack.extend(_within(entries.values()))


def _within(values: Iterable[Any]) -> Iterable[Any]:
    return (each for each in values if isinstance(each, pikepdf.Array | pikepdf.Dictionary) and not each.is_indirect)


def _check_entries(entries: dict[str, Any]) -> None:
    names = entries.keys()
    kinds = {str(entries[key]) for key in _KIND_KEYS & names if isinstance(entries[key], pikepdf.Name)}
    if kinds & _ATTACHES or names & _ATTACHING_KEYS:
        raise Refused(LetterFault.ATTACHMENT)
    acts = kinds & _ACTS or names & _ACTING_KEYS or not all(map(_is_harmless, _automatic(entries)))
    if acts or _BAD_ADDRESS.match(str(entries.get("/URI", ""))):
        raise Refused(LetterFault.ACTIVE)


def _automatic(entries: dict[str, Any]) -> Iterable[Any]:
    """The actions that a reader takes without being asked."""
    if "/OpenAction" in entries:
        yield entries["/OpenAction"]
    more = entries.get("/AA")
    if isinstance(more, pikepdf.Dictionary):
        yield from (each for _, each in more.items() if isinstance(each, pikepdf.Dictionary) and "/S" in each)


def _is_harmless(action: Any) -> bool:
    """Whether it only moves the view; scanners write such a one to open the first page in full."""
    if not isinstance(action, pikepdf.Dictionary):
        return True
    return "/Next" not in action and str(action.get("/S", "/GoTo")) in _HARMLESS


def _check_stream(stream: pikepdf.Stream, entries: dict[str, Any]) -> None:
    if "/F" in entries:  # its bytes are in another file, wherever that is
        raise Refused(LetterFault.ATTACHMENT)
    if _number(entries.get("/Width")) * _number(entries.get("/Height")) > MAX_PIXELS:
        raise Refused(LetterFault.TOO_COMPLEX)
    filters = entries.get("/Filter")
    names = [str(each) for each in (filters if isinstance(filters, pikepdf.Array) else [filters])]
    # Of a picture only what it is wrapped in is unpacked, not its pixels.
    plain = list(takewhile(_PLAIN.__contains__, names))
    if not _UNFOLDING.intersection(plain):
        return
    if len(plain) < len(names):
        stream.Filter = pikepdf.Array(map(pikepdf.Name, plain))
        if isinstance(parameters := entries.get("/DecodeParms"), pikepdf.Array):
            stream.DecodeParms = pikepdf.Array(list(parameters)[: len(plain)])
    try:
        stream.read_bytes()
    except pikepdf.PdfError as error:
        # What is corrupt is let pass: readers show a gap, as they did where it was written.
        if _TOO_MUCH in str(error):
            raise MemoryError from error


def _check_paper(page: pikepdf.Page) -> None:
    left, bottom, right, top = map(_number, page.mediabox)
    scale = max(_number(page.obj.get("/UserUnit", 1)), 1)
    if max(abs(right - left), abs(top - bottom)) * scale > MAX_SIDE:
        raise Refused(LetterFault.TOO_COMPLEX)


def _number(value: Any) -> float:
    return float(value) if value is not None else 0.0


def _check_read_as_written(pdf: pikepdf.Pdf) -> None:
    """Refuse what the parser had to guess at: another reader guesses otherwise, and shows what was not judged."""
    warnings = [str(each) for each in pdf.get_warnings()]
    if any(_TOO_MUCH in each for each in warnings):
        raise MemoryError
    if any(map(_GUESSED.search, warnings)):
        raise Refused(LetterFault.UNREADABLE)
