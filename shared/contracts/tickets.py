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
    DUPLICATE_REQUEST = "duplicate-request"
    WITHDRAWN_BY_PRODUCER = "withdrawn-by-producer"
    OTHER = "other"


def _as_one_enum(value: Any, read: ValidatorFunctionWrapHandler) -> LetterFault | StaffReason:
    """Two enums to the code, one to who misspells a code: one error, at the field itself."""
    try:
        reason: LetterFault | StaffReason = read(value)
    except ValidationError as error:
        allowed = ", ".join(f"'{code.value}'" for code in (*StaffReason, *LetterFault))
        raise PydanticKnownError("enum", {"expected": allowed}) from error
    return reason


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


class StatusChange(TicketFacts):
    """A move from one status to another."""

    previous_status: Status


class LetterAddition(TicketFacts):
    """A further letter was taken to the ticket."""

    letter_id: str


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


TicketEvent = Annotated[TicketOpened | TicketStatusChanged | TicketLetterAdded, Field(discriminator="type")]
