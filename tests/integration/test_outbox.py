"""History as outbox on a real MongoDB: every entry gets out, in order, whoever publishes and whoever dies."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from aio_pika.exceptions import AMQPConnectionError, DeliveryError
from pamqp.commands import Basic

from ops.stack import Connection
from services.tickets import store as store_module
from services.tickets.outbox import Outbox
from services.tickets.store import TicketStore
from tests.fixtures.broker import Vhost
from tests.fixtures.tickets import RecordingBus, next_entry, opened
from tests.fixtures.wait import eventually_async

SHORT = 0.2


@pytest.fixture
async def stores(mongodb: Connection) -> AsyncIterator[list[TicketStore]]:
    """Two instances of the service: two stores over one database."""
    name = f"test-{uuid4().hex}"
    made = [TicketStore(mongodb.url, name) for _ in range(2)]
    await made[0].prepare()
    yield made
    await made[0]._client.drop_database(name)
    for each in made:
        each.close()


def outboxes(stores: list[TicketStore], bus: RecordingBus) -> list[Outbox]:
    """One outbox for each store, all on one bus."""
    return [Outbox(store, bus, sweep_seconds=0.02) for store in stores]  # type: ignore[arg-type]


async def test_two_publishers_at_once_keep_the_order(stores: list[TicketStore]) -> None:
    """Two instances publish while staff makes moves: each ticket's events come once, from 1 on, in order."""
    bus, tickets = RecordingBus(), [await opened(stores[0], moves=3) for _ in range(8)]
    first, second = outboxes(stores, bus)

    async def move_and_publish(ticket: store_module.Document) -> None:
        for store, outbox in zip(stores * 3, [first, second] * 3, strict=True):
            current = await store.get(ticket["_id"])
            assert current is not None
            assert await store.change(ticket["_id"], current["version"], next_entry(current))
            await outbox.publish_pending(ticket["_id"])

    async def publish_all(outbox: Outbox) -> None:
        for _ in range(3):
            await asyncio.gather(*(outbox.publish_pending(ticket["_id"]) for ticket in tickets))

    await asyncio.gather(publish_all(first), publish_all(second), *(move_and_publish(ticket) for ticket in tickets))
    await publish_all(first)

    async def all_out() -> bool:
        return await stores[0]._tickets.count_documents({"due_at": {"$exists": True}}) == 0

    await eventually_async(all_out)
    for ticket in tickets:
        assert bus.sequences(ticket["number"]) == list(range(1, 11))


async def test_nothing_is_published_while_another_holds_the_lease(stores: list[TicketStore]) -> None:
    """A second publisher leaves a leased ticket alone: otherwise events would overtake each other."""
    ticket, bus = await opened(stores[0], moves=2), RecordingBus()
    assert await stores[0].lease(ticket["_id"], uuid4()) is not None
    assert await stores[1].lease(ticket["_id"], uuid4()) is None
    await outboxes(stores, bus)[1].publish_pending(ticket["_id"])
    assert bus.sequences(ticket["number"]) == []


async def test_lease_of_a_dead_publisher_runs_out(stores: list[TicketStore], monkeypatch: pytest.MonkeyPatch) -> None:
    """When a publisher dies with the lease another takes over after it has run out, and the dead one's mark is void."""
    monkeypatch.setattr(store_module, "LEASE", timedelta(seconds=SHORT))
    ticket, bus, dead = await opened(stores[0], moves=2), RecordingBus(), uuid4()
    assert await stores[0].lease(ticket["_id"], dead) is not None
    survivor = outboxes(stores, bus)[1]

    async def published() -> bool:
        await survivor.publish_pending(ticket["_id"])
        return bus.sequences(ticket["number"]) == [1, 2, 3]

    await eventually_async(published)
    assert await stores[0].mark_published(ticket["_id"], dead, 1) is False
    kept = await stores[0].get(ticket["_id"])
    assert kept is not None
    assert (kept["published"], "due_at" in kept, "lease" in kept) == (3, False, False)


