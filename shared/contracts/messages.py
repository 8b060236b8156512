"""What the desk writes to a producer: internal, for it is free text and may name anybody."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from shared.contracts.envelope import Contract, Event

MAX_WORDS = 2000  # characters

Words = Annotated[str, StringConstraints(min_length=1, max_length=MAX_WORDS, strip_whitespace=True)]


class WrittenMessage(Contract):
    """The words that belong into the mail about one public event of a ticket."""

    request_id: UUID
    event_id: UUID
    text: Words


class MessageWritten(Event):
    """Staff wrote to the producer; the ticket's event says that there are words, and here they are."""

    type: Literal["por.message.written.v1"] = "por.message.written.v1"
    data: WrittenMessage
