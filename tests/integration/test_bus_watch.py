"""A consumer to whom the broker delivers nothing any more is set going again."""

import asyncio
from uuid import uuid4

import pytest

from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.runtime import watch
from shared.runtime.bus import Bus
from shared.runtime.consumers import _underlay
from tests import builders
from tests.fixtures.broker import Vhost
from tests.fixtures.wait import eventually_async

PREFETCH = 4
MESSAGES = PREFETCH + 3
LOOK_SECONDS = 1.0


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks that a test need not wait for long."""
    monkeypatch.setattr(watch, "LOOK_SECONDS", LOOK_SECONDS)


async def deafen(bus: Bus, queue: str | None = None) -> None:
    """Let what the broker delivers from now on get nowhere, as where it only believes that it delivered it."""
    for subscriber in bus._subscribers:
        if queue not in {None, subscriber.queue.name}:
            continue
        underlay = await _underlay(subscriber)

        async def drop(_: object) -> None:
            """Neither handle nor acknowledge."""

        underlay.consumers.update(dict.fromkeys(underlay.consumers, drop))


async def test_a_consumer_that_hears_nothing_is_renewed(vhost: Vhost) -> None:
    """Messages that wait, and those that the broker believes delivered, are worked off within seconds, each once."""
    seen: list[str] = []

    async def handle(event: RequestSubmitted) -> None:
        seen.append(str(event.id))

    async with vhost.serving(topology.CHECK_LETTER, handle, prefetch=PREFETCH) as bus:
        await deafen(bus)
        sent = [builders.submitted().model_copy(update={"id": uuid4()}) for _ in range(MESSAGES)]
        for event in sent:
            await bus.publish(event)
        assert await vhost.count(topology.CHECK_LETTER.name) == MESSAGES - PREFETCH
        await eventually_async(lambda: asyncio.sleep(0, len(seen) == MESSAGES))
        assert sorted(seen) == sorted(str(event.id) for event in sent)
        assert await bus.ready()
    assert await vhost.is_idle()


async def test_the_watch_outlives_its_connection(vhost: Vhost) -> None:
    """After the broker was away the consumers are watched as before."""
    seen: list[str] = []

    async def handle(event: RequestSubmitted) -> None:
        seen.append(str(event.id))

    async with vhost.door() as (way, url):
        bus = vhost.bus(url=url, prefetch=PREFETCH)
        bus.subscribe(topology.CHECK_LETTER, handle)
        await bus.start()
        await asyncio.sleep(1.5 * LOOK_SECONDS)  # the watch is between two looks
        way.cut()
        await asyncio.sleep(2.5 * LOOK_SECONDS)
        await eventually_async(bus.ready, patience=8)
        await deafen(bus)
        for _ in range(MESSAGES):
            await bus.publish(builders.submitted().model_copy(update={"id": uuid4()}))
        await eventually_async(lambda: asyncio.sleep(0, len(seen) == MESSAGES), patience=20)
        await bus.stop()


async def test_suspects_are_watched_while_their_queue_is_busy(vhost: Vhost) -> None:
    """That messages of the queue are in hand does not hide that its suspects hear nothing."""
    suspect, go_on = asyncio.Event(), asyncio.Event()
    odd = builders.submitted().model_copy(update={"id": uuid4()})

    async def handle(event: RequestSubmitted) -> None:
        if event.id == odd.id:
            suspect.set()
        else:
            await go_on.wait()

    async with vhost.serving(topology.CHECK_LETTER, handle, prefetch=PREFETCH) as bus:
        await deafen(bus, topology.suspects_of(topology.CHECK_LETTER.name))
        await bus.publish(builders.submitted())
        for _ in range(2):  # one that the broker believes delivered, and one that waits
            await vhost.publish_raw(odd.model_dump_json().encode(), topology.SUSPECTS, topology.CHECK_LETTER.name)
        async with asyncio.timeout(20):
            await suspect.wait()
        go_on.set()


async def test_a_consumer_that_is_busy_is_left_alone(vhost: Vhost) -> None:
    """While it has messages in hand nothing is done to it, however many wait behind them."""
    began = release = 0
    go_on = asyncio.Event()

    async def handle(_: RequestSubmitted) -> None:
        nonlocal began, release
        began += 1
        await go_on.wait()
        release += 1

    async with vhost.serving(topology.CHECK_LETTER, handle, prefetch=PREFETCH) as bus:
        for _ in range(MESSAGES):
            await bus.publish(builders.submitted().model_copy(update={"id": uuid4()}))
        await eventually_async(lambda: asyncio.sleep(0, began == PREFETCH))
        await asyncio.sleep(2.5 * LOOK_SECONDS)
        assert began == PREFETCH
        go_on.set()
        await eventually_async(lambda: asyncio.sleep(0, release == MESSAGES))
    assert began == MESSAGES
