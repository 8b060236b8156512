"""What becomes of a message that cannot be handled, on a real broker: processed or parked, never lost."""

import asyncio
import json
from functools import partial

import pytest
import structlog
from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage
from prometheus_client import CollectorRegistry

from shared import topology
from shared.contracts.envelope import Event
from shared.contracts.requests import RequestSubmitted
from shared.runtime import failures
from shared.runtime.bus import Bus
from shared.runtime.declaring import declare_topology
from shared.runtime.failures import ATTEMPT, PARKED_AT, QUEUE, REASON, Permanent, Transient
from tests.fixtures.broker import DELAYS, Vhost, settings_for
from tests.fixtures.events import checked, submitted
from tests.fixtures.wait import PATIENCE, eventually_async

QUEUE_NAME = topology.CHECK_LETTER.name


class Handler:
    """Fails as it is told, and remembers what it was given and at which attempt."""

    def __init__(self, *failures: Exception | None, bad: str = "/bad") -> None:
        self._bad, self._failures = bad, iter(failures)
        self.done: list[str] = []
        self.attempts: list[int] = []

    async def __call__(self, event: RequestSubmitted) -> Event | None:
        if event.source == self._bad:
            self.attempts.append(structlog.contextvars.get_contextvars()["attempt"])
            if (failure := next(self._failures, None)) is not None:
                raise failure
        self.done.append(event.source)
        return None

    async def has_done(self, number: int) -> bool:
        """Whether so many messages are done."""
        return len(self.done) >= number


def headers_of(message: AbstractIncomingMessage) -> dict[str, object]:
    """Our own headers of a message."""
    return {name: value for name, value in message.headers.items() if not name.startswith("x-")}


@pytest.mark.parametrize("position", [0, 10])
async def test_permanent_failure_is_parked_at_once_and_neighbours_flow_on(vhost: Vhost, position: int) -> None:
    """A message that can never succeed is parked with its reason at the first attempt; the others are done."""
    handler = Handler(*[Permanent("key-reused")] * 9)
    bad = submitted("/bad")
    neighbours = [submitted(f"/{n}") for n in range(20)]
    async with vhost.serving(topology.CHECK_LETTER, handler, prefetch=5) as bus:
        for event in [*neighbours[:position], bad, *neighbours[position:]]:
            await bus.publish(event)
        parked = await vhost.drain(topology.PARKING)
        await eventually_async(lambda: handler.has_done(20))
        await eventually_async(vhost.is_idle)
    assert sorted(handler.done) == sorted(event.source for event in neighbours)
    assert handler.attempts == [0]
    assert [message.message_id for message in parked] == [str(bad.id)]
    headers = headers_of(parked[0])
    assert isinstance(headers.pop(PARKED_AT), int)
    assert headers == {REASON: "key-reused", QUEUE: QUEUE_NAME, ATTEMPT: 0}
    assert parked[0].delivery_mode == 2
    assert RequestSubmitted.model_validate_json(parked[0].body) == bad


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"not json", b"\xff\xfe", b"{}", b"[]"),
        submitted().model_dump_json().replace("a" * 64, "12").encode(),
        json.dumps(json.loads(submitted().model_dump_json()) | {"time": "2027-01-01T00:00:00"}).encode(),
    ],
    ids=["empty", "not-json", "not-text", "no-fields", "no-object", "ill-formed-field", "time-of-nowhere"],
)
async def test_unreadable_message_is_parked_as_it_came(vhost: Vhost, body: bytes) -> None:
    """What is no event, or one with a field that is wrong, is parked as unreadable, byte for byte, unhandled."""
    handler = Handler()
    async with vhost.serving(topology.CHECK_LETTER, handler):
        await vhost.publish_raw(body, topology.PIPELINE, "letter.submitted")
        parked = await vhost.drain(topology.PARKING)
    assert [(message.body, message.headers[REASON]) for message in parked] == [(body, "unreadable")]
    assert handler.done == []


async def test_transient_failure_goes_through_the_tiers_until_it_succeeds(vhost: Vhost) -> None:
    """A message is tried again after each delay, with its attempts counted, and then it is done, once."""
    handler = Handler(Transient("store-away"), ConnectionError("unforeseen"), Transient("store-away"))
    async with vhost.serving(topology.CHECK_LETTER, handler) as bus:
        await bus.publish(submitted("/bad"))
        await eventually_async(lambda: handler.has_done(1))
        await eventually_async(vhost.is_idle)
    assert handler.attempts == [0, 1, 2, 3]
    assert handler.done == ["/bad"]
    assert await vhost.count(topology.PARKING) == 0


