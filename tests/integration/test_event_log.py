"""The event log on a real RabbitMQ: read from any place, and followed through an outage without a hole."""

import asyncio
import json
from typing import Any

from services.tickets.live import Live
from shared import topology
from shared.runtime.auth import TICKETS_WORK, Caller
from shared.runtime.event_log import EventLog
from tests.builders import moved
from tests.fixtures.broker import Vhost
from tests.fixtures.wait import eventually_async

STAFF = Caller("joan", None, "", "", frozenset({TICKETS_WORK}), "token", 1e12)


async def publish(vhost: Vhost, *numbers: int) -> None:
    """So many events, told apart by their sequence."""
    for number in numbers:
        event = moved().model_copy(update={"sequence": str(number)})
        await vhost.publish_raw(event.model_dump_json().encode(), topology.EVENTS, event.routing_key)


def sequence(body: bytes) -> int:
    """Which one it is."""
    return int(json.loads(body)["sequence"])


async def listen(live: Live, heard: list[int], last_id: str | None = None, ids: list[str] | None = None) -> None:
    """Note what staff hears."""
    async for piece in live.listen(live.admit(STAFF), last_id):
        block = dict(line.split(": ", 1) for line in piece.decode().splitlines() if ": " in line)
        if "sequence" in block.get("data", ""):
            heard.append(sequence(block["data"].encode()))
        if ids is not None and "id" in block:
            ids.append(block["id"])


async def test_log_is_read_from_any_place_to_any_other(vhost: Vhost) -> None:
    """From an offset to an offset, both included, whatever was written after."""
    await publish(vhost, *range(10))
    log = EventLog("test", vhost.url)
    assert [(offset, sequence(body)) async for offset, body in log.between(3, 6)] == [(n, n) for n in range(3, 7)]


async def test_listener_hears_everything_through_an_outage(vhost: Vhost) -> None:
    """What is published while the connection is cut is heard after it, once, and so is what comes then."""
    async with vhost.door() as (way, url):
        live, heard = Live(EventLog("test", url)), list[int]()
        tasks = [asyncio.create_task(live.follow_forever()), asyncio.create_task(listen(live, heard))]
        await publish(vhost, 1)
        await eventually_async(lambda: _is(heard, [1]))
        await way.shut()
        await publish(vhost, 2, 3)
        await way.open()
        await publish(vhost, 4)
        await eventually_async(lambda: _is(heard, [1, 2, 3, 4]))
        await _end(tasks)


async def test_another_process_takes_a_listener_up(vhost: Vhost) -> None:
    """The id that one process gave means the same to another, also to one that has only just started."""
    await publish(vhost, 1, 2)
    first, ids = Live(EventLog("test", vhost.url)), list[str]()
    tasks = [asyncio.create_task(first.follow_forever())]
    await first._wait_for_position()
    tasks.append(asyncio.create_task(listen(first, [], ids=ids)))
    await eventually_async(lambda: _is(len(ids), 1))
    await publish(vhost, 3, 4)
    await eventually_async(lambda: _is(len(ids), 3))
    await _end(tasks)
    second, heard = Live(EventLog("test", vhost.url)), list[int]()
    tasks = [asyncio.create_task(second.follow_forever()), asyncio.create_task(listen(second, heard, ids[1]))]
    # The last one, and a little before it; what came just then may come twice.
    await eventually_async(lambda: _is([*dict.fromkeys(heard)], [1, 2, 3, 4]))
    await publish(vhost, 5)
    await eventually_async(lambda: _is([*dict.fromkeys(heard)], [1, 2, 3, 4, 5]))
    await _end(tasks)


async def _is(found: Any, wanted: Any) -> bool:
    return bool(found == wanted)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
