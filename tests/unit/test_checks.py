"""The verdict on a letter, from its bytes alone."""

import hashlib
import warnings
import zlib

import pytest

from services.documents.checks import judge
from services.documents.verdict import Verdict
from shared.contracts.letters import LetterFault
from tests.builders import encrypted_pdf, pages, pdf, picture


def verdict(data: bytes, max_pages: int = 50) -> Verdict:
    """The verdict on bytes that came back as they were sent."""
    return judge(data, hashlib.sha256(data).hexdigest(), max_pages)


def test_a_letter_is_a_letter() -> None:
    """The sample letter is taken, with its one page."""
    assert verdict(pdf()) == Verdict("application/pdf", 1)


@pytest.mark.parametrize("password", ["", "secret"])
def test_an_encrypted_letter_is_refused(password: str) -> None:
    """A protected PDF is refused, also where everybody can open it with the empty password."""
    assert verdict(encrypted_pdf(password)).fault is LetterFault.ENCRYPTED


def test_other_bytes_than_were_sent_are_damaged() -> None:
    """A letter whose hash differs is damaged, though it opens."""
    assert judge(pdf(), "0" * 64, 50).fault is LetterFault.DAMAGED


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\n" + b"\x00" * 2000, b"%PDF-1.7\ntrailer <</Root 1 0 R>>"])
def test_a_pdf_that_does_not_open_is_unreadable(data: bytes) -> None:
    """What only begins like a PDF is unreadable."""
    assert verdict(data).fault is LetterFault.UNREADABLE


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_picture_cut_off_is_unreadable(kind: str) -> None:
    """A picture that ends in its header is unreadable."""
    assert verdict(picture(kind)[:24]).fault is LetterFault.UNREADABLE


def test_a_picture_with_a_flipped_bit_is_unreadable() -> None:
    """A PNG whose checksum does not fit is unreadable."""
    data = bytearray(picture("PNG"))
    data[-14] ^= 1
    assert verdict(bytes(data)).fault is LetterFault.UNREADABLE


@pytest.mark.parametrize(
    ("side", "fault"), [(9_000, None), (12_000, LetterFault.TOO_COMPLEX), (60_000, LetterFault.TOO_COMPLEX)]
)
def test_a_picture_of_absurd_size_is_too_much(side: int, fault: LetterFault | None) -> None:
    """A small file that would unfold to a huge picture is refused, whatever the process does with warnings."""
    data = bytearray(picture("PNG"))
    data[16:24] = side.to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert verdict(bytes(data)).fault is fault


def test_a_letter_without_pages_is_empty() -> None:
    """A PDF with no page is empty."""
    assert verdict(pages(0)) == Verdict("application/pdf", 0, LetterFault.EMPTY)


@pytest.mark.parametrize(("count", "fault"), [(3, None), (4, LetterFault.TOO_MANY_PAGES)])
def test_pages_are_bounded(count: int, fault: LetterFault | None) -> None:
    """As many pages as allowed are taken, one more is not; of a TIFF too, whose pages are not counted to their end."""
    assert verdict(pages(count), 3) == Verdict("application/pdf", count, fault)
    assert verdict(picture("TIFF", count), 3) == Verdict("image/tiff", None if fault else count, fault)


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("TIFF", "image/tiff")])
def test_pictures_are_letters(kind: str, media_type: str) -> None:
    """A scan as PNG, JPEG or TIFF is a letter of one page."""
    assert verdict(picture(kind)) == Verdict(media_type, 1)


@pytest.mark.parametrize("data", [b"Dear desk, please change it.\n", b"GIF89a\x01\x00\x01\x00", b"PK\x03\x04"])
def test_other_files_are_the_wrong_type(data: bytes) -> None:
    """Text and other files are no letters."""
    assert verdict(data).fault is LetterFault.WRONG_TYPE


@pytest.mark.parametrize("fault", list(LetterFault))
def test_every_fault_is_a_sentence(fault: LetterFault) -> None:
    """A producer reads a sentence for each fault, not its code."""
    assert fault.sentence.endswith(".")
    assert fault.value not in fault.sentence