async def test_each_retry_waits_in_the_next_tier(vhost: Vhost) -> None:
    """With tiers that last, the message is found in the one its attempt belongs to, on its way to one queue only."""
    for name in [topology.retry_tier(n) for n in range(1, 6)]:
        vhost.management.delete_queue(name)
    await declare_topology(vhost.url, (0.1, 0.1, 3600, 3600, 3600))
    handler = Handler(*[Transient("store-away")] * 9)
    async with vhost.serving(topology.CHECK_LETTER, handler, retry_delays=(0.1, 0.1, 3600, 3600, 3600)) as bus:
        await bus.publish(submitted("/bad"))
        waiting = await vhost.drain(topology.retry_tier(3))
    assert handler.attempts == [0, 1, 2]
    assert headers_of(waiting[0]) == {ATTEMPT: 3, QUEUE: QUEUE_NAME}
    assert waiting[0].routing_key == QUEUE_NAME


async def test_transient_for_ever_is_parked_after_the_last_tier(vhost: Vhost) -> None:
    """A message that no retry helps is parked with its last reason and the number of its retries."""
    handler = Handler(*[Transient("store-away")] * 99)
    async with vhost.serving(topology.CHECK_LETTER, handler) as bus:
        await bus.publish(submitted("/bad"))
        parked = await vhost.drain(topology.PARKING)
    assert handler.attempts == [0, 1, 2, 3, 4, 5]
    headers = headers_of(parked[0])
    assert (headers[REASON], headers[ATTEMPT], headers[QUEUE]) == ("store-away", topology.RETRY_TIERS, QUEUE_NAME)


