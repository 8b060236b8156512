"""The bench: a stack of its own, the desk under load on it, then the floor on the same servers."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.bench.figures import BenchFailed, Times, memory, per_ticket, percentiles, show
from ops.bench.meter import Usage, measure
from ops.bench.parts import read_outcome
from ops.bench.worker import Worker
from ops.stack import Stack
from ops.tokens import Mint

HOME = Path(".local/bench")  # not the folder of `pordesk run`: its tickets are none of our business
MAX_FLOOR = 500
_FLOOR_SERVERS = ("rabbitmq", "mongodb", "object_store", "smtp")


def bench(requests: int, in_flight: int, letter_bytes: int, json_only: bool, home: Path = HOME) -> dict[str, Any]:
    """Measure the desk and the floor.

    Raises:
        BenchFailed: no request was accepted, or one of the bench's processes failed.
    """
    console = Console(quiet=json_only)
    # One producer posts for a thousand.
    env = {"POR_RATE_PER_SECOND": "100000", "POR_RATE_BURST": "100000", "POR_MAX_UPLOADS": str(4 * in_flight)}
    with Stack(
        home, env=env, announce=lambda line: console.print(f"[dim]  {line}[/]", highlight=False), fresh=True
    ) as stack:
        tickets = min(requests, MAX_FLOOR)
        half = tickets // 2
        _drive(stack, console, "warm-up", "P9000", 2 * in_flight, in_flight, letter_bytes)
        # Half of the floor before the desk and half after: what else the machine does meanwhile strikes both alike.
        floor = [_floor(stack, console, half, in_flight, letter_bytes)]
        result, usage = _drive(stack, console, "desk", "P9001", requests, in_flight, letter_bytes)
        floor.append(_floor(stack, console, tickets - half, in_flight, letter_bytes))
        # Only now: a second mail about the same ticket would have had time to arrive.
        figures = {
            "requests": requests,
            "in_flight": in_flight,
            "letter_bytes": letter_bytes,
            **_judge(stack, result["answers"], "P9001"),
            "cpu_ms_per_ticket": per_ticket(usage.cpu, requests),
            "load_generator_cpu_ms_per_ticket": round(result["cpu_seconds"] * 1000 / requests, 2),
            "rss_mb": memory(usage.rss),
            "floor_tickets_per_s": round(tickets / sum(seconds for seconds, _ in floor), 1),
            "floor_cpu_ms_per_ticket": per_ticket({n: sum(cpu[n] for _, cpu in floor) for n in floor[0][1]}, tickets),
        }
    figures["ratio_to_floor"] = round(figures["tickets_per_s"] / figures["floor_tickets_per_s"], 3)
    for data in ("rabbitmq", "mongodb", "objects", "mail"):
        shutil.rmtree(home / data, ignore_errors=True)
    show(figures, console)
    return figures


def _drive(
    stack: Stack, console: Console, name: str, producer: str, requests: int, in_flight: int, letter_bytes: int
) -> tuple[dict[str, Any], Usage]:
    """Post requests until the mail of each is delivered."""
    spec = {
        "gateway": stack.info.services["intake"],
        "token": Mint(Path(stack.info.signing_key)).producer(producer),
        "requests": requests,
        "in_flight": in_flight,
        "letter_bytes": letter_bytes,
        "run": uuid4().hex,
    }
    with Worker("ops.bench.load", spec) as worker, _progress(console, name, requests) as progress:
        usage = measure(stack, worker, requests, progress)
        return worker.result(), usage


def _floor(stack: Stack, console: Console, requests: int, in_flight: int, letter_bytes: int) -> tuple[float, Times]:
    """The same on the same servers without the desk; its mails are counted in the same box.

    Returns how many seconds it took, and the CPU seconds by process.
    """
    info = stack.info
    spec = {
        "amqp_url": info.rabbitmq.url_with_credentials,
        "mongodb_url": info.mongodb.url,
        "object_store": asdict(info.object_store),
        "smtp_url": info.smtp.url,
        "requests": requests,
        "in_flight": in_flight,
        "warm_up": 2 * in_flight,
        "letter_bytes": letter_bytes,
    }
    with Worker("ops.bench.floor", spec) as worker, _progress(console, "floor", requests) as progress:
        usage = measure(stack, worker, requests, progress)
        result = worker.result()
    return result["seconds"], {
        "floor": result["cpu_seconds"],
        **{name: usage.cpu[name] for name in _FLOOR_SERVERS},
    }


def _judge(stack: Stack, answers: list[dict[str, Any]], producer: str) -> dict[str, Any]:
    """Rates and times of what was accepted, and whether all of it became one ticket and one mail."""
    accepted = {answer["request_id"]: answer for answer in answers if answer["request_id"]}
    outcome = read_outcome(stack.info, producer)
    delivered = {request: outcome.mails[request][0].delivered_ns for request in accepted if request in outcome.mails}
    if not delivered:
        raise BenchFailed(f"nothing was accepted and mailed; answers: {sorted({a['status'] for a in answers})}")
    requests = [answer["request_id"] for answer in answers if answer["request_id"]]
    began = min(answer["sent_ns"] for answer in answers)
    accepted_for = max(answer["answered_ns"] for answer in answers) - began
    return {
        "accepted_per_s": round(len(requests) * 1e9 / accepted_for, 1),
        "tickets_per_s": round(len(delivered) * 1e9 / (max(delivered.values()) - began), 1),
        "accept_ms": percentiles((a["answered_ns"] - a["sent_ns"]) / 1e6 for a in accepted.values()),
        "ticket_ms": percentiles((at - accepted[request]["sent_ns"]) / 1e6 for request, at in delivered.items()),
        "refused": len(answers) - len(requests),
        "lost": outcome.lost(requests),
        "duplicated": outcome.duplicated(requests, len(answers)),
    }


@contextmanager
def _progress(console: Console, name: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for a person, one line for a log."""
    columns = (TextColumn("  {task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    done = 0
    with Progress(*columns, console=console, disable=not console.is_terminal, refresh_per_second=4) as bar:
        task = bar.add_task(name, total=total)

        def update(count: int) -> None:
            nonlocal done
            done = count
            bar.update(task, completed=count)

        yield update
    if not console.is_terminal:
        console.print(f"  {name}: {done} of {total} mails", highlight=False)
