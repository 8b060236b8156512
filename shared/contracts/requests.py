"""What a producer asks for, and the events that carry it through the pipeline."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.envelope import Contract, Event


class RequestType(StrEnum):
    """The kinds of request that the desk takes."""

    GROUP_POR_CHANGE = "group-por-change"

    @property
    def label(self) -> str:
        """The words a person reads."""
        return {"group-por-change": "Group Producer of Record Change"}[self.value]


class LineOfBusiness(StrEnum):
    """The lines of business a producer of record may be changed for."""

    GROUP_MEDICAL = "group-medical"
    GROUP_DENTAL = "group-dental"
    GROUP_VISION = "group-vision"
    GROUP_LIFE_DISABILITY = "group-life-disability"
    INDIVIDUAL_UNDER_65 = "individual-under-65"
    MEDICARE = "medicare"


AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class GroupPorChange(Contract):
    """The form of a Group Producer of Record change, as the producer filled it in."""

    line_of_business: LineOfBusiness
    account_number: AccountNumber = Field(description="Six digits; leading zeros count.")
    account_name: Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
    effective_date: date | None = None
    comments: Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)] | None = None


class Producer(Contract):
    """The producer who asks, as the access token names him."""

    producer_id: str
    name: str
    email: str


class Letter(Contract):
    """A reference to an uploaded letter; the bytes stay in the object store."""

    sha256: Sha256
    filename: str = Field(max_length=255)
    media_type: str = Field(description="Told by the bytes, not by the name.")
    size: int = Field(gt=0, description="Bytes.")


class Submission(Contract):
    """One accepted request: what ``request.json`` beside the letter says too."""

    request_id: UUID
    request_type: RequestType
    producer: Producer
    form: GroupPorChange
    letters: tuple[Letter, ...]
    fingerprint: Sha256 = Field(description="Of form and letters: tells a reused key from a retry.")
    received_at: datetime


class LetterReply(Contract):
    """A further letter for a ticket that is open."""

    request_id: UUID
    reply_id: UUID
    producer_id: str
    letters: tuple[Letter, ...]
    received_at: datetime


class RequestSubmitted(Event):
    """A producer's request was accepted and its letters are durable."""

    type: Literal["por.request.submitted.v1"] = "por.request.submitted.v1"
    data: Submission


class LetterSubmitted(Event):
    """A producer sent a further letter for an open ticket."""

    type: Literal["por.letter.submitted.v1"] = "por.letter.submitted.v1"
    data: LetterReply
