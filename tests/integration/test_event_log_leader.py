"""What the logs keep while RabbitMQ gives them another leader, as after each restart of a node."""

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from ops.events import read_stream
from ops.stack import Stack
from shared import topology
from shared.runtime.amqp import BusAway
from shared.runtime.bus import Bus
from tests import builders
from tests.chaos.broker import control
from tests.fixtures.broker import Vhost
from tests.fixtures.events import submitted
from tests.fixtures.parked import WORK, acts, park
from tests.fixtures.servers import choice
from tests.fixtures.typed import typed
from tests.fixtures.wait import eventually_async

pytestmark = pytest.mark.skipif(choice()[0] == "docker", reason="rabbitmqctl reaches the native broker only")

PARKED = 500
# Several times, for nothing is amiss where no publish is on its way at that moment.
KILL = """
    Kill = fun(_) ->
        {{ok, Log}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"{vhost}">>, queue, <<"{log}">>)),
        exit(amqqueue:get_pid(Log), kill),
        timer:sleep(150)
    end,
    lists:foreach(Kill, lists:seq(1, 8)).
"""


async def kill_leaders(stack: Stack, vhost: Vhost, log: str) -> None:
    """Let the process die that writes a stream, and the next ones; RabbitMQ begins another at once."""
    await asyncio.to_thread(control, stack, "eval", KILL.format(vhost=vhost.management.vhost, log=log))


class Teller:
    """Publishes tickets' events one after another, and keeps which were."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.confirmed: list[UUID] = []

    async def tell(self) -> None:
        """Go on for ever."""
        while True:
            event = builders.opened().model_copy(update={"id": uuid4()})
            with suppress(*BusAway):
                await self._bus.publish(event)
                self.confirmed.append(event.id)

    async def have_told(self, more: int) -> None:
        """Wait until so many more are confirmed."""
        enough = len(self.confirmed) + more
        await eventually_async(lambda: asyncio.sleep(0, len(self.confirmed)), lambda count: count >= enough)


async def test_a_confirmed_event_is_in_the_log_though_its_leader_changed(vhost: Vhost, stack: Stack) -> None:
    """Also where the service publishes more than events: RabbitMQ 3.10 mistakes one's numbers for the other's."""
    bus = vhost.bus()
    await bus.start()
    await asyncio.gather(*(bus.publish(builders.address_given()) for _ in range(300)))
    teller = Teller(bus)
    async with asyncio.TaskGroup() as telling:
        tasks = [telling.create_task(teller.tell()) for _ in range(8)]
        await kill_leaders(stack, vhost, topology.EVENTS_LOG)
        await teller.have_told(400)
        for each in tasks:
            each.cancel()
    await bus.stop()
    kept = {event.id for event in await read_stream(vhost.url)}
    assert [each for each in teller.confirmed if each not in kept] == []


async def test_each_act_is_on_record_though_its_log_changed_its_leader(
    vhost: Vhost, stack: Stack, environment: dict[str, str]
) -> None:
    """Messages that go back to their queues do not count among the records."""
    await park(vhost, *(submitted() for _ in range(PARKED)))
    replay = asyncio.create_task(typed(environment, "parked", "replay", "--all", "--yes", "--rate", "1000"))
    await eventually_async(lambda: vhost.count(WORK))
    await kill_leaders(stack, vhost, topology.OPERATIONS_LOG)
    run = await replay
    assert run.returncode == 0, run.stderr
    assert len({act.id for act in await acts(vhost, PARKED)}) == PARKED
