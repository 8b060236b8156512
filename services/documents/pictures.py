"""What a picture must be to be a letter: whole, of sane size, and nothing else. Pure rules; no pixel is unpacked."""

import io
import re
import struct
from collections.abc import Iterable

from PIL import Image

from services.documents.polyglots import check_tail
from services.documents.verdict import MAX_PIXELS, Refused
from shared.contracts.letters import LetterFault

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/tiff": "TIFF"}
_TIFF_STRIPS, _TIFF_TILES = (273, 279), (324, 325)  # where the pieces of a page lie, and how long each is

_JPEG_START, _JPEG_END, _JPEG_SCAN = b"\xff\xd8", 0xD9, 0xDA
_JPEG_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a body
# In a scan FF is escaped by 00; restart markers and fill bytes belong to it.
_JPEG_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def picture_pages(data: bytes, media_type: str, max_pages: int) -> int:
    """The number of pages of a PNG, JPEG or TIFF.

    Raises:
        Refused: it is broken off, holds something else, or would unfold to more than a letter.
        Exception: nearly anything, where it is no such picture at all.
    """
    if media_type == "image/png":
        check_tail(data, _png_end(data))
    elif media_type == "image/jpeg":
        check_tail(data, _jpeg_end(data))
    try:
        # One format only: none of Pillow's many other parsers sees a stranger's bytes.
        with Image.open(io.BytesIO(data), formats=[_FORMATS[media_type]]) as image:
            _check_size(image)
            if media_type == "image/tiff":
                return _tiff_pages(image, len(data), max_pages)
            image.verify()
            # A phone's JPEG may have a second one for bright screens, which is no page; an animated PNG has pages.
            return 1 if media_type == "image/jpeg" else int(getattr(image, "n_frames", 1))
    except Image.DecompressionBombError as error:
        raise Refused(LetterFault.TOO_COMPLEX) from error


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise Refused(LetterFault.TOO_COMPLEX)


def _tiff_pages(image: Image.Image, size: int, max_pages: int) -> int:
    """Count the pages, and see that each has its size in bounds and all its pieces in the file."""
    pages = 0
    while True:
        try:
            image.seek(pages)
        except EOFError:
            return pages
        pages += 1
        if pages > max_pages:
            raise Refused(LetterFault.TOO_MANY_PAGES)  # there may be a million more: they are not counted
        _check_size(image)
        pieces = list(_tiff_pieces(image))
        if not pieces or any(start + length > size for start, length in pieces):
            raise Refused(LetterFault.UNREADABLE)


def _tiff_pieces(image: Image.Image) -> Iterable[tuple[int, int]]:
    tags = image.tag_v2  # type: ignore[attr-defined]  # a TIFF's own
    for starts, lengths in (_TIFF_STRIPS, _TIFF_TILES):
        if starts in tags:
            yield from zip(tags[starts], tags[lengths], strict=True)


def _png_end(data: bytes) -> int:
    """Where the last chunk ends."""
    position, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        position += length + 12
    if position > len(data):
        raise Refused(LetterFault.UNREADABLE)
    return position


def _jpeg_end(data: bytes) -> int:
    """Where the picture ends, and those that a phone puts behind it for bright screens."""
    position = _one_jpeg_end(data, 0)
    while data.startswith(_JPEG_START, position):
        position = _one_jpeg_end(data, position)
    return position


def _one_jpeg_end(data: bytes, start: int) -> int:
    position = start + 2
    while True:
        if data[position] != 0xFF:
            raise Refused(LetterFault.UNREADABLE)
        marker = data[position + 1]
        position += 2
        if marker == _JPEG_END:
            return position
        if marker == 0xFF:  # fill
            position -= 1
        elif marker not in _JPEG_ALONE:
            position += struct.unpack_from(">H", data, position)[0]
            if marker == _JPEG_SCAN:
                following = _JPEG_AFTER_SCAN.search(data, position)
                if following is None:
                    raise Refused(LetterFault.UNREADABLE)
                position = following.start()
