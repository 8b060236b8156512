"""A bus that outlives its broker's memory, on a real broker."""

import asyncio

import pytest

from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.contracts.tickets import TicketOpened
from tests import builders
from tests.fixtures.broker import DELAYS, Vhost
from tests.fixtures.events import submitted
from tests.fixtures.wait import PATIENCE, eventually_async


async def missing(vhost: Vhost) -> set[object]:
    """What of our topology the broker has not."""
    table, there = topology.queues(DELAYS), vhost.management
    bindings = {(exchange, queue.name, key) for queue in table for exchange, key in queue.bindings}
    return {
        *({each.name for each in topology.exchanges()} - {each["name"] for each in there.exchanges()}),
        *({each.name for each in table} - {each["name"] for each in there.queues()}),
        *(bindings - there.bindings()),
    }


@pytest.mark.parametrize("lost", ["everything", "the queue it works off"])
async def test_what_the_broker_lost_is_there_again_after_the_reconnect(vhost: Vhost, lost: str) -> None:
    """A service that goes on living declares its topology when it has reconnected, works off its queue, and hears."""
    done, heard = asyncio.Event(), asyncio.Event()

    async def handle(event: RequestSubmitted) -> None:
        done.set()

    async def hear(event: TicketOpened) -> None:
        heard.set()

    async with vhost.door() as (way, url):
        bus = vhost.bus(url=url)
        bus.subscribe(topology.CHECK_LETTER, handle)
        bus.listen("ticket.opened", TicketOpened, hear)
        await bus.start()
        await bus.publish(submitted())
        await bus.publish(builders.opened())
        await asyncio.gather(done.wait(), heard.wait())
        await way.shut()
        done.clear()
        heard.clear()
        await eventually_async(bus.ready, lambda ready: not ready)
        if lost == "everything":
            vhost.management.delete_vhost()
            vhost.management.create_vhost()
        else:
            vhost.management.delete_queue(topology.CHECK_LETTER.name)
        await way.open()
        await eventually_async(lambda: missing(vhost), lambda found: not found)
        await eventually_async(bus.ready)
        await bus.publish(submitted())
        await bus.publish(builders.opened())
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(done.wait(), heard.wait())
        await bus.stop()