async def test_mark_of_who_has_lost_the_lease_is_void(
    stores: list[TicketStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A publisher who slept over his lease takes it from nobody, though he marks no more than what there is."""
    monkeypatch.setattr(store_module, "LEASE", timedelta(0))
    ticket, asleep, awake = await opened(stores[0], moves=2), uuid4(), uuid4()
    assert await stores[0].lease(ticket["_id"], asleep) is not None
    await asyncio.sleep(0.01)  # a lease has run out when its millisecond is over
    assert await stores[1].lease(ticket["_id"], awake) is not None
    assert await stores[0].mark_published(ticket["_id"], asleep, 3) is False
    kept = await stores[0].get(ticket["_id"])
    assert kept is not None
    assert (kept["lease"]["holder"], kept["published"], "due_at" in kept) == (awake, 0, True)


@pytest.mark.parametrize("error", [AMQPConnectionError(), TimeoutError(), ConnectionError()], ids=repr)
async def test_sweeper_publishes_what_a_failed_publish_left(
    stores: list[TicketStore], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """After a failed publish the entries stay due; the sweeper gets them out with the ids they always had."""
    monkeypatch.setattr(store_module, "FIRST_BACKOFF", SHORT)
    ticket, bus = await opened(stores[0], moves=2), RecordingBus()
    outbox = outboxes(stores, bus)[0]
    bus.away = error
    with pytest.raises(type(error)):
        await outbox.publish_pending(ticket["_id"])
    sweeper = asyncio.create_task(outbox.sweep_forever())

    async def out() -> list[int]:
        return bus.sequences(ticket["number"])

    async def swept_in_vain() -> int:
        kept = await stores[0].get(ticket["_id"])
        assert kept is not None
        return int(kept["sweeps"])

    await eventually_async(swept_in_vain, lambda sweeps: sweeps >= 2)
    assert not sweeper.done(), "the sweeper must outlive an outage"
    bus.away = None
    await eventually_async(out)
    await eventually_async(out, lambda sequences: sequences == [1, 2, 3])
    sweeper.cancel()
    ids = [event.id for event in bus.by_ticket[ticket["number"]]]
    assert ids == [entry["id"] for entry in ticket["history"]]


async def test_one_ticket_that_cannot_be_published_does_not_hold_up_the_others(
    stores: list[TicketStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ticket whose history makes no event leaves the sweeper alive and the other tickets on their way."""
    monkeypatch.setattr(store_module, "FIRST_BACKOFF", 0.0)
    bus = RecordingBus()
    broken, sound = await opened(stores[0]), await opened(stores[0])
    await stores[0]._tickets.update_one({"_id": broken["_id"]}, {"$set": {"history.0.status": "no-such-status"}})
    sweeper = asyncio.create_task(outboxes(stores, bus)[0].sweep_forever())

    async def out() -> list[int]:
        return bus.sequences(sound["number"])

    await eventually_async(out, lambda sequences: sequences == [1], patience=5)
    assert not sweeper.done()
    sweeper.cancel()


async def test_one_event_that_the_broker_does_not_take_does_not_hold_up_the_others(
    stores: list[TicketStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no queue is bound for what one ticket has to say, the others' events go out in the same sweep."""
    bus, tickets = RecordingBus(), [await opened(stores[0]) for _ in range(4)]
    unroutable, *sound = [ticket["number"] for ticket in tickets]
    bus.refuses[unroutable] = DeliveryError(None, Basic.Return())
    sweeps = iter([[ticket["_id"] for ticket in tickets]])

    async def due(*_: object) -> list[UUID]:
        return next(sweeps, [])

    monkeypatch.setattr(stores[0], "due", due)
    sweeper = asyncio.create_task(outboxes(stores, bus)[0].sweep_forever())

    async def out() -> list[list[int]]:
        return [bus.sequences(number) for number in sound]

    await eventually_async(out, lambda found: found == [[1], [1], [1]], patience=5)
    sweeper.cancel()
    assert bus.sequences(unroutable) == []
    kept = await stores[0].get(tickets[0]["_id"])
    assert kept is not None
    assert (kept["published"], "due_at" in kept) == (0, True)


async def test_sweeper_outlives_a_connection_that_is_stuck(
    stores: list[TicketStore], vhost: Vhost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When the library gives up a connection on which the sweeper waits, the sweeper goes on with the next one."""
    monkeypatch.setattr(store_module, "FIRST_BACKOFF", SHORT)

    async def kept() -> store_module.Document:
        found = await stores[0].get(ticket["_id"])
        assert found is not None
        return found

    async with vhost.door() as (way, url):
        # So long that the library's patience, three heartbeats, ends first.
        bus = vhost.bus(url=f"{url}?heartbeat=1", amqp_publish_timeout=30)
        await bus.start()
        way.stop_up()
        ticket = await opened(stores[0])
        sweeper = asyncio.create_task(Outbox(stores[0], bus, sweep_seconds=0.02).sweep_forever())
        await eventually_async(kept, lambda found: found["sweeps"] > ticket["sweeps"])
        assert "was stuck" in caplog.text
        way.let_through()
        await eventually_async(kept, lambda found: found["published"] == 1)
        assert not sweeper.done()
        sweeper.cancel()
        await bus.stop()
