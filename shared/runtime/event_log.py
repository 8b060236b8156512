"""Reading the log of public events from a place in it on."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TypeAlias

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from shared import topology
from shared.runtime.amqp import BusAway, address, stuck_is_away

OFFSET = "x-stream-offset"
PREFETCH = 200
CONNECT_SECONDS = 10
PROOF_SECONDS = 3.0  # in which a log gives an entry that it has

Entry: TypeAlias = tuple[int, bytes]  # its offset, and its body

LogAway = BusAway


class AnotherLogError(Exception):
    """The log is not the one that was read before: deleted and made anew, or cut off before that place."""


class EventLog:
    """The stream ``por.events.log``, read over connections of its own: a slow reader holds up nobody else."""

    def __init__(self, service: str, amqp_url: str) -> None:
        self._url = address(amqp_url, f"{service}-log")

    @asynccontextmanager
    async def after(self, last: Entry | None) -> AsyncIterator[AsyncGenerator[Entry, None]]:
        """Every entry after ``last``, for ever; None: the last few that there are, and every one after.

        Raises:
            AnotherLogError: this log does not have that entry at that place.
            LogAway: the broker is away, or goes, or the log is deleted.
        """
        async with self._reading(last and last[0]) as entries:
            if last is not None and not await _begin_with(entries, last):
                raise AnotherLogError
            yield entries

    async def between(self, first: int, last: int) -> AsyncGenerator[Entry, None]:
        """The entries from offset ``first`` to ``last``, of which the last must be there."""
        async with self._reading(first) as entries:
            async for offset, body in entries:
                yield offset, body
                if offset >= last:
                    return

    @asynccontextmanager
    async def _reading(self, first: int | None) -> AsyncIterator[AsyncGenerator[Entry, None]]:
        """The entries from an offset on. The reader has his place when the block begins: he misses nothing after."""
        arrived: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

        def end(*_: object) -> None:
            arrived.put_nowait(None)

        with stuck_is_away():
            async with await aio_pika.connect(self._url, timeout=CONNECT_SECONDS) as connection:
                channel = await connection.channel()
                channel.close_callbacks.add(end)
                # Where the log is deleted the broker takes the consumer away, and the channel stays.
                (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(end)
                await channel.set_qos(prefetch_count=PREFETCH)
                queue = await channel.get_queue(topology.EVENTS_LOG)
                await queue.consume(arrived.put, arguments={OFFSET: "last" if first is None else first})
                async with aclosing(_entries(arrived)) as entries:
                    yield entries


async def _entries(arrived: asyncio.Queue[AbstractIncomingMessage | None]) -> AsyncGenerator[Entry, None]:
    while (message := await arrived.get()) is not None:
        await message.ack()
        yield int(str(message.headers[OFFSET])), message.body
    raise ConnectionError("the event log's channel was closed, or its consumer taken away")


async def _begin_with(entries: AsyncGenerator[Entry, None], entry: Entry) -> bool:
    """Whether this is the first that comes. From beyond its end a log gives nothing."""
    try:
        async with asyncio.timeout(PROOF_SECONDS):
            return await anext(entries) == entry
    except TimeoutError:
        return False
