"""What the bus makes of a library that cancels, and of a channel that closes in the wrong moment."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aio_pika.exceptions import ChannelInvalidStateError
from faststream.rabbit import RabbitBroker
from prometheus_client import CollectorRegistry

from shared.runtime.breaker import Breaker
from shared.runtime.bus import Bus
from tests.fixtures.broker import settings_for
from tests.fixtures.events import submitted


class Broker:
    """Does what a test says where the library would publish or connect, and notes that it was stopped."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error, self.is_stopped, self.began = error, False, asyncio.Event()

    async def publish(self, *_: object, **__: object) -> None:
        """Raise, or wait for ever."""
        self.began.set()
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()

    async def connect(self) -> None:
        """Raise, or wait for ever."""
        await self.publish()

    async def stop(self) -> None:
        """Note it."""
        self.is_stopped = True


class HeldMessages:
    """A breaker that notes that it let go."""

    has_let_go = False

    def let_go(self) -> None:
        """Note it."""
        self.has_let_go = True


def bus_on(consumer: Broker, publisher: Broker) -> Bus:
    """A bus on brokers of the test."""
    brokers = (cast("RabbitBroker", consumer), cast("RabbitBroker", publisher))
    return Bus("test", settings_for("amqp://127.0.0.1:1/"), CollectorRegistry(), brokers)


async def test_a_stuck_connection_is_a_lost_one_to_who_publishes() -> None:
    """The library cancels what waits on a connection that is stuck: its caller is not cancelled, but gets an error."""
    with pytest.raises(ConnectionError, match="stuck"):
        await bus_on(Broker(), Broker(asyncio.CancelledError())).publish(submitted())


async def test_a_stuck_connection_is_a_lost_one_to_a_service_that_starts() -> None:
    """A start that ends so ends with an error, which is logged."""
    with pytest.raises(ConnectionError, match="stuck"):
        await bus_on(Broker(), Broker(asyncio.CancelledError())).start()


async def test_who_is_cancelled_while_he_publishes_is_cancelled() -> None:
    """A cancellation by others is not taken for a stuck connection."""
    publisher = Broker()
    flight = asyncio.create_task(bus_on(Broker(), publisher).publish(submitted()))
    await publisher.began.wait()
    flight.cancel()
    await asyncio.wait([flight])
    assert flight.cancelled()


@pytest.mark.parametrize("error", [ChannelInvalidStateError(), asyncio.CancelledError(), OSError()], ids=repr)
async def test_a_consumer_that_cannot_be_cancelled_does_not_end_the_stop(error: BaseException) -> None:
    """What is held is let go, and both connections end, though a consumer's channel closes just then, or is stuck."""

    async def cancel(_: str) -> None:
        raise error

    queue = SimpleNamespace(channel=SimpleNamespace(is_closed=False), cancel=cancel)
    consumer, publisher, held = Broker(), Broker(), HeldMessages()
    bus = bus_on(consumer, publisher)
    bus._subscribers.append(cast("Any", SimpleNamespace(_queue_obj=queue, _consumer_tag="c-1")))
    bus._breakers.append(cast("Breaker", held))
    await bus.stop()
    assert (held.has_let_go, consumer.is_stopped, publisher.is_stopped) == (True, True, True)
