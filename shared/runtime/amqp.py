"""What every connection of a service to RabbitMQ has in common: its name, its heartbeat, and what it raises."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError
from yarl import URL

HEARTBEAT_SECONDS = 10

# What a call raises where the broker is away, refuses, or does not answer in time.
BusAway = (AMQPError, OSError, ChannelInvalidStateError)
# Of these: that this message alone is not taken, for no queue is bound for it, or its queue is full.
BusRefuses = DeliveryError


def address(url: str, name: str) -> URL:
    """The broker's address for one connection; operators see its ``name`` in the list of connections.

    The heartbeat is the client's to say: the library heeds what its address says, and not what the broker proposes. It
    gives a silent broker up after three of them, and a second for each.
    """
    given = URL(url)
    return given.update_query(name=name, heartbeat=given.query.get("heartbeat", HEARTBEAT_SECONDS))


@contextmanager
def stuck_is_away() -> Iterator[None]:
    """Calls of the broker, whose connection may turn out to be stuck.

    The library then cancels its own reader, and hands that on to all who wait for an answer, as if these had been
    cancelled; nobody outside would know it from a service that stops.

    Raises:
        ConnectionError: the connection was stuck.
    """
    try:
        yield
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        raise ConnectionError("the connection to the broker was stuck") from None
