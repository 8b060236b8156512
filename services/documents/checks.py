"""The verdict on a letter: pure rules over its bytes."""

import hashlib

import pikepdf

from services.documents.pdfs import read_pdf
from services.documents.pictures import picture_pages
from services.documents.polyglots import check_no_archive
from services.documents.verdict import Refused, Verdict
from shared.contracts.letters import LetterFault
from shared.contracts.media import LETTER_TYPES, PDF, media_type_of
from shared.contracts.transfer_forms import FilledForm


def judge(data: bytes, sha256: str, max_pages: int) -> Verdict:
    """Judge the bytes read back: right hash, real type, one letter and nothing else, opens, pages in bounds.

    Raises:
        MemoryError: it asks for more than there is; whoever limited the memory knows what that means.
    """
    media_type = media_type_of(data)
    try:
        pages, form = _contents(data, sha256, media_type, max_pages)
        return Verdict(media_type, pages, form=form)
    except Refused as refused:
        return Verdict(media_type, refused.pages, refused.fault)


def _contents(data: bytes, sha256: str, media_type: str, max_pages: int) -> tuple[int, FilledForm | None]:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Refused(LetterFault.DAMAGED)
    if media_type not in LETTER_TYPES:
        raise Refused(LetterFault.WRONG_TYPE)
    try:
        check_no_archive(data)
        pages, form = read_pdf(data) if media_type == PDF else (picture_pages(data, media_type, max_pages), None)
    except (Refused, MemoryError):
        raise
    except pikepdf.PasswordError as error:
        raise Refused(LetterFault.ENCRYPTED) from error
    # Hostile files make the parsers raise nearly anything; each of it means: cannot be opened.
    except Exception as error:
        raise Refused(LetterFault.UNREADABLE) from error
    if pages == 0:
        raise Refused(LetterFault.EMPTY, pages)
    if pages > max_pages:
        raise Refused(LetterFault.TOO_MANY_PAGES, pages)
    return pages, form
