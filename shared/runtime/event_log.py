"""Reading the log of public events from a place in it on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from yarl import URL

from shared import topology
from shared.runtime.failures import BusAway

OFFSET = "x-stream-offset"
PREFETCH = 200
CONNECT_SECONDS = 10

LogAway = BusAway


class EventLog:
    """The stream ``por.events.log``, read over connections of its own: a slow reader holds up nobody else."""

    def __init__(self, service: str, amqp_url: str) -> None:
        # The name is what operators see in the list of connections.
        self._url = URL(amqp_url).update_query(name=f"{service}-log")

    async def read(self, first: int | None) -> AsyncGenerator[tuple[int, bytes], None]:
        """Every entry from offset ``first`` on, with its offset, for ever; None: from the last few that there are.

        Raises:
            LogAway: the broker is away, or goes.
        """
        arrived: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

        def end(*_: object) -> None:
            arrived.put_nowait(None)

        async with await aio_pika.connect(self._url, timeout=CONNECT_SECONDS) as connection:
            channel = await connection.channel()
            channel.close_callbacks.add(end)
            await channel.set_qos(prefetch_count=PREFETCH)
            queue = await channel.get_queue(topology.EVENTS_LOG)
            await queue.consume(arrived.put, arguments={OFFSET: "last" if first is None else first})
            while (message := await arrived.get()) is not None:
                await message.ack()
                offset = int(str(message.headers[OFFSET]))
                if first is None or offset >= first:
                    yield offset, message.body
        raise ConnectionError("the event log's channel was closed")

    async def between(self, first: int, last: int) -> AsyncGenerator[tuple[int, bytes], None]:
        """The entries from offset ``first`` to ``last``, of which the last must be there."""
        async with aclosing(self.read(first)) as entries:
            async for offset, body in entries:
                yield offset, body
                if offset >= last:
                    return
