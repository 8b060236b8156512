"""What a producer asks for, and the events that carry it through the pipeline."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from shared.contracts.envelope import Contract, Event
from shared.contracts.messages import Words

RequestType = Annotated[str, Field(description="A request type from the catalogue.", examples=["group-por-change"])]

# Before there was a catalogue there was this one type: what was kept or sent then does not say its label.
FIRST_LABEL = "Group Producer of Record Change"

FormValue: TypeAlias = str | bool | tuple[dict[str, str], ...]


def _filled_in(form: object) -> object:
    return {name: value for name, value in form.items() if value is not None} if isinstance(form, dict) else form


# What is not filled in is not there; before the catalogue it was null.
Form = Annotated[dict[str, FormValue], BeforeValidator(_filled_in)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Producer(Contract):
    """The producer who asks, as the access token names him."""

    producer_id: str
    name: str
    email: str


class Letter(Contract):
    """A reference to an uploaded letter; the bytes stay in the object store."""

    sha256: Sha256
    filename: str = Field(max_length=255)
    media_type: str = Field(description="Detected from the content, not from the name.")
    size: int = Field(gt=0, description="Bytes.")
    private: bool = Field(default=False, description="Only staff who may read private fields can read it.")


class Notice(Contract):
    """What a hold had to say of a request when it was accepted."""

    text: str
    parks: str | None = Field(default=None, description="The ticket opens On hold, for this staff reason.")


class Submission(Contract):
    """One accepted request: what ``request.json`` beside the letter says too."""

    request_id: UUID
    request_type: RequestType
    request_type_label: str = FIRST_LABEL
    producer: Producer
    form: Form = Field(description="The catalogue's fields as they were filled in; private ones masked.")
    letters: tuple[Letter, ...]
    notices: tuple[Notice, ...] = ()
    fingerprint: Sha256 = Field(description="A keyed hash of form and letters: tells a reused key from a retry.")
    received_at: datetime


class LetterReply(Contract):
    """A further letter for a ticket that is open."""

    request_id: UUID
    reply_id: UUID
    producer_id: str
    letters: tuple[Letter, ...]
    comment: Words | None = Field(default=None, description="The producer's comment.")
    received_at: datetime


class RequestSubmitted(Event):
    """A producer's request was accepted and its letters are durable."""

    # v1 had the one form there was before the catalogue: it is read still, for there may be some parked.
    type: Literal["por.request.submitted.v2", "por.request.submitted.v1"] = "por.request.submitted.v2"
    data: Submission


class Address(Contract):
    """Whom to write to about a request."""

    request_id: UUID
    producer: Producer


class AddressGiven(Event):
    """A request gets a ticket; internal, for the ticket's public events name nobody."""

    type: Literal["por.address.given.v1"] = "por.address.given.v1"
    data: Address


class LetterSubmitted(Event):
    """A producer sent a further letter for an open ticket."""

    type: Literal["por.letter.submitted.v1"] = "por.letter.submitted.v1"
    data: LetterReply
