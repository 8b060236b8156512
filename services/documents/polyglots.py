"""Files that are two things at once: a letter to us, something else to whoever opens it. Pure rules over bytes."""

import io
import zipfile

from services.documents.verdict import Refused
from shared.contracts.letters import LetterFault

_PADDING = b"\0 \t\r\n\f\x1a"
# A comment or the rest of a line; no other file fits into it.
_TOLERATED = 16


def check_tail(data: bytes, end: int) -> None:
    """Refuse what goes on after the letter's own end, but for padding.

    Raises:
        Refused: something else follows.
    """
    if len(data[end:].strip(_PADDING)) > _TOLERATED:
        raise Refused(LetterFault.MIXED)


def check_no_archive(data: bytes) -> None:
    """Refuse what is a ZIP, and so perhaps a program, too: its list of contents may lie anywhere near the end.

    Raises:
        Refused: there is something in it.
    """
    if not zipfile.is_zipfile(io.BytesIO(data)):  # by four bytes, which may be there by chance
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            contents = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return
    if contents:
        raise Refused(LetterFault.MIXED)
