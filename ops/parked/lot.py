"""Holding what lies in a parking lot, to look at it or to act on it; what was not acked lies there as before.

All of it is held by one consumer, and given back by closing its channel: so the order stays. With ``basic.get`` each
message would be a consumer of its own and they would come back shuffled; a part alone would come back behind the rest
(measured on RabbitMQ 3.10).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from ops.access import counts, require
from ops.parked.parcel import LOTS, Choice, Parcel, parcel_of

MOST = 65_535  # the largest prefetch of AMQP
QUIET_SECONDS = 3.0
BACK_SECONDS = 5.0


class Held:
    """What is held of one lot: ``is_part`` where it is too much for one look, ``shared`` where others hold some too."""

    def __init__(self, lot: str, ready: int, shared: bool) -> None:
        self.lot, self.shared = lot, shared
        self.is_part = ready > MOST
        self._expected = min(ready, MOST)
        self._arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Keep a message, unacked."""
        await self._arrived.put(message)

    async def parcels(self) -> AsyncIterator[Parcel]:
        """Each that was ready at the beginning, in order; ends early where somebody else took the rest."""
        for _ in range(self._expected):
            try:
                message = await asyncio.wait_for(self._arrived.get(), QUIET_SECONDS)
            except TimeoutError:
                self.shared = True
                return
            yield parcel_of(message, self.lot)


@asynccontextmanager
async def holding(connection: AbstractConnection, lot: str) -> AsyncIterator[Held]:
    """Hold a lot; at the end everything that was not acked is back, as it was.

    Raises:
        Refused: there is no such queue.
    """
    ready, others = await require(connection, lot)
    held = Held(lot, ready, shared=others > 0)
    if not ready:
        yield held
        return
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=MOST)
    queue = await channel.get_queue(lot, ensure=False)
    await queue.consume(held.take)
    try:
        yield held
    finally:
        await channel.close()
        await _given_back(connection, lot, others)


async def _given_back(connection: AbstractConnection, lot: str, others: int) -> None:
    """Wait until the broker has it all back: the next command must find it."""
    deadline = time.monotonic() + BACK_SECONDS
    while time.monotonic() < deadline:
        found = await counts(connection, lot)
        if found is None or found[1] <= others:
            return
        await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Look:
    """What a look found, and whether it may not be all: too much for one look, or in somebody else's hands."""

    parcels: tuple[Parcel, ...]
    is_part: bool
    shared: bool


async def look(connection: AbstractConnection, choice: Choice) -> Look:
    """What is meant of all that lies in the lots, the longest parked first; nothing is changed by it."""
    found: list[Parcel] = []
    lots: list[Held] = []
    for lot in LOTS:
        async with holding(connection, lot) as held:
            lots.append(held)
            found += [parcel async for parcel in held.parcels() if choice.includes(parcel)]
    found.sort(key=lambda parcel: parcel.key[-1])
    return Look(tuple(found), is_part=any(each.is_part for each in lots), shared=any(each.shared for each in lots))
