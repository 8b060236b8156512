"""A consumer to whom the broker delivers nothing any more is set going again."""

import asyncio
from uuid import uuid4

from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.runtime.bus import Bus
from shared.runtime.consumers import _underlay
from shared.runtime.watch import LOOK_SECONDS
from tests import builders
from tests.fixtures.broker import Vhost
from tests.fixtures.wait import eventually_async

PREFETCH = 4
MESSAGES = PREFETCH + 3


async def deafen(bus: Bus) -> None:
    """Let what the broker delivers from now on get nowhere, as where it only believes that it delivered it."""
    for subscriber in bus._subscribers:
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