async def test_message_is_acked_only_after_its_event_is_confirmed(empty_vhost: Vhost) -> None:
    """While what a handler returns cannot be published the message is kept; it is done again until that is out."""
    delays, tried = (0.1, 2.0, 3.0, 3.0, 3.0), []

    async def handle(event: RequestSubmitted) -> Event:
        tried.append(event.source)
        return checked(event)

    async def tried_twice() -> bool:
        return len(tried) >= 2

    cause, vhost = submitted(), empty_vhost
    async with vhost.serving(topology.CHECK_LETTER, handle, retry_delays=delays) as bus:
        vhost.management.delete_queue(topology.OPEN_TICKET.name)  # nobody is bound: the publish fails
        await bus.publish(cause)
        await eventually_async(tried_twice)
        await declare_topology(vhost.url, delays)
        out = await vhost.drain(topology.OPEN_TICKET.name)
    assert [message.message_id for message in out] == [str(checked(cause).id)]


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds between two tries to move a message, fewer than in earnest."""
    monkeypatch.setattr(failures, "HOLD_SECONDS", 0.2)
    return failures.HOLD_SECONDS


async def test_message_survives_when_it_cannot_even_be_parked(vhost: Vhost, hurry: float) -> None:
    """Where parking itself fails the message is held, and parked when that is possible again; it is not tried anew."""
    handler = Handler(*[Permanent("key-reused")] * 99)
    bad = submitted("/bad")
    async with vhost.serving(topology.CHECK_LETTER, handler) as bus:
        vhost.management.delete_exchange(topology.DEAD_LETTERS)
        await bus.publish(bad)
        await asyncio.sleep(2.5 * hurry)
        await declare_topology(vhost.url, DELAYS)
        parked = await vhost.drain(topology.PARKING)
    assert [message.message_id for message in parked] == [str(bad.id)]
    assert parked[0].headers[REASON] == "key-reused"
    assert len(handler.attempts) == 1


async def test_long_outage_of_the_publisher_counts_against_no_message(vhost: Vhost, hurry: float) -> None:
    """While nothing can be published failed messages are held, unparked; after that their retries go on."""
    attempts: list[int] = []

    async def handle(_: RequestSubmitted) -> None:
        attempts.append(structlog.contextvars.get_contextvars()["attempt"])
        if attempts[-1] == 0:
            raise Transient("store-away")

    async def failed() -> bool:
        return bool(attempts)

    async def tried_again() -> bool:
        return len(attempts) > 1

    async with vhost.door() as (way, url):
        timeout = {"amqp_publish_timeout": 0.05}
        brokers = vhost.bus()._consumer, vhost.bus(url=url, **timeout)._publisher
        bus = Bus("test", settings_for(vhost.url, **timeout), CollectorRegistry(), brokers)
        bus.subscribe(topology.CHECK_LETTER, handle)
        await bus.start()
        await way.shut()
        await vhost.publish_raw(submitted().model_dump_json().encode(), topology.PIPELINE, "request.submitted")
        await eventually_async(failed)
        # More tries than the broker would count before it took the message for poison, in queue and suspects.
        await asyncio.sleep(3 * (topology.DELIVERY_LIMIT + 2) * hurry)
        bus._timeout = PATIENCE
        await way.open()
        await eventually_async(tried_again)
        await bus.stop()
    assert attempts == [0, 1]
    assert await vhost.count(topology.PARKING) == 0


async def test_message_held_over_a_reconnect_is_moved_once(vhost: Vhost, hurry: float) -> None:
    """A message that could not be moved before the broker took it back is moved by who gets it next, alone."""
    attempts: list[int] = []
    outage = asyncio.Event()

    async def handle(_: RequestSubmitted) -> None:
        attempts.append(structlog.contextvars.get_contextvars()["attempt"])
        await outage.wait()
        raise Permanent("key-reused")

    async def tried(times: int) -> bool:
        return len(attempts) >= times

    async with vhost.door() as (way, url):
        bus = vhost.bus(url=url, amqp_publish_timeout=0.2)
        bus.subscribe(topology.CHECK_LETTER, handle)
        await bus.start()
        await vhost.publish_raw(submitted().model_dump_json().encode(), topology.PIPELINE, "request.submitted")
        await eventually_async(partial(tried, 1))
        await way.shut()
        outage.set()
        await asyncio.sleep(5 * hurry)
        bus._timeout = PATIENCE  # what the broker confirms late would be moved again
        await way.open()
        await eventually_async(partial(tried, 2))
        assert await eventually_async(lambda: vhost.count(topology.PARKING))
        await asyncio.sleep(3)  # the connections come back one after the other
        assert await vhost.count(topology.PARKING) == 1
        await bus.stop()


async def test_moved_message_starts_with_a_clean_slate(vhost: Vhost) -> None:
    """What the broker has counted of a message does not go with it when it is moved: it would count against it."""
    handler = Handler(Transient("store-away"), Transient("store-away"), Permanent("key-reused"))
    async with vhost.serving(topology.CHECK_LETTER, handler), vhost.channel() as channel:
        body = submitted("/bad").model_dump_json().encode()
        message = Message(body, headers={"mine": 1, "x-delivery-count": topology.DELIVERY_LIMIT})
        await (await channel.get_exchange(topology.PIPELINE)).publish(message, "letter.submitted")
        parked = await vhost.drain(topology.PARKING)
    assert handler.attempts == [0, 1, 2]
    assert parked[0].headers.pop("x-delivery-count", 0) == 0  # what the parking lot itself counts
    assert set(parked[0].headers) == {"mine", ATTEMPT, QUEUE, REASON, PARKED_AT}


async def test_looking_at_a_parked_message_keeps_it(vhost: Vhost) -> None:
    """A parked message may be looked at a hundred times, as an operator does, and is there after."""
    await vhost.publish_raw(b"parked", topology.DEAD_LETTERS, QUEUE_NAME)
    async with vhost.channel() as channel:
        queue = await channel.get_queue(topology.PARKING)
        for _ in range(100):
            message = await eventually_async(partial(queue.get, fail=False))
            assert message is not None
            await message.nack(requeue=True)
    assert [message.body for message in await vhost.drain(topology.PARKING)] == [b"parked"]


async def test_stopping_finishes_what_is_in_work(vhost: Vhost) -> None:
    """A service that is told to stop completes the message it is working on and acks it."""
    begun, may_end, done = asyncio.Event(), asyncio.Event(), []

    async def handle(event: RequestSubmitted) -> None:
        begun.set()
        await may_end.wait()
        done.append(event.source)

    async with vhost.serving(topology.CHECK_LETTER, handle) as bus:
        await bus.publish(submitted("/last"))
        await begun.wait()
        stopping = asyncio.create_task(bus.stop())
        await asyncio.wait([stopping], timeout=0.2)
        may_end.set()
        await stopping
    assert done == ["/last"]
    assert await vhost.count(QUEUE_NAME) == 0
