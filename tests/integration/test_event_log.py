"""The event log on a real RabbitMQ: read from any place, and followed through an outage without a hole."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest

from services.tickets.live import Live
from shared import topology
from shared.runtime.auth import TICKETS_WORK, Caller
from shared.runtime.declaring import declare_topology
from shared.runtime.event_log import EventLog, LogAway
from tests.builders import moved
from tests.fixtures.broker import DELAYS, Vhost
from tests.fixtures.wait import eventually_async

RELOAD = 0  # in the place of a sequence
STAFF = Caller("joan", None, "", "", frozenset({TICKETS_WORK}), "token", 1e12)


def event(number: int) -> bytes:
    """An event, told from the others by its sequence."""
    return moved().model_copy(update={"sequence": str(number)}).model_dump_json().encode()


async def publish(vhost: Vhost, *numbers: int) -> None:
    """So many events, each for itself."""
    for number in numbers:
        await vhost.publish_raw(event(number), topology.EVENTS, moved().routing_key)


async def publish_at_once(vhost: Vhost, *numbers: int) -> None:
    """So many events, of which the log keeps several in one chunk."""
    async with vhost.channel() as channel:
        target = await channel.get_exchange(topology.EVENTS)
        messages = [aio_pika.Message(event(number)) for number in numbers]
        await asyncio.gather(*(target.publish(each, moved().routing_key) for each in messages))


async def make_anew(vhost: Vhost) -> None:
    """Another log in place of the one that there is."""
    vhost.management.delete_queue(topology.EVENTS_LOG)
    await declare_topology(vhost.url, DELAYS)


def sequence(body: bytes) -> int:
    """Which one it is."""
    return int(json.loads(body)["sequence"])


async def listen(live: Live, heard: list[int], last_id: str | None = None, ids: list[str] | None = None) -> None:
    """Note what staff hears."""
    async for piece in live.listen(live.admit(STAFF), last_id):
        block = dict(line.split(": ", 1) for line in piece.decode().splitlines() if ": " in line)
        if "sequence" in block.get("data", ""):
            heard.append(sequence(block["data"].encode()))
        if block.get("event") == "reload":
            heard.append(RELOAD)
        if ids is not None and "id" in block:
            ids.append(block["id"])


async def test_log_is_read_from_any_place_to_any_other(vhost: Vhost) -> None:
    """From an offset to an offset, both included, whatever was written before it, at once with it or not, and after."""
    await publish_at_once(vhost, *range(10))
    await publish(vhost, 10, 11)
    log = EventLog("test", vhost.url)
    for first in range(10):
        read = [(offset, sequence(body)) async for offset, body in log.between(first, 10)]
        assert read == [(n, n) for n in range(first, 11)]


async def test_what_arrived_before_the_connection_broke_is_no_other_error(vhost: Vhost) -> None:
    """Who still has entries in hand when the connection breaks is told that the log is away, as everybody is."""
    async with vhost.door() as (way, url):
        await publish(vhost, *range(10))
        entries = EventLog("test", url).between(0, 99)
        await anext(entries)
        await asyncio.sleep(0.5)  # the others arrive
        await way.shut()
        await asyncio.sleep(0.1)
        with pytest.raises(LogAway):
            [_ async for _ in entries]


@asynccontextmanager
async def listening(vhost: Vhost, url: str) -> AsyncIterator[tuple[Live, list[int], list[str]]]:
    """A process that follows the log and knows event 1, what somebody hears there from then on, and its ids."""
    live, heard, ids = Live(EventLog("test", url)), list[int](), list[str]()
    tasks = [asyncio.create_task(live.follow_forever())]
    try:
        await publish(vhost, 1)
        await eventually_async(lambda: _is(live._position, 0))
        tasks.append(asyncio.create_task(listen(live, heard, ids=ids)))
        await eventually_async(lambda: _is(len(ids), 1))
        yield live, heard, ids
    finally:
        await _end(tasks)


async def test_listener_hears_everything_through_an_outage(vhost: Vhost) -> None:
    """What is published while the connection is cut is heard after it, once, and so is what comes then."""
    async with vhost.door() as (way, url), listening(vhost, url) as (_, heard, _):
        await publish(vhost, 2)
        await eventually_async(lambda: _is(heard, [2]))
        await way.shut()
        await publish(vhost, 3, 4)
        await way.open()
        await publish(vhost, 5)
        await eventually_async(lambda: _is(heard, [2, 3, 4, 5]))


async def test_a_log_that_is_made_anew_is_heard(vhost: Vhost) -> None:
    """Where the log is deleted and there again, its listeners are told to read anew, and hear what comes then."""
    async with listening(vhost, vhost.url) as (_, heard, _):
        await publish(vhost, 2, 3)
        await eventually_async(lambda: _is(heard, [2, 3]))
        await make_anew(vhost)
        await publish(vhost, 4)
        await eventually_async(lambda: _is(heard, [2, 3, RELOAD, 4]))
        await publish(vhost, 5)
        await eventually_async(lambda: _is(heard, [2, 3, RELOAD, 4, 5]))


async def test_another_log_is_not_taken_for_the_one_before(vhost: Vhost) -> None:
    """Also where it has grown past the place that was reached before, listeners read anew, and miss nothing after."""
    async with vhost.door() as (way, url), listening(vhost, url) as (live, heard, ids):
        before, after = [*range(2, 50)], [*range(50, 150)]
        await publish_at_once(vhost, *before)
        await eventually_async(lambda: _is(heard, before))
        await way.shut()
        await make_anew(vhost)
        await publish_at_once(vhost, *after)
        await publish(vhost, 150)
        await way.open()
        await eventually_async(lambda: _is(heard, [*before, RELOAD, 150]))
        again = list[int]()
        returned = asyncio.create_task(listen(live, again, ids[-2]))  # cut off when told to read anew
        await eventually_async(lambda: _is(again, [*after, 150]))
        await _end([returned])


async def test_another_process_takes_a_listener_up(vhost: Vhost) -> None:
    """The id that one process gave means the same to another, also to one that has only just started."""
    await publish(vhost, 1, 2)
    first, ids = Live(EventLog("test", vhost.url)), list[str]()
    tasks = [asyncio.create_task(first.follow_forever())]
    await eventually_async(lambda: _is(first._position, 1))
    tasks.append(asyncio.create_task(listen(first, [], ids=ids)))
    await eventually_async(lambda: _is(len(ids), 1))
    await publish(vhost, 3, 4)
    await eventually_async(lambda: _is(len(ids), 3))
    await _end(tasks)
    second, heard = Live(EventLog("test", vhost.url)), list[int]()
    tasks = [asyncio.create_task(second.follow_forever()), asyncio.create_task(listen(second, heard, ids[1]))]
    # The last one, and a little before it; what came just then may come twice.
    await eventually_async(lambda: _is(_once(heard), [1, 2, 3, 4]))
    await publish(vhost, 5)
    await eventually_async(lambda: _is(_once(heard), [1, 2, 3, 4, 5]))
    await _end(tasks)


def _once(heard: list[int]) -> list[int]:
    """What was heard, without what came twice; who comes before the process has its place may be told to read anew."""
    return [number for number in dict.fromkeys(heard) if number != RELOAD]


async def _is(found: Any, wanted: Any) -> bool:
    return bool(found == wanted)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
