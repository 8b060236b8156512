"""Reads the stream of public events from its beginning, as a downstream system would."""

import asyncio

import aio_pika
from pydantic import TypeAdapter

from shared import topology
from shared.contracts.tickets import TicketEvent

_EVENTS: TypeAdapter[TicketEvent] = TypeAdapter(TicketEvent)


async def read_stream(amqp_url: str, quiet_seconds: float = 1.0) -> list[TicketEvent]:
    """Every event in the log, in order; done when nothing came for ``quiet_seconds``."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        queue = await channel.get_queue(topology.EVENTS_LOG)
        arrived: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            await arrived.put(message.body)
            await message.ack()

        await queue.consume(take, arguments={"x-stream-offset": "first"})
        events: list[TicketEvent] = []
        while True:
            try:
                body = await asyncio.wait_for(arrived.get(), quiet_seconds)
            except TimeoutError:
                return events
            events.append(_EVENTS.validate_json(body))
