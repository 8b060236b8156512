"""What a failure is called, and whether trying again may help."""

from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import pytest
from aio_pika import IncomingMessage
from aio_pika.exceptions import ChannelInvalidStateError
from faststream import ContextRepo
from faststream.exceptions import NackMessage
from faststream.message import StreamMessage
from pydantic import TypeAdapter, ValidationError

from shared import topology
from shared.contracts.requests import AddressGiven, RequestSubmitted
from shared.runtime import failures
from shared.runtime.codec import EventCodec
from shared.runtime.failures import Away, Deferred, FailureMiddleware, Permanent, Pulse, Transient, reason_of
from tests.builders import submission, submitted


def not_valid(body: bytes) -> ValidationError:
    """The error of what is no event."""
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(RequestSubmitted).validate_json(body)
    return raised.value


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (Permanent("key-reused"), ("key-reused", False)),
        (Transient("smtp-away"), ("smtp-away", True)),
        (not_valid(b"{}"), ("ValidationError", True)),
        (KeyError("who?"), ("KeyError", True)),
        (TimeoutError(), ("TimeoutError", True)),
        (ConnectionRefusedError(), ("ConnectionRefusedError", True)),
    ],
    ids=str,
)
def test_a_failure_has_a_stable_reason(error: Exception, verdict: tuple[str, bool]) -> None:
    """Rules are final; what is away, and what nobody foresaw, such as a damaged entry of a store, is tried again."""
    assert reason_of(error) == verdict


def test_a_reason_never_quotes_what_came() -> None:
    """The error of an unreadable body does not repeat the body, which holds personal data."""
    body = submitted(submission()).model_dump_json().replace('"041872"', "[4187]")
    assert "4187" not in str(not_valid(body.encode()))
    assert "Dana" not in str(not_valid(body.encode()))


class Body:
    """A message as the codec sees it."""

    def __init__(self, body: bytes) -> None:
        self.body = body


async def test_an_event_is_read_as_its_own_type() -> None:
    """A queue with several types tells them apart and refuses the types it does not carry."""
    body = cast("StreamMessage[object]", Body(submitted().model_dump_json(exclude_none=True).encode()))
    assert await EventCodec((RequestSubmitted,)).decode(body) == submitted()
    assert await EventCodec((AddressGiven, RequestSubmitted)).decode(body) == submitted()
    for other in (body, cast("StreamMessage[object]", Body(b"no json")), cast("StreamMessage[object]", Body(b"{}"))):
        with pytest.raises(Permanent) as refused:
            await EventCodec(topology.TICKET_EVENTS).decode(other)
        assert reason_of(refused.value) == ("unreadable", False)


class Message:
    """A delivered message; asked for its channel it fails as the library's own does."""

    message_id, correlation_id = "m-1", "r-1"

    def __init__(self) -> None:
        self.headers: dict[str, object] = {}
        self.is_taken_back = False

    @property
    def channel(self) -> object:
        if self.is_taken_back:
            raise ChannelInvalidStateError
        return object()


async def test_a_message_that_the_broker_took_back_is_not_handled_again() -> None:
    """A message that is held, and delivered anew meanwhile, is not worked on by who held it: it would be done twice."""
    message, handled = Message(), 0

    async def handle(_: object) -> None:
        nonlocal handled
        handled += 1
        message.is_taken_back = True
        raise Away("store-away")

    async def hold(attempt: Callable[[], Awaitable[None]]) -> None:
        with pytest.raises(Away):
            await attempt()
        await attempt()

    async def republish(*_: object) -> None:
        pytest.fail("it is not ours to move")

    path = FailureMiddleware(Pulse("documents.check-letter"), republish, hold)(
        cast("IncomingMessage", message), context=ContextRepo()
    )
    await path.on_receive()
    with pytest.raises(NackMessage) as given_up:
        await path.consume_scope(handle, cast("StreamMessage[object]", message))
    assert not await path.after_processed(NackMessage, given_up.value, None)
    assert handled == 1


async def test_a_message_that_the_broker_took_back_is_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the channel that delivered it is closed, a held message is given up: moved here too, it would be two."""
    monkeypatch.setattr(failures, "HOLD_SECONDS", 0)
    message = Message()
    tries = 0

    async def republish(*_: object) -> None:
        nonlocal tries
        tries += 1
        message.is_taken_back = tries == 3
        raise ConnectionError

    async def hold(_: object) -> None:
        pytest.fail("there is nothing to attempt")

    path = FailureMiddleware(Pulse("documents.check-letter"), republish, hold)(
        cast("IncomingMessage", message), context=ContextRepo()
    )
    await path.on_receive()
    with pytest.raises(NackMessage):
        await path.after_processed(Transient, Transient("store-away"), None)
    assert tries == 3


async def test_what_is_deferred_comes_back_as_it_was() -> None:
    """Where another is at work on it a message goes to the first tier, however often, and no attempt is counted."""
    message, moved = Message(), []
    message.headers = {failures.ATTEMPT: 3}

    async def republish(_: object, exchange: str, queue: str, headers: Mapping[str, str | int]) -> None:
        moved.append((exchange, queue, headers))

    async def hold(_: object) -> None:
        pytest.fail("there is nothing to attempt")

    path = FailureMiddleware(Pulse("notifier.send-mail"), republish, hold)(
        cast("IncomingMessage", message), context=ContextRepo()
    )
    await path.on_receive()
    assert await path.after_processed(Deferred, Deferred("mail-in-work"), None)
    assert moved == [("por.retry.1", "notifier.send-mail", {failures.ATTEMPT: 3})]
