"""What FastStream does not tell of its consumers, nor let be done with them; the only file that looks inside it."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from aio_pika.abc import AbstractRobustChannel
from faststream.rabbit.subscriber import RabbitSubscriber

from shared.runtime.amqp import BusAway, stuck_is_away

if TYPE_CHECKING:
    import aiormq

CANCEL_SECONDS = 1.0


async def is_consuming(subscriber: RabbitSubscriber) -> bool:
    """Whether the broker still knows this consumer; FastStream's own ping stays green when it is lost."""
    queue, tag = subscriber._queue_obj, subscriber._consumer_tag  # noqa: SLF001
    if queue is None or tag is None:
        return False
    if queue.channel.is_closed:
        return False
    return tag in (await _underlay(subscriber)).consumers


async def renew(subscriber: RabbitSubscriber) -> None:
    """Close its channel: the library opens another and consumes anew, and what was not acknowledged comes again.

    Nothing is done to one that does not consume.
    """
    if not await is_consuming(subscriber):
        return
    async with asyncio.timeout(CANCEL_SECONDS):
        await (await _underlay(subscriber)).close()


async def _underlay(subscriber: RabbitSubscriber) -> "aiormq.Channel":
    queue = subscriber._queue_obj  # noqa: SLF001
    assert queue is not None
    channel: AbstractRobustChannel = queue.channel  # type: ignore[assignment]  # robust by construction
    return cast("aiormq.Channel", await asyncio.wait_for(channel.get_underlay_channel(), 1))


async def cancel(subscriber: RabbitSubscriber) -> None:
    """Have nothing delivered any more; what is in work goes on.

    FastStream takes deliveries until its last message is done, and hands them back unhandled with their count raised.
    """
    queue, tag = subscriber._queue_obj, subscriber._consumer_tag  # noqa: SLF001
    if queue is None or tag is None or queue.channel.is_closed:
        return
    with suppress(*BusAway), stuck_is_away():  # the broker is gone, and with it the consumer
        async with asyncio.timeout(CANCEL_SECONDS):
            await queue.cancel(tag)
    subscriber._consumer_tag = None  # noqa: SLF001  # it is cancelled, and must not be again
