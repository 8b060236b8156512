"""Tickets: the public events, and the models that cross the gateway."""

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticKnownError

from shared.contracts.envelope import Contract, SequencedEvent
from shared.contracts.letters import LetterFault
from shared.contracts.requests import FIRST_LABEL, RequestType


class Status(StrEnum):
    """Where a ticket stands."""

    RECEIVED = "received"
    IN_REVIEW = "in-review"
    ACTION_NEEDED = "action-needed"
    ON_HOLD = "on-hold"
    APPROVED = "approved"
    RESOLVED = "resolved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The words a person reads: ``In review``."""
        return self.value.replace("-", " ").capitalize()

    @property
    def is_open(self) -> bool:
        """Open tickets are in the producer's list; the others are history."""
        return self not in {Status.RESOLVED, Status.REJECTED, Status.WITHDRAWN}


class StaffReason(StrEnum):
    """Why staff moved a ticket, as a code that may be public."""

    LETTERHEAD_MISSING = "letterhead-missing"
    SIGNATURE_MISSING = "signature-missing"
    SIGNER_NOT_AUTHORIZED = "signer-not-authorized"
    DETAILS_DO_NOT_MATCH = "details-do-not-match"
    LETTER_OUTDATED = "letter-outdated"
    PRODUCER_NOT_APPOINTED = "producer-not-appointed"
    UNDER_65_HOLD = "under-65-hold"
    WAITING_FOR_CARRIER = "waiting-for-carrier"
    INFORMATION_MISSING = "information-missing"
    IDENTITY_NOT_VERIFIED = "identity-not-verified"
    NOT_JUSTIFIED = "not-justified"
    DUPLICATE_REQUEST = "duplicate-request"
    WITHDRAWN_BY_PRODUCER = "withdrawn-by-producer"
    OTHER = "other"

    @property
    def sentence(self) -> str:
        """What a producer reads, unless staff has written something else."""
        return {
            "letterhead-missing": "The letter is not on the group's letterhead.",
            "signature-missing": "The letter is not signed and dated.",
            "signer-not-authorized": "The signer is not authorized to make this change.",
            "details-do-not-match": "The letter and the request do not match.",
            "letter-outdated": "The letter was signed too long ago.",
            "producer-not-appointed": "The new producer is not appointed for this line of business.",
            "under-65-hold": "There is a hold on under 65 Producer of Record transfers.",
            "waiting-for-carrier": "We are waiting for another department.",
            "information-missing": "We need more information.",
            "identity-not-verified": "We could not verify who sent the request.",
            "not-justified": "We found no basis for this request.",
            "duplicate-request": "This was already requested in another ticket.",
            "withdrawn-by-producer": "You asked to withdraw this request.",
            "other": "Please see the comment on the ticket.",
        }[self.value]


class Act(StrEnum):
    """What staff does among itself; no producer hears of it."""

    CLAIMED = "claimed"
    RELEASED = "released"
    REASSIGNED = "reassigned"
    NOTED = "noted"


def _as_one_enum(value: Any, read: ValidatorFunctionWrapHandler) -> LetterFault | StaffReason:
    """Two enums to the code, one to who misspells a code: one error, at the field itself."""
    try:
        reason: LetterFault | StaffReason = read(value)
    except ValidationError as error:
        allowed = ", ".join(f"'{code.value}'" for code in (*StaffReason, *LetterFault))
        raise PydanticKnownError("enum", {"expected": allowed}) from error
    return reason


_ABOUT_LETTER = frozenset(
    {
        StaffReason.LETTERHEAD_MISSING,
        StaffReason.SIGNATURE_MISSING,
        StaffReason.SIGNER_NOT_AUTHORIZED,
        StaffReason.DETAILS_DO_NOT_MATCH,
        StaffReason.LETTER_OUTDATED,
    }
)


def is_about_letter(reason: LetterFault | StaffReason) -> bool:
    """Whether a reason finds fault with a letter, so that another letter is the answer to it."""
    return isinstance(reason, LetterFault) or reason in _ABOUT_LETTER


ReasonCode = Annotated[LetterFault | StaffReason, WrapValidator(_as_one_enum)]
TicketNumber = Annotated[
    str,
    StringConstraints(pattern=r"^SR-[0-9]{8}-[0-9]$"),
    Field(examples=["SR-00000001-3"]),
]


class TicketFacts(Contract):
    """What every public ticket event says: ids, codes and status, never personal data."""

    ticket_number: TicketNumber
    request_id: UUID
    request_type: RequestType
    request_type_label: str = FIRST_LABEL
    producer_id: str
    status: Status
    reason: ReasonCode | None = None
    has_message: bool | None = Field(default=None, description="Whether staff wrote to the producer; never the words.")


class StatusChange(TicketFacts):
    """A move from one status to another."""

    previous_status: Status


class LetterAddition(TicketFacts):
    """A further letter was taken to the ticket."""

    letter_id: str


class StaffAct(TicketFacts):
    """An act of staff by which nothing changes for the producer: neither who did it nor for whom is said."""

    act: Act


class TicketOpened(SequencedEvent):
    """A ticket has its number; a refused letter opens it in *Action needed*."""

    type: Literal["por.ticket.opened.v1"] = "por.ticket.opened.v1"
    data: TicketFacts


class TicketStatusChanged(SequencedEvent):
    """A ticket moved to another status."""

    type: Literal["por.ticket.status-changed.v1"] = "por.ticket.status-changed.v1"
    data: StatusChange


class TicketLetterAdded(SequencedEvent):
    """A producer's further letter is on the ticket."""

    type: Literal["por.ticket.letter-added.v1"] = "por.ticket.letter-added.v1"
    data: LetterAddition


class TicketMessageAdded(SequencedEvent):
    """Staff wrote to the producer; the words are on the ticket and in his mail."""

    type: Literal["por.ticket.message-added.v1"] = "por.ticket.message-added.v1"
    data: TicketFacts


class TicketWorked(SequencedEvent):
    """Staff did something among itself."""

    type: Literal["por.ticket.worked.v1"] = "por.ticket.worked.v1"
    data: StaffAct


TicketEvent = Annotated[
    TicketOpened | TicketStatusChanged | TicketLetterAdded | TicketMessageAdded | TicketWorked,
    Field(discriminator="type"),
]
