"""One letter as it arrives: hashed, counted and kept aside until all of it is there."""

import hashlib
from functools import cached_property
from typing import IO

from shared.contracts.media import HEAD_BYTES, media_type_of
from shared.contracts.requests import Letter

MAX_NAME = 255


class SpooledLetter:
    """One file part: hashed and counted while it is spooled."""

    def __init__(self, part: str, filename: str, spool: IO[bytes]) -> None:
        self.part, self.filename, self.spool = part, _safe_name(filename), spool
        self.size, self._digest, self._head = 0, hashlib.sha256(), b""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        self._digest.update(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        self.spool.write(data)

    @cached_property
    def media_type(self) -> str:
        """What the bytes say they are; asked when all have arrived."""
        return media_type_of(self._head)

    @cached_property
    def sha256(self) -> str:
        """The hash of the bytes; asked when all have arrived."""
        return self._digest.hexdigest()

    @cached_property
    def letter(self) -> Letter:
        """The reference that travels; only for a file that passed :func:`attachments.faults`."""
        return Letter(
            sha256=self.sha256,
            filename=self.filename,
            media_type=self.media_type,
            size=self.size,
        )


def _safe_name(filename: str) -> str:
    """The producer's name for the file, without path and characters that deceive."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in name if char.isprintable())[:MAX_NAME]
