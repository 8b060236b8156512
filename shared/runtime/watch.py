"""Consumers to whom nothing is delivered though messages wait for them, and how they are set going again.

RabbitMQ may forget what a consumer has acknowledged while a quorum queue changes its leader (seen with 3.10 when two
of three nodes died). It then takes the consumer for busy, and delivers nothing until its timeout of 30 minutes.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel
from faststream.rabbit.subscriber import RabbitSubscriber
from yarl import URL

from shared.runtime.amqp import BusAway, stuck_is_away
from shared.runtime.consumers import renew
from shared.runtime.failures import Pulse
from shared.runtime.logs import log

LOOK_SECONDS = 3.0
CONNECT_SECONDS = 5.0


@dataclass
class Watched:
    """One consumer, and what its pulse had taken at the last look; None: nothing was amiss then."""

    subscriber: RabbitSubscriber
    pulse: Pulse
    taken_before: int | None = None


async def watch_forever(url: URL, watched: Iterable[Watched]) -> None:
    """Renew each consumer that between two looks took nothing, has nothing in hand, and has messages waiting.

    It looks over a connection of its own: to ask for a queue that is gone would cost a consumer its channel.
    """
    consumers = list(watched)
    while True:
        try:
            await _look_at_all(url, consumers)
        except (*BusAway, RuntimeError) as error:  # the library's own word for a connection that is closed
            log.info("watch interrupted", reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001  # whatever it is: without the watch a deaf consumer would stay deaf
            log.error("watch interrupted", exc_info=error)
        for each in consumers:
            each.taken_before = None
        await asyncio.sleep(LOOK_SECONDS)


async def _look_at_all(url: URL, consumers: Iterable[Watched]) -> None:
    with stuck_is_away():
        async with await aio_pika.connect(url, timeout=CONNECT_SECONDS) as connection:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                async with asyncio.timeout(2 * CONNECT_SECONDS), await connection.channel() as channel:
                    for each in consumers:
                        await _look(each, channel)


async def _look(each: Watched, channel: AbstractChannel) -> None:
    if each.pulse.in_hand or not await _waiting(each.subscriber.queue.name, channel):
        each.taken_before = None
    elif each.taken_before == each.pulse.taken:
        log.warning("consumer renewed", queue=each.subscriber.queue.name)
        each.taken_before = None
        await renew(each.subscriber)
    else:
        each.taken_before = each.pulse.taken


async def _waiting(queue: str, channel: AbstractChannel) -> int:
    declared = await channel.declare_queue(queue, passive=True, timeout=CONNECT_SECONDS)
    return declared.declaration_result.message_count or 0
