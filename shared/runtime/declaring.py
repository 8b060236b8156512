"""Makes the broker have what the topology says."""

import aio_pika
from yarl import URL

from shared import topology


async def declare_topology(url: str | URL, retry_delays: tuple[float, ...]) -> None:
    """Declare every exchange, queue and binding; existing ones are left as they are, retired bindings removed.

    Raises:
        aio_pika.exceptions.ChannelPreconditionFailed: one exists with other arguments.
    """
    connection = await aio_pika.connect(url, timeout=10)
    async with connection:
        channel = await connection.channel()
        for exchange in topology.exchanges():
            await channel.declare_exchange(
                exchange.name,
                exchange.type.value,
                durable=True,
                arguments=dict(exchange.arguments),
            )
        for queue in topology.queues(retry_delays):
            declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
            for source, routing_key in queue.bindings:
                await declared.bind(source, routing_key)
        for source, name, routing_key in topology.RETIRED_BINDINGS:
            retired = await channel.get_queue(name, ensure=False)
            await retired.unbind(source, routing_key)
