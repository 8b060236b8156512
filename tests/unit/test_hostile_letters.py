"""What an attacker sends is refused for what it is; what people send is not."""

import hashlib
from collections.abc import Callable

import pytest

from services.documents.checks import judge
from services.documents.verdict import Verdict
from shared.contracts.letters import LetterFault
from tests.fixtures import hostile

CASES = {
    LetterFault.ACTIVE: hostile.ACTIVE,
    LetterFault.ATTACHMENT: hostile.ATTACHMENT,
    LetterFault.MIXED: hostile.MIXED,
    LetterFault.UNREADABLE: hostile.UNREADABLE,
    LetterFault.TOO_COMPLEX: hostile.TOO_COMPLEX,
}


def verdict(data: bytes, max_pages: int = 50) -> Verdict:
    """The verdict on bytes that came back as they were sent."""
    return judge(data, hashlib.sha256(data).hexdigest(), max_pages)


@pytest.mark.parametrize(
    ("make", "fault"),
    [pytest.param(make, fault, id=name) for fault, cases in CASES.items() for name, make in cases.items()],
)
def test_a_hostile_letter_is_refused_for_what_it_is(make: Callable[[], bytes], fault: LetterFault) -> None:
    """Scripts, files within, polyglots, broken and oversized files each have their own code, however well they hide."""
    assert verdict(make()).fault is fault


@pytest.mark.parametrize("case", hostile.harmless())
def test_an_odd_letter_is_taken(case: str) -> None:
    """Links, signatures, a view that moves on opening, and what scanners and phones leave are no reason to refuse."""
    assert verdict(hostile.harmless()[case]).fault is None


def test_a_scan_whose_pages_follow_each_other_in_a_loop_ends() -> None:
    """Pages in a loop are counted once, or not taken at all, but not for ever."""
    assert verdict(hostile.tiff_loop()).pages in {None, 1}


def test_the_same_bytes_by_chance_make_no_archive() -> None:
    """Four bytes that begin an archive's end are in many a picture: only a list of contents makes an archive."""
    photograph = hostile.changed(hostile.content(b"PK\x05\x06" + bytes(18)))
    assert verdict(photograph) == Verdict("application/pdf", 1)
