"""``pordesk queues``: how deep each queue is, how fast it moves, who works it off, and how old what waits is."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity
from rich.console import Console
from rich.live import Live
from rich.table import Table

from ops.access import OperatorSettings, connect, find_desk
from ops.broker_view import BrokerView
from ops.parked.parcel import parcel_of
from shared import topology

WATCH_SECONDS = 2.0
# Of all others a look would count as a delivery in vain: services tell the age of what they take.
LOOKED_INTO = (topology.PARKING, topology.UNROUTED)


@dataclass(frozen=True)
class QueueState:
    """One queue; rates are messages a second, ``oldest_seconds`` is None where it cannot be seen without a trace."""

    name: str
    ready: int
    unacked: int
    consumers: int
    in_rate: float
    out_rate: float
    oldest_seconds: float | None = None


def queues(
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Depth, rates, consumers and oldest message of every queue, and what found no queue."""
    desk = find_desk()
    if not watch:
        states = asyncio.run(read_queues(desk))
        print(json.dumps([asdict(state) for state in states])) if as_json else Console().print(_table(states))
        return
    with Live(refresh_per_second=4) as live:
        while True:
            live.update(_table(asyncio.run(read_queues(desk))))
            time.sleep(WATCH_SECONDS)


async def read_queues(desk: OperatorSettings) -> list[QueueState]:
    """Every queue of the topology that is there; ready and consumers are of this moment, the rest is seconds old."""
    with BrokerView(desk) as view:
        told = view.queues()
    async with await connect(desk) as connection:
        states = []
        for queue in topology.queues(desk.retry_delays):
            if queue.name not in told:
                continue
            async with _channel(connection) as channel:
                states.append(await _state(channel, queue.name, told[queue.name]))
        return states


async def _state(channel: AbstractChannel, name: str, told: dict[str, Any]) -> QueueState:
    stats = told.get("message_stats", {})
    ready, consumers = told.get("messages_ready", 0), told.get("consumers", 0)
    if told.get("arguments", {}).get("x-queue-type") != "stream":  # of a stream only the API knows a length
        try:
            declared = (await channel.declare_queue(name, passive=True)).declaration_result
            ready, consumers = declared.message_count or 0, declared.consumer_count or 0
        except ChannelNotFoundEntity:
            ready = consumers = 0
    return QueueState(
        name,
        ready,
        told.get("messages_unacknowledged", 0),
        consumers,
        _rate(stats, "publish_details"),
        _rate(stats, "ack_details"),
        await _oldest(channel, name) if ready and name in LOOKED_INTO else None,
    )


async def _oldest(channel: AbstractChannel, name: str) -> float | None:
    queue = await channel.get_queue(name, ensure=False)
    message = await queue.get(fail=False)  # goes back with the channel
    if message is None:
        return None
    since = parcel_of(message).parked_at or message.timestamp
    return round((datetime.now(UTC) - since).total_seconds(), 1) if since else None


def _rate(stats: dict[str, Any], name: str) -> float:
    return float(stats.get(name, {}).get("rate", 0.0))


@asynccontextmanager
async def _channel(connection: Any) -> AsyncIterator[AbstractChannel]:
    channel: AbstractChannel = await connection.channel()
    try:
        yield channel
    finally:
        await channel.close()


def _table(states: list[QueueState]) -> Table:
    table = Table(title="Queues")
    table.add_column("Queue", no_wrap=True)
    for head in ("Ready", "In work", "Consumers", "In/s", "Out/s", "Oldest"):
        table.add_column(head, justify="right")
    for state in states:
        oldest = "" if state.oldest_seconds is None else f"{state.oldest_seconds:.0f} s"
        alarming = state.name in LOOKED_INTO and state.ready
        table.add_row(
            state.name,
            str(state.ready),
            str(state.unacked),
            str(state.consumers),
            f"{state.in_rate:.1f}",
            f"{state.out_rate:.1f}",
            oldest,
            style="red" if alarming else None,
        )
    return table
