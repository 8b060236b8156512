"""The multipart form as it arrives, well-formed or not."""

import errno
import hashlib
import io
import tempfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from starlette.requests import ClientDisconnect

from services.intake.attachments import faults
from services.intake.upload import MAX_FIELD_BYTES, MAX_FIELDS, SPOOL_BYTES, Upload
from shared.runtime.problems import Problem
from tests.builders import pdf

PART, TABLE = "por_documentation", "accounts"
CONTENT_TYPE = "multipart/form-data; boundary=cut"


def part(data: bytes, name: str = PART, filename: bytes | None = b"letter.pdf") -> bytes:
    """One part of a form; without a file name it is a field."""
    file = b'; filename="' + filename + b'"\r\nContent-Type: application/pdf' if filename is not None else b""
    return (
        b'--cut\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + file + b"\r\n\r\n" + data + b"\r\n"
    )


def field(name: str, value: str) -> bytes:
    """One field of a form."""
    return part(value.encode(), name, None)


def body(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + b"--cut--\r\n"


async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    """The data as it may arrive."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data: bytes, size: int = 65536, *, content_type: str = CONTENT_TYPE, limit: int = 1_000_000) -> Upload:
    """What was read from a form, closed again."""
    with Upload({PART}, {TABLE}, limit, 3) as upload:
        await upload.read(content_type, chunks(data, size))
        for letter in filter(lambda each: each.size, upload.letters):
            letter.spool.seek(0)
            assert hashlib.sha256(letter.spool.read()).hexdigest() == letter.letter.sha256
        return upload


async def refused(data: bytes, **how: object) -> Problem:
    """The problem that a form is answered with."""
    with pytest.raises(Problem) as raised:
        await read(data, **how)  # type: ignore[arg-type]
    return raised.value


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 10_000_000])
async def test_a_form_is_read_however_it_is_cut(size: int) -> None:
    """Fields and letters come out the same from chunks of one byte and from one chunk."""
    upload = await read(body(field("account_name", "Müller \r\n--cu"), part(pdf())), size)
    assert upload.fields == {"account_name": "Müller \r\n--cu"}
    [letter] = upload.letters
    assert letter.letter.sha256 == hashlib.sha256(pdf()).hexdigest()
    assert (letter.letter.size, letter.letter.media_type) == (len(pdf()), "application/pdf")
    assert faults(upload, (PART,)) == []


async def test_several_letters_keep_their_order() -> None:
    """Each letter of a form is kept, in the order in which it was sent."""
    upload = await read(body(part(pdf(), filename=b"a.pdf"), part(b"%PDF-2", filename=b"b.pdf")))
    assert [(each.filename, each.size) for each in upload.letters] == [("a.pdf", len(pdf())), ("b.pdf", 6)]


async def test_a_letter_is_measured_by_what_arrives() -> None:
    """A letter of the limit is taken, and the first byte beyond ends the reading with 413."""
    taken = await read(body(part(b"x" * 1000)), limit=1000)
    assert taken.letters[0].size == 1000
    problem = await refused(body(part(b"x" * 1001)), limit=1000)
    assert (problem.status, problem.body.type.rpartition(":")[2]) == (413, "too-large")


@pytest.mark.parametrize(("limit", "said"), [(2**20, "1 MiB"), (3 * 2**9, "1536 bytes"), (2**11, "2 KiB")])
async def test_a_letter_that_is_too_large_is_told_the_limit_in_its_unit(limit: int, said: str) -> None:
    """The limit is said as people say it, and exactly."""
    problem = await refused(body(part(b"x" * (limit + 1))), limit=limit)
    assert problem.body.detail == f"A letter may be at most {said}."


class NearlyFull(io.RawIOBase):
    """A file on a disk with so much room."""

    def __init__(self, room: int) -> None:
        self._room, self._at = room, 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, at: int, _: int = 0) -> int:
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        fits = min(len(data), self._room - self._at)
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._at += fits
        return fits


LARGE = SPOOL_BYTES + 70_000


@pytest.mark.parametrize("room", [0, SPOOL_BYTES, LARGE - 1])
async def test_without_room_on_the_disk_a_form_is_refused_for_now(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """What cannot be spooled, be it the first or the last byte of a letter, is 503 and closed without another word."""
    opened: list[io.BufferedRandom] = []

    def on_a_full_disk(**_: object) -> io.BufferedRandom:
        opened.append(io.BufferedRandom(NearlyFull(room)))
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", on_a_full_disk)
    with structlog.testing.capture_logs() as lines:
        problem = await refused(body(part(b"x" * LARGE)))
    assert (problem.status, problem.body.type.rpartition(":")[2]) == (503, "unavailable")
    assert "Retry-After" in problem.headers
    assert [(line["event"], line["reason"]) for line in lines] == [("upload not spooled", "ENOSPC")]
    assert [each.closed for each in opened] == [True]


async def test_reading_ends_where_a_letter_is_too_large() -> None:
    """The rest of a letter that is too large is not read."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield part(b"")[:-2]
        while True:
            taken += 1
            yield b"x" * 1000

    with Upload({PART}, {TABLE}, 5000, 3) as upload, pytest.raises(Problem):
        await upload.read(CONTENT_TYPE, endless())
    assert taken == 6


async def test_a_field_is_bounded() -> None:
    """A field of more than a few KiB is 413."""
    problem = await refused(body(field("comments", "x" * (MAX_FIELD_BYTES + 1))))
    assert (problem.status, problem.body.detail) == (413, "This field may be at most 8 KiB.")


@pytest.mark.parametrize("keep", [0, 1, 20, 90, 200, -1, -3, -4, -9])
async def test_a_body_that_was_cut_off_is_ill_formed(keep: int) -> None:
    """A form that ends before its last boundary is 400, wherever it ends."""
    whole = body(field("account_name", "Harbor"), part(pdf())).removesuffix(b"\r\n")
    problem = await refused(whole[:keep])
    assert (problem.status, problem.body.type.rpartition(":")[2]) == (400, "ill-formed-body")


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=cut"]
)
async def test_another_content_type_is_refused(content_type: str) -> None:
    """Only multipart/form-data with a boundary is a form: else 415."""
    assert (await refused(body(field("a", "b")), content_type=content_type)).status == 415


