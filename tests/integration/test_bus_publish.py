"""What the bus promises to who publishes, on a real broker."""

import asyncio
import time

import pytest
from aio_pika.exceptions import DeliveryError

from shared import topology
from shared.runtime.amqp import BusAway
from tests.fixtures.broker import Vhost
from tests.fixtures.events import submitted
from tests.fixtures.wait import eventually_async

TIMEOUT = 1.0


async def test_published_event_is_persistent_and_carries_its_id(vhost: Vhost) -> None:
    """An event lies on disk under its own id, type and content type, and its body is the event."""
    bus, event = vhost.bus(), submitted()
    await bus.start()
    await bus.publish(event)
    await bus.stop()
    message = (await vhost.drain(topology.CHECK_LETTER.name))[0]
    assert message.delivery_mode == 2
    assert message.message_id == str(event.id)
    assert message.type == "por.request.submitted.v2"
    assert message.content_type == "application/cloudevents+json"
    assert message.correlation_id == str(event.data.request_id)
    assert message.routing_key == "request.submitted"
    assert type(event).model_validate_json(message.body) == event


async def test_unroutable_event_is_an_error_at_its_publisher(vhost: Vhost) -> None:
    """An event that no queue is bound for is not swallowed."""
    bus = vhost.bus()
    await bus.start()
    vhost.management.delete_queue(topology.CHECK_LETTER.name)
    with pytest.raises(DeliveryError):
        await bus.publish(submitted())
    await bus.stop()


async def test_event_that_a_full_queue_refuses_is_an_error_at_its_publisher(vhost: Vhost) -> None:
    """A publish returns only when the broker has said yes: what a full queue refuses is not taken for published."""
    bus, name = vhost.bus(), topology.CHECK_LETTER.name
    await bus.start()
    vhost.management.delete_queue(name)
    async with vhost.channel() as channel:
        queue = await channel.declare_queue(
            name,
            durable=True,
            arguments={"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-max-length": 1},
        )
        await queue.bind(topology.PIPELINE, topology.CHECK_LETTER.routing_key)

    async def refused() -> bool:
        try:
            await bus.publish(submitted())
        except DeliveryError:
            return True
        return False

    await eventually_async(refused)
    await bus.stop()


@pytest.mark.parametrize("how", ["gone", "hanging"])
async def test_publish_without_broker_fails_in_time_and_works_again_after(vhost: Vhost, how: str) -> None:
    """With a broker that is gone, or hangs, a publish raises within its timeout; when it is back, publishing works."""
    async with vhost.door() as (way, url):
        bus = vhost.bus(url=url)
        await bus.start()
        await bus.publish(submitted())
        bus._timeout = TIMEOUT
        if how == "gone":
            await way.shut()
        else:
            way.stop_up()
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(BusAway):
                await bus.publish(submitted())
            assert time.monotonic() - began < 10 * TIMEOUT
        await way.shut()
        await way.open()
        event = submitted("/afterwards")

        async def publish() -> bool:
            try:
                await bus.publish(event)
            except BusAway:
                return False
            return True

        await eventually_async(publish)
        await bus.stop()
    found = await vhost.drain(topology.CHECK_LETTER.name, 2)
    assert str(event.id) in {message.message_id for message in found}


async def test_broker_lost_in_the_middle_of_many_publishes(vhost: Vhost) -> None:
    """When the connection breaks under publishes, each ends confirmed or with an error that its caller knows."""
    async with vhost.door() as (way, url):
        bus = vhost.bus(url=url, amqp_publish_timeout=TIMEOUT)
        await bus.start()
        events = [submitted() for _ in range(200)]
        flights = [asyncio.create_task(bus.publish(event)) for event in events]
        await asyncio.wait(flights, return_when=asyncio.FIRST_COMPLETED)
        late = [submitted() for _ in range(50)]  # on their way, and not to be confirmed any more
        events += late
        flights += [asyncio.create_task(bus.publish(event)) for event in late]
        await asyncio.sleep(0)
        await way.shut()
        outcomes = await asyncio.gather(*flights, return_exceptions=True)
        foreseen = [outcome for outcome in outcomes if isinstance(outcome, BusAway)]
        confirmed = [str(event.id) for event, outcome in zip(events, outcomes, strict=True) if outcome is None]
        assert [repr(o) for o in outcomes if o is not None and o not in foreseen] == []
        assert foreseen, "the connection broke too late for this test to see anything"
        await way.open()
        await bus.stop()
    there = {message.message_id for message in await vhost.drain(topology.CHECK_LETTER.name, len(confirmed))}
    assert set(confirmed) <= there
