"""The file types a letter may have, as the bytes tell them."""

import filetype

PDF = "application/pdf"
EXTENSIONS = {PDF: "pdf", "image/png": "png", "image/jpeg": "jpg", "image/tiff": "tiff"}
LETTER_TYPES = frozenset(EXTENSIONS)
HEAD_BYTES = 8192


def media_type_of(data: bytes) -> str:
    """What the first bytes say that a file is; no more than ``HEAD_BYTES`` of them are looked at."""
    return filetype.guess_mime(data[:HEAD_BYTES]) or "application/octet-stream"
