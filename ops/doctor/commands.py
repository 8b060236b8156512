"""``pordesk doctor``: every look, and what they found."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.markup import escape

from ops.access import OperatorSettings, Refused, connect, find_desk
from ops.broker_view import BrokerView
from ops.doctor.broker import look_at_bindings, look_at_queues, look_at_room, look_at_topology
from ops.doctor.finding import Finding, Severity
from ops.doctor.keeping import look_at_events, look_at_letters
from ops.queues import read_queues

MOST_MINUTES = 10 * 365 * 24 * 60
_COLOURS = {Severity.BAD: "red", Severity.WATCH: "yellow"}


def doctor(
    older_than: Annotated[
        float,
        typer.Option(min=0, max=MOST_MINUTES, help="Skip letters younger than this many minutes."),
    ] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find problems and say what to do about them; exit with 1 if there are any."""
    findings = [*examine(find_desk(), timedelta(minutes=older_than))]
    if as_json:
        print(json.dumps([asdict(each) for each in findings]))
    else:
        _show(findings)
    if findings:
        raise typer.Exit(1)


def examine(desk: OperatorSettings, older_than: timedelta) -> Iterator[Finding]:
    """Every look in turn; what cannot be looked at is a finding too."""
    yield from _look_at_broker(desk)
    yield from look_at_events(desk)
    yield from look_at_letters(desk, older_than)
    yield from _look_at_services(desk)


def _look_at_broker(desk: OperatorSettings) -> Iterator[Finding]:
    try:
        asyncio.run(_greet(desk))
    except Refused as error:
        advice = "Start it again. Accepted requests are safe, and the services reconnect on their own."
        yield Finding("broker-away", Severity.BAD, str(error), advice)
        return
    try:
        with BrokerView(desk) as view:
            yield from look_at_topology(view, desk)
            yield from look_at_bindings(view, desk)
            yield from look_at_room(view)
        yield from look_at_queues(asyncio.run(read_queues(desk)))
    except Refused as error:
        advice = "Until it answers, topology, alarms and queues cannot be checked."
        yield Finding("broker-not-seen", Severity.WATCH, str(error), advice)


async def _greet(desk: OperatorSettings) -> None:
    async with connect(desk):
        pass


def _look_at_services(desk: OperatorSettings) -> Iterator[Finding]:
    for name, url in desk.service_urls.items():
        try:
            answer = httpx.get(f"{url}/readyz", timeout=5, trust_env=False)
            checks = answer.json()["checks"]
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            what = f"{name} does not answer ({type(error).__name__})."
            yield Finding("service-away", Severity.BAD, what, f"Start {name}; its log says why it stopped.")
            continue
        if failing := [check for check, passes in checks.items() if not passes]:
            what = f"{name} is not ready: {', '.join(failing)}."
            advice = f"Start what it needs. If all of that is running, restart {name}."
            yield Finding("service-not-ready", Severity.BAD, what, advice)


def _show(findings: list[Finding]) -> None:
    console = Console()
    for each in findings:
        console.print(
            f"[{_COLOURS[each.severity]}]{each.severity:5}[/] [bold]{each.code}[/]: {escape(each.what)}",
            highlight=False,
        )
        console.print(f"      → {escape(each.advice)}", highlight=False)
    if not findings:
        console.print("[green]No problems found.")
