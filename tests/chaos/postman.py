"""A postman between the exchanges and the work queues, who hands everything over twice, or in no order at all."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from fnmatch import fnmatch

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage

from shared import topology
from shared.topology import WorkQueue

HELD = 12  # so many at a time are shuffled
HELD_SECONDS = 0.5


class Postman:
    """Hears what the given work queues hear, and puts copies into them through ``por.redeliver``, shuffled."""

    def __init__(self, queues: tuple[WorkQueue, ...], redeliver: AbstractExchange) -> None:
        self._queues, self._redeliver = queues, redeliver
        self.bag: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self.delivered = 0

    async def deliver_forever(self) -> None:
        """Hand over whatever comes."""
        while True:
            await self.deliver()

    async def deliver(self) -> None:
        """Hand over a bagful in random order; what is handed over is acked."""
        held = [await self.bag.get()]
        with suppress(TimeoutError):
            async with asyncio.timeout(HELD_SECONDS):
                while len(held) < HELD:
                    held.append(await self.bag.get())
        random.shuffle(held)
        for message in held:
            for queue in self._queues:
                if message.exchange == queue.exchange and _is_for(message.routing_key or "", queue):
                    await self._redeliver.publish(_copy(message), queue.name)
                    self.delivered += 1
            await message.ack()


def _is_for(routing_key: str, queue: WorkQueue) -> bool:
    return fnmatch(routing_key, queue.routing_key.replace("#", "*"))


def _copy(message: AbstractIncomingMessage) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        content_type=message.content_type,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        type=message.type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


@asynccontextmanager
async def postman(url: str, *queues: WorkQueue) -> AsyncIterator[Postman]:
    """A postman at work; at the end he has handed over everything he had."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        man = Postman(queues, await channel.get_exchange(topology.REDELIVER))
        box = await channel.declare_queue(exclusive=True)
        for exchange, key in {(each.exchange, each.routing_key) for each in queues}:
            await box.bind(exchange, key)
        tag = await box.consume(man.bag.put)
        working = asyncio.create_task(man.deliver_forever())
        try:
            yield man
        finally:
            await box.cancel(tag)
            await asyncio.sleep(2 * HELD_SECONDS + 1)
            working.cancel()
