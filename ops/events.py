"""Reads the streams of events from their beginning, as a downstream system would."""

import asyncio
from typing import TypeVar

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from pydantic import TypeAdapter

from shared import topology
from shared.contracts.parking import ParkingEvent
from shared.contracts.tickets import TicketEvent

E = TypeVar("E")

ANSWER_SECONDS = 5.0

_TICKET_EVENTS: TypeAdapter[TicketEvent] = TypeAdapter(TicketEvent)
_PARKING_EVENTS: TypeAdapter[ParkingEvent] = TypeAdapter(ParkingEvent)


async def read_stream(amqp_url: str, quiet_seconds: float = 1.0) -> list[TicketEvent]:
    """Every public event in the log, in order; done when nothing came for ``quiet_seconds``."""
    async with await aio_pika.connect(amqp_url) as connection:
        return await _read(connection, topology.EVENTS_LOG, _TICKET_EVENTS, quiet_seconds)


async def read_operators_acts(connection: AbstractConnection, quiet_seconds: float = 1.0) -> list[ParkingEvent]:
    """Every act of an operator in the log, in order."""
    return await _read(connection, topology.OPERATIONS_LOG, _PARKING_EVENTS, quiet_seconds)


async def _read(connection: AbstractConnection, log: str, adapter: TypeAdapter[E], quiet_seconds: float) -> list[E]:
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=100)
    queue = await channel.get_queue(log)
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(message: AbstractIncomingMessage) -> None:
        await arrived.put(message.body)
        await message.ack()

    consumer = await queue.consume(take, arguments={"x-stream-offset": "first"})
    events: list[E] = []
    while True:
        try:
            body = await asyncio.wait_for(arrived.get(), quiet_seconds)
        except TimeoutError:
            break
        events.append(adapter.validate_json(body))
    # Fails on a connection that was lost meanwhile: a part must not be taken for all.
    await queue.cancel(consumer, timeout=ANSWER_SECONDS)
    return events
