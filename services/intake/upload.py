"""Reads a multipart form as it arrives: fields bounded, files hashed, counted and spooled."""

import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import ExitStack, suppress
from errno import errorcode
from http import HTTPStatus
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from services.intake.spool import SpooledLetter
from services.intake.tables import MAX_TABLE_BYTES
from shared.runtime.logs import log
from shared.runtime.problems import Problem, too_large, unavailable

MAX_FIELDS = 30
MAX_FIELD_BYTES = 8 * 1024
SPOOL_BYTES = 256 * 1024  # beyond it a letter lies on disk, not in memory


class Upload(ExitStack):
    """The parts of one form; leaving the context deletes what was spooled."""

    def __init__(
        self, parts: Collection[str], tables: Collection[str], max_letter_bytes: int, max_letters: int
    ) -> None:
        """``parts`` are files, and ``tables`` fields that may be sent as files too."""
        super().__init__()
        self.fields: dict[str, str] = {}
        self.letters: list[SpooledLetter] = []
        self._parts, self._tables = parts, tables
        self._max_letter_bytes, self._max_letters = max_letter_bytes, max_letters
        self._headers: dict[str, bytes] = {}
        self._header_name = self._header_value = b""
        self._field: tuple[str, bytearray] | None = None
        self._file: SpooledLetter | None = None
        self._files = 0
        self._finished = False

    async def read(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        """Read the whole body.

        Raises:
            Problem: 400 ill-formed, 413 a letter or field too large, 415 not multipart, 503 no room for it.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "not-a-form",
                "Send the form as multipart/form-data.",
            )
        try:
            parser = self._parser(options[b"boundary"])
            async for chunk in body:
                parser.write(chunk)
            parser.finalize()
        except (FormParserError, UnicodeDecodeError, ClientDisconnect) as error:
            raise _ill_formed() from error
        except OSError as error:
            log.error("upload not spooled", reason=errorcode.get(error.errno or 0, type(error).__name__))
            raise unavailable("Letters cannot be taken now. Send it again with the same Idempotency-Key.") from error
        if not self._finished:
            raise _ill_formed()

    def _parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
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
        if b"filename" in options and name not in self._tables:
            self._begin_file(name, _file_name(options[b"filename"]))
        elif not name or name in self.fields or len(self.fields) >= MAX_FIELDS:
            raise _ill_formed(f"Field {name!r} is unnamed, repeated, or one too many.")
        else:
            self._field = (name, bytearray())

    def _begin_file(self, name: str, filename: str) -> None:
        if name not in self._parts:
            raise _ill_formed(f"Field {name!r} does not take files; use: {', '.join(sorted(self._parts))}.")
        # Counted when they begin: a browser's empty, nameless ones are not kept, but there may be thousands of them.
        self._files += 1
        if self._files > self._max_letters:
            raise _ill_formed(f"At most {self._max_letters} letters can be sent at once.")
        spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  # closed with the form
        self.callback(_discard, spool)
        self._file = SpooledLetter(name, filename, spool)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._file:
            self._file.write(data[start:end])
            if self._file.size > self._max_letter_bytes:
                raise too_large(f"A letter may be at most {_in_units(self._max_letter_bytes)}.")
        elif self._field:
            name, value = self._field
            value.extend(data[start:end])
            most = MAX_TABLE_BYTES if name in self._tables else MAX_FIELD_BYTES
            if len(value) > most:
                raise too_large(f"This field may be at most {_in_units(most)}.")

    def _on_part_end(self) -> None:
        if self._field:
            name, value = self._field
            try:
                self.fields[name] = value.decode()
            except UnicodeDecodeError as error:
                detail = f"Field {name!r} is not UTF-8 text; send a file as a part with a filename."
                raise _ill_formed(detail) from error
        if self._file:
            self._file.spool.flush()  # that there is no room for the last of it shows here, or else when it is closed
        # A browser sends an empty, nameless file part where nothing was chosen.
        if self._file and (self._file.size or self._file.filename):
            self.letters.append(self._file)
        self._field = self._file = None

    def _on_end(self) -> None:
        self._finished = True


def _in_units(size: int) -> str:
    """A number of bytes in the largest unit that it fills to the last byte."""
    for unit, length in (("MiB", 2**20), ("KiB", 2**10)):
        if size % length == 0:
            return f"{size // length} {unit}"
    return f"{size} bytes"


def _discard(spool: IO[bytes]) -> None:
    # What could not be written for want of room is tried once more when it is closed; by then nobody needs it.
    with suppress(OSError):
        spool.close()


def _file_name(value: bytes) -> str:
    """The name as the header holds it: UTF-8, or from old clients Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _ill_formed(
    detail: str = "The form is malformed or incomplete.",
) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "ill-formed-body", detail)
