"""Reads a multipart form as it arrives: fields bounded, files hashed, counted and spooled."""

import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from functools import cached_property
from http import HTTPStatus
from typing import IO

import filetype
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.contracts.media import LETTER_TYPES
from shared.contracts.problems import FieldProblem
from shared.contracts.requests import Letter
from shared.runtime.problems import Problem

MAX_FIELDS = 30
MAX_FIELD_BYTES = 8 * 1024
SPOOL_BYTES = 1024 * 1024  # beyond it a letter lies on disk, not in memory
HEAD_BYTES = 8192
MAX_NAME = 255


class SpooledLetter:
    """One file part: hashed and counted while it is spooled."""

    def __init__(self, filename: str, spool: IO[bytes]) -> None:
        self.filename, self.spool = _safe_name(filename), spool
        self.size, self._digest, self._head = 0, hashlib.sha256(), b""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        self._digest.update(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        self.spool.write(data)

    @cached_property
    def media_type(self) -> str | None:
        """What the bytes say they are; asked when all have arrived."""
        return filetype.guess_mime(self._head) if self._head else None

    @cached_property
    def letter(self) -> Letter:
        """The reference that travels; only for a file that passed :meth:`Upload.check_letters`."""
        return Letter(
            sha256=self._digest.hexdigest(),
            filename=self.filename,
            media_type=self.media_type or "",
            size=self.size,
        )


class Upload(ExitStack):
    """The parts of one form; leaving the context deletes what was spooled."""

    def __init__(self, letter_part: str, max_letter_bytes: int, max_letters: int) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.letters: list[SpooledLetter] = []
        self._letter_part = letter_part
        self._max_letter_bytes, self._max_letters = max_letter_bytes, max_letters
        self._headers: dict[str, bytes] = {}
        self._header_name = self._header_value = b""
        self._field: tuple[str, bytearray] | None = None
        self._file: SpooledLetter | None = None
        self._finished = False

    async def read(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        """Read the whole body.

        Raises:
            Problem: 400 ill-formed, 413 a letter or field too large, 415 not multipart.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "not-a-form",
                "Send the form as multipart/form-data.",
            )
        parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_part,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )
        try:
            async for chunk in body:
                parser.write(chunk)
            parser.finalize()
        except (MultipartParseError, UnicodeDecodeError) as error:
            raise _ill_formed() from error
        if not self._finished:
            raise _ill_formed()

    def check_letters(self) -> list[FieldProblem]:
        """What is wrong with the letters, other than their size."""
        pointer = f"#/{self._letter_part}"
        if not self.letters:
            return [FieldProblem(pointer=pointer, code="missing", detail="Attach the signed letter.")]
        return [
            FieldProblem(
                pointer=f"{pointer}/{index}",
                code="empty-file" if letter.size == 0 else "wrong-file-type",
                detail=(
                    "The file is empty."
                    if letter.size == 0
                    else "The file is not a PDF, PNG, JPEG or TIFF, whatever its name says."
                ),
            )
            for index, letter in enumerate(self.letters)
            if letter.media_type not in LETTER_TYPES
        ]

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.decode("latin-1").lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_part(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        name = options.get(b"name", b"").decode()
        if b"filename" in options:
            self._begin_file(name, options[b"filename"].decode())
        elif not name or name in self.fields or len(self.fields) >= MAX_FIELDS:
            raise _ill_formed(f"The field {name!r} is unnamed, given twice, or one too many.")
        else:
            self._field = (name, bytearray())

    def _begin_file(self, name: str, filename: str) -> None:
        if name != self._letter_part:
            raise _ill_formed(f"Files go into the part {self._letter_part!r}.")
        if len(self.letters) >= self._max_letters:
            raise _ill_formed(f"At most {self._max_letters} letters can be sent at once.")
        spool = self.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES))  # noqa: SIM115  # entered here
        self._file = SpooledLetter(filename, spool)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._file:
            self._file.write(data[start:end])
            if self._file.size > self._max_letter_bytes:
                raise _too_large(f"A letter may have {self._max_letter_bytes} bytes.")
        elif self._field:
            self._field[1].extend(data[start:end])
            if len(self._field[1]) > MAX_FIELD_BYTES:
                raise _too_large(f"A field may have {MAX_FIELD_BYTES} bytes.")

    def _on_part_end(self) -> None:
        if self._field:
            self.fields[self._field[0]] = self._field[1].decode()
        # A browser sends an empty, nameless file part where nothing was chosen.
        if self._file and (self._file.size or self._file.filename):
            self.letters.append(self._file)
        self._field = self._file = None

    def _on_end(self) -> None:
        self._finished = True


def _safe_name(filename: str) -> str:
    """The producer's name for the file, without path and characters that deceive."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in name if char.isprintable())[:MAX_NAME]


def _ill_formed(
    detail: str = "The form is not well-formed, or it was cut off.",
) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "ill-formed-body", detail)


def _too_large(detail: str) -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)
