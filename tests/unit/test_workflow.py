"""The table of moves, against the words of the desk's own rules."""

import itertools

import pytest

from services.tickets.workflow import MOVES, IllegalMove, ReasonMissing, check_move, opening_status, takes_place
from shared.contracts.letters import LetterFault
from shared.contracts.tickets import StaffReason, Status

RECEIVED, IN_REVIEW, ACTION_NEEDED, ON_HOLD = "received", "in-review", "action-needed", "on-hold"
APPROVED, RESOLVED, REJECTED, WITHDRAWN = "approved", "resolved", "rejected", "withdrawn"
LEGAL = {
    (RECEIVED, IN_REVIEW),
    (RECEIVED, ACTION_NEEDED),
    (RECEIVED, ON_HOLD),
    (RECEIVED, REJECTED),
    (RECEIVED, WITHDRAWN),
    (IN_REVIEW, APPROVED),
    (IN_REVIEW, ACTION_NEEDED),
    (IN_REVIEW, ON_HOLD),
    (IN_REVIEW, REJECTED),
    (IN_REVIEW, WITHDRAWN),
    (ACTION_NEEDED, IN_REVIEW),
    (ACTION_NEEDED, ON_HOLD),
    (ACTION_NEEDED, REJECTED),
    (ACTION_NEEDED, WITHDRAWN),
    (ON_HOLD, IN_REVIEW),
    (ON_HOLD, ACTION_NEEDED),
    (ON_HOLD, REJECTED),
    (ON_HOLD, WITHDRAWN),
    (APPROVED, RESOLVED),
    (APPROVED, IN_REVIEW),
    (APPROVED, ON_HOLD),
}
WITH_REASON = {ACTION_NEEDED, ON_HOLD, REJECTED, WITHDRAWN}
PAIRS = list(itertools.product(Status, Status))


@pytest.mark.parametrize(("current", "target"), PAIRS)
def test_a_move_is_allowed_exactly_where_the_desk_says_so(current: Status, target: Status) -> None:
    """Every pair of statuses is either a legal move or refused with the legal ones named."""
    if (current, target) in LEGAL:
        check_move(current, target, StaffReason.OTHER)
        return
    with pytest.raises(IllegalMove) as refused:
        check_move(current, target, StaffReason.OTHER)
    assert {(current, each) for each in refused.value.allowed} == {pair for pair in LEGAL if pair[0] == current}


@pytest.mark.parametrize(("current", "target"), sorted(LEGAL))
def test_a_move_that_a_producer_must_understand_needs_a_reason(current: str, target: str) -> None:
    """Action needed, On hold, Rejected and Withdrawn must say why; the other moves need not."""
    if target in WITH_REASON:
        with pytest.raises(ReasonMissing):
            check_move(Status(current), Status(target), None)
    else:
        check_move(Status(current), Status(target), None)


def test_closed_is_the_end() -> None:
    """Resolved, Rejected and Withdrawn are closed and lead nowhere; every open status leads somewhere."""
    assert {status for status in Status if not MOVES[status]} == {RESOLVED, REJECTED, WITHDRAWN}
    assert {status for status in Status if not status.is_open} == {RESOLVED, REJECTED, WITHDRAWN}


@pytest.mark.parametrize("fault", list(LetterFault))
def test_a_refused_letter_opens_a_ticket_that_asks_for_action(fault: LetterFault) -> None:
    """Whatever is wrong with the letter, its ticket opens in Action needed; a good one in Received."""
    assert opening_status(fault) is Status.ACTION_NEEDED
    assert opening_status(None) is Status.RECEIVED


@pytest.mark.parametrize("fault", [None, *LetterFault])
def test_a_hold_parks_a_ticket_whatever_its_letter(fault: LetterFault | None) -> None:
    """What a hold parks opens On hold, also where its letter was refused: nothing is done with it before."""
    assert opening_status(fault, "under-65-hold") is Status.ON_HOLD


@pytest.mark.parametrize(("fault", "before"), itertools.product([None, *LetterFault], repeat=2))
def test_a_letter_sent_again_counts_where_its_verdict_is_another(
    fault: LetterFault | None, before: LetterFault | None
) -> None:
    """A refused letter may get any verdict on its own bytes; a good one keeps its own, and damage undoes none."""
    changes = before is not None and fault not in {before, "letter-damaged"}
    assert takes_place(fault, before) is changes
