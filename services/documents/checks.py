"""The verdict on a letter: pure rules over its bytes."""

import hashlib
import io
from dataclasses import dataclass

import filetype
import pikepdf
from PIL import Image

from shared.contracts.letters import LetterFault
from shared.contracts.media import LETTER_TYPES, PDF

MAX_PIXELS = 120_000_000  # A0 at 300 dpi is 140 million; a letter is far below


@dataclass(frozen=True)
class Verdict:
    """What the bytes are; no fault means that they are a letter."""

    media_type: str
    pages: int | None = None
    fault: LetterFault | None = None


def judge(data: bytes, sha256: str, max_pages: int) -> Verdict:  # noqa: PLR0911  # one verdict, one line
    """Judge the bytes read back: right hash, real type, opens, not encrypted, pages in bounds."""
    media_type = filetype.guess_mime(data) or "application/octet-stream"
    if hashlib.sha256(data).hexdigest() != sha256:
        return Verdict(media_type, fault=LetterFault.DAMAGED)
    if media_type not in LETTER_TYPES:
        return Verdict(media_type, fault=LetterFault.WRONG_TYPE)
    try:
        pages = _pdf_pages(data) if media_type == PDF else _image_pages(data)
    except pikepdf.PasswordError:
        return Verdict(media_type, fault=LetterFault.ENCRYPTED)
    # Hostile files make the parsers raise nearly anything; each of it means: cannot be opened.
    except Exception:  # noqa: BLE001
        return Verdict(media_type, fault=LetterFault.UNREADABLE)
    if pages is None:
        return Verdict(media_type, fault=LetterFault.ENCRYPTED)
    if pages == 0:
        return Verdict(media_type, pages, LetterFault.EMPTY)
    if pages > max_pages:
        return Verdict(media_type, pages, LetterFault.TOO_MANY_PAGES)
    return Verdict(media_type, pages)


def _pdf_pages(data: bytes) -> int | None:
    """The number of pages; None where the file is encrypted, even with an empty password."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return None if pdf.is_encrypted else len(pdf.pages)


def _image_pages(data: bytes) -> int:
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        pages = getattr(image, "n_frames", 1)
        image.verify()
        return int(pages)
