"""Which way a ticket may go: the allowed moves as one table, and what each move needs."""

from shared.contracts.letters import LetterFault
from shared.contracts.tickets import ReasonCode, StaffReason, Status

_LEAVE = (Status.REJECTED, Status.WITHDRAWN)

MOVES: dict[Status, tuple[Status, ...]] = {
    Status.RECEIVED: (Status.IN_REVIEW, Status.ACTION_NEEDED, Status.ON_HOLD, *_LEAVE),
    Status.IN_REVIEW: (Status.APPROVED, Status.ACTION_NEEDED, Status.ON_HOLD, *_LEAVE),
    Status.ACTION_NEEDED: (Status.IN_REVIEW, Status.ON_HOLD, *_LEAVE),
    Status.ON_HOLD: (Status.IN_REVIEW, Status.ACTION_NEEDED, *_LEAVE),
    Status.APPROVED: (Status.RESOLVED, Status.IN_REVIEW, Status.ON_HOLD),
    Status.RESOLVED: (),
    Status.REJECTED: (),
    Status.WITHDRAWN: (),
}

# Of these requests two that are open for one account and line contest each other.
CONTESTABLE = "group-por-change"

NEEDS_REASON = frozenset({Status.ACTION_NEEDED, Status.ON_HOLD, *_LEAVE})

# Which reasons staff is offered first; any other may be given too.
MEANT_FOR: dict[ReasonCode, tuple[Status, ...]] = {
    StaffReason.LETTERHEAD_MISSING: (Status.ACTION_NEEDED, Status.REJECTED),
    StaffReason.SIGNATURE_MISSING: (Status.ACTION_NEEDED, Status.REJECTED),
    StaffReason.SIGNER_NOT_AUTHORIZED: (Status.ACTION_NEEDED, Status.REJECTED),
    StaffReason.DETAILS_DO_NOT_MATCH: (Status.ACTION_NEEDED, Status.REJECTED),
    StaffReason.LETTER_OUTDATED: (Status.ACTION_NEEDED, Status.REJECTED),
    StaffReason.PRODUCER_NOT_APPOINTED: (Status.REJECTED, Status.ACTION_NEEDED, Status.ON_HOLD),
    StaffReason.UNDER_65_HOLD: (Status.ON_HOLD, Status.REJECTED),
    StaffReason.WAITING_FOR_CARRIER: (Status.ON_HOLD,),
    StaffReason.INFORMATION_MISSING: (Status.ACTION_NEEDED, Status.REJECTED),
    StaffReason.IDENTITY_NOT_VERIFIED: (Status.ACTION_NEEDED, Status.REJECTED),
    StaffReason.NOT_JUSTIFIED: (Status.REJECTED,),
    StaffReason.DUPLICATE_REQUEST: (Status.REJECTED, Status.WITHDRAWN),
    StaffReason.WITHDRAWN_BY_PRODUCER: (Status.WITHDRAWN,),
    StaffReason.OTHER: (Status.ACTION_NEEDED, Status.ON_HOLD, Status.REJECTED, Status.WITHDRAWN),
    **dict.fromkeys(LetterFault, (Status.ACTION_NEEDED,)),
}


class IllegalMove(Exception):
    """The table has no such move; ``allowed`` are those it has."""

    def __init__(self, allowed: tuple[Status, ...]) -> None:
        super().__init__("illegal move")
        self.allowed = allowed


class ReasonMissing(Exception):
    """This move must say why."""


def check_move(current: Status, target: Status, reason: ReasonCode | None) -> None:
    """Check one move.

    Raises:
        IllegalMove: the table does not have it.
        ReasonMissing: the target status needs a reason.
    """
    if target not in MOVES[current]:
        raise IllegalMove(MOVES[current])
    if target in NEEDS_REASON and reason is None:
        raise ReasonMissing


def opening_status(fault: LetterFault | None, parks: str | None = None) -> Status:
    """A refused letter still opens a ticket, and a hold parks it: nothing that was accepted disappears."""
    if parks:
        return Status.ON_HOLD
    return Status.ACTION_NEEDED if fault else Status.RECEIVED


def answered_status(current: Status, fault: LetterFault | None) -> Status:
    """Where a further letter leads: a ticket that waited for the producer goes back to staff, if the letter is good."""
    return Status.IN_REVIEW if current is Status.ACTION_NEEDED and fault is None else current


def takes_place(fault: LetterFault | None, before: LetterFault | None) -> bool:
    """Whether a letter that was sent again has another verdict than the one by which it was refused.

    *Damaged* is none on the letter's own bytes: after one that is, it may well be an old message that comes again.
    """
    return before not in {None, fault} and fault is not LetterFault.DAMAGED
