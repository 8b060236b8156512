"""A server that is away, as the messages of a real broker see it: they are held, and lose nothing by it."""

import asyncio
from functools import partial

import pytest
from aio_pika.abc import AbstractIncomingMessage

from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.runtime import breaker
from shared.runtime.failures import ATTEMPT, REASON, Away
from tests.fixtures.broker import Vhost
from tests.fixtures.events import submitted
from tests.fixtures.wait import eventually_async

QUEUE = topology.CHECK_LETTER.name
MESSAGES = 12


class Server:
    """Is away until it is back."""

    def __init__(self) -> None:
        self.is_away = True
        self.asked = 0
        self.done: list[str] = []

    async def handle(self, event: RequestSubmitted) -> None:
        """Do what cannot be done without this server."""
        self.asked += 1
        if self.is_away:
            raise Away("store-away")
        self.done.append(event.source)

    async def was_asked(self, times: int) -> bool:
        """Whether the outage has been noticed."""
        return self.asked >= times

    async def has_done(self, number: int) -> bool:
        """Whether so many messages are done."""
        return len(self.done) >= number


def deliveries(message: AbstractIncomingMessage) -> object:
    """How often the broker has counted a message as delivered in vain; this look counts once it is given back."""
    return message.headers.get("x-delivery-count", 0)


async def waiting(vhost: Vhost) -> int:
    """How many messages are in any delay tier."""
    return sum([await vhost.count(topology.retry_tier(n)) for n in range(1, topology.RETRY_TIERS + 1)])


async def test_outage_longer_than_all_tiers_parks_nothing(vhost: Vhost) -> None:
    """While the server is away no message uses up its tries, however short the tiers; after it each is done once."""
    server = Server()
    async with vhost.serving(topology.CHECK_LETTER, server.handle, prefetch=4) as bus:
        for n in range(MESSAGES):
            await bus.publish(submitted(f"/{n}"))
        await eventually_async(partial(server.was_asked, 4 + 2))  # of five tiers of 0.2 s each nothing would be left
        assert (await waiting(vhost), await vhost.count(topology.PARKING)) == (0, 0)
        server.is_away = False
        await eventually_async(partial(server.has_done, MESSAGES))
        await eventually_async(vhost.is_idle)
    assert sorted(server.done) == sorted(f"/{n}" for n in range(MESSAGES))
    assert await vhost.count(topology.PARKING) == 0


async def test_outage_longer_than_anything_may_be_held_counts_no_attempt(
    vhost: Vhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages held for too long go round by the first tier, more often than there are tries, and none is parked."""
    monkeypatch.setattr(breaker, "LONGEST_HOLD", 0.1)
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0.02)
    server = Server()
    rounds = topology.RETRY_TIERS + 3
    async with vhost.serving(topology.CHECK_LETTER, server.handle, prefetch=MESSAGES) as bus:
        for n in range(MESSAGES):
            await bus.publish(submitted(f"/{n}"))
        await eventually_async(lambda: server.was_asked(MESSAGES * rounds * 2))
        assert await vhost.count(topology.PARKING) == 0
        server.is_away = False
        await eventually_async(partial(server.has_done, MESSAGES))
        await eventually_async(vhost.is_idle)
    assert sorted(server.done) == sorted(f"/{n}" for n in range(MESSAGES))
    assert await vhost.count(topology.PARKING) == 0


async def test_message_whose_server_is_away_for_it_alone_is_parked_at_last(
    vhost: Vhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While others get through its tries count, as those of any other that fails."""
    monkeypatch.setattr(breaker, "LONGEST_HOLD", 0.5)
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0.02)

    async def handle(event: RequestSubmitted) -> None:
        if event.source == "/alone":
            raise Away("smtp-421")

    async with vhost.serving(topology.CHECK_LETTER, handle, prefetch=4) as bus:
        await bus.publish(submitted("/alone"))

        async def parked_while_others_come() -> bool:
            await bus.publish(submitted("/other"))
            return await vhost.count(topology.PARKING) > 0

        await eventually_async(parked_while_others_come)
    [parked] = await vhost.drain(topology.PARKING)
    assert (parked.headers[REASON], parked.headers[ATTEMPT]) == ("smtp-421", topology.RETRY_TIERS)


async def test_service_that_stops_in_an_outage_puts_what_it_holds_into_a_tier(vhost: Vhost) -> None:
    """Held messages are not handed back, which would count against them, however often services are replaced."""
    server = Server()
    delays = (3600.0,) * topology.RETRY_TIERS
    for n in range(1, topology.RETRY_TIERS + 1):
        vhost.management.delete_queue(topology.retry_tier(n))
    async with vhost.serving(topology.CHECK_LETTER, server.handle, prefetch=4, retry_delays=delays) as bus:
        for n in range(4):
            await bus.publish(submitted(f"/{n}"))
        await eventually_async(partial(server.was_asked, 4))
    held = await vhost.drain(topology.retry_tier(1), 4)
    assert len({message.message_id for message in held}) == 4
    assert [message.headers[ATTEMPT] for message in held] == [0] * 4
    assert await vhost.count(QUEUE) == 0


async def test_what_hangs_in_a_service_that_stops_counts_no_death(vhost: Vhost) -> None:
    """Work that does not end in the time that a service has to stop is in a tier before the connection is closed."""
    begun = 0

    async def hang(_: RequestSubmitted) -> None:
        nonlocal begun
        begun += 1
        await asyncio.sleep(3600)

    async def all_hang() -> bool:
        return begun == 4

    async with vhost.serving(topology.CHECK_LETTER, hang, prefetch=4) as bus:
        for n in range(4):
            await bus.publish(submitted(f"/{n}"))
        await eventually_async(all_hang)
    # Its tier brings them back: deliveries that the broker had counted would show.
    found = await vhost.drain(QUEUE, 4)
    assert [(deliveries(each), each.headers.get(ATTEMPT)) for each in found] == [(0, 0)] * 4


async def test_what_a_stopping_service_never_began_is_as_if_it_had_not_come(vhost: Vhost) -> None:
    """A service that stops takes no more, so that nothing goes back with its deliveries counted."""
    begun: list[str] = []
    may_end = {"/0": asyncio.Event(), "/1": asyncio.Event()}

    async def handle(event: RequestSubmitted) -> None:
        begun.append(event.source)
        await may_end[event.source].wait()

    async def both() -> bool:
        return len(begun) == 2

    async with vhost.serving(topology.CHECK_LETTER, handle, prefetch=2) as bus:
        for n in range(3):
            await bus.publish(submitted(f"/{n}"))
        await eventually_async(both)
        stopping = asyncio.create_task(bus.stop())
        await asyncio.sleep(0.3)
        may_end["/0"].set()
        await asyncio.sleep(0.3)  # time enough for the third to be delivered, if it were
        may_end["/1"].set()
        await stopping
    [left] = await vhost.drain(QUEUE)
    assert sorted(begun) == ["/0", "/1"]
    assert deliveries(left) == 0