@pytest.mark.parametrize(
    "data",
    [
        body(field("a", "1"), field("a", "2")),
        body(field("", "1")),
        body(*(field(f"f{n}", "") for n in range(MAX_FIELDS + 1))),
        body(part(pdf(), name="other")),
        body(*(part(pdf()) for _ in range(4))),
        body(part(b"\xff\xfe", "account_name", None)),
        body(field("x", "").replace(b"x", b"\xff")),
        b"no boundary at all",
    ],
    ids=[
        "twice",
        "unnamed",
        "too-many-fields",
        "file-elsewhere",
        "too-many-letters",
        "no-utf8",
        "name-no-utf8",
        "text",
    ],
)
async def test_a_form_that_is_not_one_is_ill_formed(data: bytes) -> None:
    """What cannot be read as this form is 400 and never an unexpected error."""
    assert (await refused(data)).status == 400


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"../../etc/passwd", "passwd"),
        (b"C:\\\\letters\\\\por.pdf", "por.pdf"),
        (b"po\x00r.pdf", "por.pdf"),
        (b"por.pdf%0D%0AX-Evil: 1", "por.pdf%0D%0AX-Evil: 1"),
        ("fdp.rop\u202egpj.exe".encode(), "fdp.ropgpj.exe"),
        ("Vollmacht Müller.pdf".encode(), "Vollmacht Müller.pdf"),
        (b"Vollmacht M\xfcller.pdf", "Vollmacht Müller.pdf"),
        (b"x" * 400, "x" * 255),
    ],
)
async def test_a_file_name_is_only_a_name(sent: bytes, kept: str) -> None:
    """Paths, NUL, line ends and marks that turn the text around do not survive in a letter's name."""
    upload = await read(body(part(pdf(), filename=sent)))
    assert [each.filename for each in upload.letters] == [kept]


async def test_an_empty_file_is_told_apart_from_none() -> None:
    """An empty file is an error of its own; a file input left empty is a missing letter."""
    empty = await read(body(part(b"")))
    assert [(each.pointer, each.code) for each in faults(empty, (PART,))] == [(f"#/{PART}/0", "empty-file")]
    unchosen = await read(body(part(b"", filename=b"")))
    assert [(each.pointer, each.code) for each in faults(unchosen, (PART,))] == [(f"#/{PART}", "missing")]


async def test_the_bytes_tell_the_type() -> None:
    """A text named .pdf is refused, by its place in the form."""
    upload = await read(body(part(pdf(), filename=b"a.txt"), part(b"Dear desk,", filename=b"letter.pdf")))
    assert [(each.pointer, each.code) for each in faults(upload, (PART,))] == [(f"#/{PART}/1", "wrong-file-type")]


async def test_what_was_spooled_is_gone_afterwards() -> None:
    """Leaving the upload closes and so deletes every spooled letter."""
    upload = await read(body(part(pdf())))
    assert all(each.spool.closed for each in upload.letters)


async def test_the_same_file_twice_is_told() -> None:
    """Of two files with the same bytes one would vanish under its name: the second is named, whatever it is called."""
    upload = await read(body(part(pdf(), filename=b"a.pdf"), part(b"%PDF-2"), part(pdf(), filename=b"b.pdf")))
    assert [(each.pointer, each.code) for each in faults(upload, (PART,))] == [(f"#/{PART}/2", "duplicate-file")]


async def test_a_letter_that_is_sent_as_text_is_told_apart_from_none() -> None:
    """A field where a file should be is named for what it is."""
    upload = await read(body(field(PART, "letter.pdf")))
    assert [(each.pointer, each.code) for each in faults(upload, (PART,))] == [(f"#/{PART}", "not-a-file")]


async def test_a_field_that_is_no_text_is_named() -> None:
    """Bytes where text should be are refused with the name of the field."""
    assert PART in (await refused(body(part(pdf()[:20] + b"\xff", filename=None)))).body.detail


async def test_a_boundary_that_is_too_long_is_ill_formed() -> None:
    """A boundary beyond what the parser takes is 400."""
    assert (await refused(b"", content_type=f"multipart/form-data; boundary={'x' * 300}")).status == 400


async def test_empty_file_parts_are_counted_too() -> None:
    """File parts that are not kept, for they have no name and no bytes, are as many as letters may be."""
    assert (await refused(body(*(part(b"", filename=b"") for _ in range(4))))).status == 400


async def test_a_caller_who_goes_away_is_no_unexpected_error() -> None:
    """An upload that ends because the connection does is a form that was cut off."""

    async def leaving() -> AsyncIterator[bytes]:
        yield part(b"")[:-2]
        raise ClientDisconnect

    with Upload({PART}, {TABLE}, 5000, 3) as upload, pytest.raises(Problem) as left:
        await upload.read(CONTENT_TYPE, leaving())
    assert left.value.status == 400
