"""A connection to the broker that is dead, though nobody hung up: on a real broker behind a door that is stopped up."""

import asyncio
from functools import partial

from shared.runtime.amqp import HEARTBEAT_SECONDS, BusAway
from tests.fixtures.broker import Vhost
from tests.fixtures.events import submitted
from tests.fixtures.wait import eventually_async

GRACE_SECONDS = 6  # of a client whose heartbeat is one second


async def test_who_waits_for_a_dead_connection_is_told_so(vhost: Vhost) -> None:
    """A publish that waits for its confirmation meanwhile fails as where the broker is away, and not as if cancelled.

    Soon after, the bus is as before.
    """
    async with vhost.door() as (way, url):
        bus = vhost.bus(url=f"{url}?heartbeat=1", amqp_publish_timeout=5 * GRACE_SECONDS)
        await bus.start()
        way.stop_up()
        publishing = asyncio.create_task(bus.publish(submitted()))
        await asyncio.wait({publishing}, timeout=3 * GRACE_SECONDS)
        assert publishing.done()
        assert not publishing.cancelled()
        assert isinstance(publishing.exception(), BusAway)
        way.let_through()
        await eventually_async(bus.ready, patience=8)
        await bus.publish(submitted())
        await bus.stop()


async def test_every_connection_has_the_desks_heartbeat(vhost: Vhost) -> None:
    """The broker, too, takes each of the desk's connections for dead after ten seconds without a sign of life."""
    bus = vhost.bus()
    await bus.start()
    names = {"test-consumer", "test-publisher", "test-watch"}
    found = await eventually_async(partial(heartbeats, vhost), lambda them: them.keys() == names)
    assert set(found.values()) == {HEARTBEAT_SECONDS}
    await bus.stop()


async def heartbeats(vhost: Vhost) -> dict[str, int]:
    """The heartbeat of each connection to this vhost, as the broker knows it, by its name."""
    every = await asyncio.to_thread(vhost.management.connections)
    here = [each for each in every if each.get("vhost") == vhost.url.rpartition("/")[2]]
    return {each.get("user_provided_name", ""): each["timeout"] for each in here}
