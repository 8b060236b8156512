"""What a failure is called, and whether trying again may help."""

from typing import cast

import pytest
from faststream.message import StreamMessage
from pydantic import TypeAdapter, ValidationError

from shared.contracts.requests import RequestSubmitted
from shared.contracts.tickets import TicketEvent
from shared.runtime.bus import EventCodec
from shared.runtime.failures import Permanent, Transient, reason_of
from tests.builders import submission, submitted


def unreadable(body: bytes) -> ValidationError:
    """The error of a body that is no event."""
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(RequestSubmitted).validate_json(body)
    return raised.value


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (Permanent("key-reused"), ("key-reused", False)),
        (Transient("smtp-away"), ("smtp-away", True)),
        (unreadable(b"no json"), ("unreadable", False)),
        (unreadable(b"{}"), ("unreadable", False)),
        (KeyError("who?"), ("KeyError", True)),
        (TimeoutError(), ("TimeoutError", True)),
        (ConnectionRefusedError(), ("ConnectionRefusedError", True)),
    ],
    ids=str,
)
def test_a_failure_has_a_stable_reason(error: Exception, verdict: tuple[str, bool]) -> None:
    """Rules and unreadable bodies are final; what is away, and what nobody foresaw, is tried again."""
    assert reason_of(error) == verdict


def test_a_reason_never_quotes_what_came() -> None:
    """The error of an unreadable body does not repeat the body, which holds personal data."""
    body = submitted(submission()).model_dump_json().replace("041872", "4187")
    assert "4187" not in str(unreadable(body.encode()))
    assert "Dana" not in str(unreadable(body.encode()))


class Body:
    """A message as the codec sees it."""

    def __init__(self, body: bytes) -> None:
        self.body = body


async def test_an_event_is_read_as_its_own_type() -> None:
    """A queue with several types tells them apart and refuses the types it does not carry."""
    body = submitted().model_dump_json(exclude_none=True).encode()
    event = await EventCodec((RequestSubmitted,)).decode(cast("StreamMessage[object]", Body(body)))
    assert event == submitted()
    with pytest.raises(ValidationError):
        TypeAdapter(TicketEvent).validate_json(body)
