"""``pordesk queues``: how deep each queue is, how fast it moves, who works it off, and how old what waits is."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import typer
from aio_pika.abc import AbstractConnection
from rich.console import Console
from rich.live import Live
from rich.table import Table

from ops.access import OperatorSettings, connect, counts, find_desk
from ops.broker_view import LONGEST_SECONDS, BrokerView
from ops.parked.parcel import LOTS
from ops.terminal import span
from shared import topology

WATCH_SECONDS = 2.0
# Zeros from before the broker's start are only the lack of a record; it takes two collections until there is one.
FIRST_RECORD_SECONDS = 15.0


@dataclass(frozen=True)
class QueueState:
    """One queue; rates are messages a second.

    Of the oldest message a bound is known: it came after the queue was last empty. No message is taken out to see it:
    in a work queue that would count as a delivery in vain, and it would put that message behind others.
    """

    name: str
    ready: int
    unacked: int
    consumers: int
    in_rate: float
    out_rate: float
    oldest_at_most_seconds: float | None = None
    oldest_at_least_seconds: float | None = None


def queues(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every two seconds until Ctrl-C.")] = False,
) -> None:
    """Show every queue: depth, consumers, rates, and how long its oldest message has waited."""
    desk = find_desk()
    if not watch:
        _print(asyncio.run(read_queues(desk)), as_json)
        return
    with suppress(KeyboardInterrupt):
        _watch(desk, as_json)


def _watch(desk: OperatorSettings, as_json: bool) -> None:
    console = Console()
    if as_json or not console.is_terminal:
        while True:
            _print(asyncio.run(read_queues(desk)), as_json)
            time.sleep(WATCH_SECONDS)
    with Live(console=console, refresh_per_second=4) as live:
        while True:
            live.update(_table(asyncio.run(read_queues(desk))))
            time.sleep(WATCH_SECONDS)


def _print(states: list[QueueState], as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(state) for state in states]), flush=True)
    else:
        Console().print(_table(states))


async def read_queues(desk: OperatorSettings) -> list[QueueState]:
    """Every queue of the topology that is there; ready and consumers are of this moment, the rest is seconds old."""
    with BrokerView(desk) as view:
        told, records = view.queues(), view.lengths()
        known = view.uptime() - FIRST_RECORD_SECONDS
    async with connect(desk) as connection:
        states = []
        for queue in topology.queues(desk.retry_delays):
            if queue.name not in told:
                continue
            state = await _state(connection, queue.name, told[queue.name])
            waits = state.ready or state.unacked
            states.append(_aged(state, records[queue.name], known) if waits else state)
        return states


async def _state(connection: AbstractConnection, name: str, told: dict[str, Any]) -> QueueState:
    stats = told.get("message_stats", {})
    ready, consumers = told.get("messages_ready", 0), told.get("consumers", 0)
    if told.get("arguments", {}).get("x-queue-type") != "stream":  # of a stream only the API knows a length
        ready, consumers = await counts(connection, name) or (0, 0)
    return QueueState(
        name,
        ready,
        told.get("messages_unacknowledged", 0),
        consumers,
        _rate(stats, "publish_details"),
        _rate(stats, "ack_details"),
    )


def _aged(state: QueueState, samples: list[tuple[float, int]], known: float) -> QueueState:
    """With how long it has not been empty, by its ``samples`` (seconds ago, length) of the last ``known`` seconds."""
    if empty := [ago for ago, length in samples if length == 0 and 0 <= ago <= known]:
        return replace(state, oldest_at_most_seconds=round(min(empty), 1))
    return replace(state, oldest_at_least_seconds=round(max(0.0, min(known, LONGEST_SECONDS)), 1))


def _bound(state: QueueState) -> str:
    if state.oldest_at_most_seconds is not None:
        return f"< {span(state.oldest_at_most_seconds)}"
    return "" if state.oldest_at_least_seconds is None else f"> {span(state.oldest_at_least_seconds)}"


def _rate(stats: dict[str, Any], name: str) -> float:
    return float(stats.get(name, {}).get("rate", 0.0))


def _table(states: list[QueueState]) -> Table:
    table = Table(title="Queues")
    table.add_column("Queue", no_wrap=True)
    for head in ("Ready", "Unacked", "Consumers", "In/s", "Out/s", "Oldest"):
        table.add_column(head, justify="right")
    for state in states:
        alarming = state.name in LOTS and state.ready
        table.add_row(
            state.name,
            str(state.ready),
            str(state.unacked),
            str(state.consumers),
            f"{state.in_rate:.1f}",
            f"{state.out_rate:.1f}",
            _bound(state),
            style="red" if alarming else None,
        )
    return table
