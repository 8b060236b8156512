"""Who hears what, and what becomes of those who do not keep up."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from services.tickets.live import FARTHEST, MAX_LISTENERS, MAX_OF_ONE, MAX_WAITING, Listener, Live
from shared.contracts.tickets import TicketEvent
from shared.runtime.auth import TICKETS_READ, TICKETS_WORK, Caller
from shared.runtime.event_log import Entry, EventLog
from shared.runtime.event_streams import until
from shared.runtime.problems import Problem
from tests.builders import letter_added, message_added, moved, opened, worked


def caller(
    producer_id: str | None = "P1001", seconds: float = 60, scope: str = TICKETS_READ, subject: str = "sub"
) -> Caller:
    """Somebody whose token is good for some seconds."""
    return Caller(subject, producer_id, "", "", frozenset({scope}), "token", time.time() + seconds)


@pytest.mark.parametrize("event", [opened(), moved(), letter_added(), message_added(), worked()], ids=lambda e: e.type)
def test_who_may_know(event: TicketEvent) -> None:
    """Staff hears all; the owner what is his, without inner acts; another producer nothing."""
    assert Listener(caller(None, scope=TICKETS_WORK)).may_know(event)
    assert Listener(caller()).may_know(event) is (event.type != "por.ticket.worked.v1")
    assert not Listener(caller("P2")).may_know(event)


async def test_who_does_not_keep_up_is_let_go() -> None:
    """However much comes for a listener who takes nothing, no more than so much is kept, and then he hears the end."""
    listener = Listener(caller())
    for n in range(50 * MAX_WAITING):
        listener.offer(b"%d" % n)
    assert listener._waiting.qsize() == MAX_WAITING
    assert [piece async for piece in listener.pieces()] == []


async def test_who_keeps_up_hears_all_until_his_token_ends() -> None:
    """What is offered comes in order, and with the token it ends."""
    listener = Listener(caller(seconds=0.3))
    for n in range(3):
        listener.offer(b"%d" % n)
    began = time.monotonic()
    heard = [piece async for piece in listener.pieces()]
    assert heard[:3] == [b"0", b"1", b"2"]
    assert 0.2 < time.monotonic() - began < 2


class Swapped(EventLog):
    """A log in whose place there is another one, without a word to who reads it."""

    def __init__(self) -> None:
        super().__init__("test", "amqp://127.0.0.1:1/")
        self.read_from: list[Entry | None] = []

    @asynccontextmanager
    async def after(self, last: Entry | None) -> AsyncIterator[AsyncGenerator[Entry, None]]:
        """The old log's entries and the new one's first; to who asks again the new one's only."""
        self.read_from.append(last)
        offsets = [0, 1, 2, 0] if len(self.read_from) == 1 else [0]
        yield self._entries(offsets)

    async def _entries(self, offsets: list[int]) -> AsyncGenerator[Entry, None]:
        for offset in offsets:
            yield offset, moved().model_dump_json().encode()
        await asyncio.Event().wait()


async def test_a_log_that_begins_again_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its listeners are told to read anew, and its events are not taken for the old one's."""
    monkeypatch.setattr("services.tickets.live.AGAIN_SECONDS", 0.01)
    log = Swapped()
    live = Live(log)
    listener = live.admit(caller())
    following = asyncio.create_task(live.follow_forever())
    pieces = listener.pieces()
    async with asyncio.timeout(5):
        kinds = [(await anext(pieces)).split(b"\n")[0] for _ in range(6)]
    following.cancel()
    reload, change = b"event: reload", b"event: ticket.status-changed"
    assert kinds == [reload, change, change, change, reload, change]
    assert log.read_from == [None, None]


async def test_one_listener_too_many_is_refused() -> None:
    """A process has so many listeners and no more, admitted at once or not; one who has gone makes room."""
    live = Live(EventLog("test", "amqp://127.0.0.1:1/"))
    streams = [live.listen(live.admit(caller(subject=f"P{n}")), None) for n in range(MAX_LISTENERS)]
    with pytest.raises(Problem) as refused:
        live.admit(caller())
    assert refused.value.status == 503
    for stream in streams[1:]:
        await anext(stream)
    await streams[0].aclose()  # gone before it began
    await streams.pop().aclose()
    del streams[0]
    for _ in range(2):
        streams.append(live.listen(live.admit(caller()), None))
    with pytest.raises(Problem):
        live.admit(caller())
    for stream in streams:
        await stream.aclose()


async def test_one_caller_has_a_share_of_the_listeners() -> None:
    """However often one caller asks at once, there is room for others; what he closes he may open again."""
    live = Live(EventLog("test", "amqp://127.0.0.1:1/"))
    streams = [live.listen(live.admit(caller()), None) for _ in range(MAX_OF_ONE)]
    with pytest.raises(Problem) as refused:
        live.admit(caller())
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "5"})
    live.admit(caller(subject="another"))
    await anext(streams[0])
    await streams[0].aclose()
    live.admit(caller())
    for stream in streams:
        await stream.aclose()


class LongLog:
    """The event log: all that is ever read again is P1001's, but the last event is P2's."""

    async def between(self, first: int, last: int) -> AsyncGenerator[tuple[int, bytes], None]:
        """The events, each in bytes of its own, as they come off the wire."""
        body = moved().model_dump_json().encode()
        for offset in range(first, last):
            yield offset, body + b" "
        yield last, body.replace(b'"P1001"', b'"P2"')


@pytest.mark.parametrize(
    ("who", "taken"),
    [(caller("P2"), 1), (caller(None, scope=TICKETS_WORK), FARTHEST)],
    ids=["others' events", "events that were taken"],
)
async def test_who_catches_up_keeps_what_he_has_yet_to_take(who: Caller, taken: int) -> None:
    """However slowly somebody reads on, of others' events nothing is kept for him, nor of those that he has."""
    pieces = Live(cast("EventLog", LongLog()))._since(Listener(who), 0, FARTHEST)
    tracemalloc.start()
    try:
        for _ in range(taken):
            await anext(pieces)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


async def _endless(closed: list[bool]) -> AsyncGenerator[bytes, None]:
    try:
        yield b"one"
        await asyncio.sleep(3600)
    finally:
        closed.append(True)


async def test_a_stream_ends_when_the_service_stops() -> None:
    """What goes on for ever ends at the word, at once, and is closed."""
    closed: list[bool] = []
    stop = asyncio.Event()
    heard = []
    async with asyncio.timeout(5):
        async for piece in until(stop, _endless(closed)):
            heard.append(piece)
            asyncio.get_running_loop().call_later(0.05, stop.set)
    assert (heard, closed) == ([b"one"], [True])
