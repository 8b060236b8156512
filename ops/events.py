"""Reads the streams of events from their beginning, as a downstream system would."""

import asyncio
from typing import TypeVar

import aio_pika
from pydantic import TypeAdapter

from shared import topology
from shared.contracts.parking import ParkingEvent
from shared.contracts.tickets import TicketEvent

E = TypeVar("E")

_TICKET_EVENTS: TypeAdapter[TicketEvent] = TypeAdapter(TicketEvent)
_PARKING_EVENTS: TypeAdapter[ParkingEvent] = TypeAdapter(ParkingEvent)


async def read_stream(amqp_url: str, quiet_seconds: float = 1.0) -> list[TicketEvent]:
    """Every public event in the log, in order; done when nothing came for ``quiet_seconds``."""
    return await _read(amqp_url, topology.EVENTS_LOG, _TICKET_EVENTS, quiet_seconds)


async def read_operators_acts(amqp_url: str, quiet_seconds: float = 1.0) -> list[ParkingEvent]:
    """Every act of an operator in the log, in order."""
    return await _read(amqp_url, topology.OPERATIONS_LOG, _PARKING_EVENTS, quiet_seconds)


async def _read(amqp_url: str, log: str, adapter: TypeAdapter[E], quiet_seconds: float) -> list[E]:
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        queue = await channel.get_queue(log)
        arrived: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            await arrived.put(message.body)
            await message.ack()

        await queue.consume(take, arguments={"x-stream-offset": "first"})
        events: list[E] = []
        while True:
            try:
                body = await asyncio.wait_for(arrived.get(), quiet_seconds)
            except TimeoutError:
                return events
            events.append(adapter.validate_json(body))
