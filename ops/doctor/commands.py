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

_COLOURS = {Severity.BAD: "red", Severity.WATCH: "yellow"}


def doctor(
    older_than: Annotated[
        float, typer.Option(min=0, help="Minutes for which a letter may be without form or ticket.")
    ] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")] = False,
) -> None:
    """Say what is wrong and what to do; exit 1 if anything is."""
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
        advice = "Bring it back; what was accepted is safe, and services go on by themselves."
        yield Finding("broker-away", Severity.BAD, str(error), advice)
        return
    try:
        with BrokerView(desk) as view:
            yield from look_at_topology(view, desk)
            yield from look_at_bindings(view, desk)
            yield from look_at_room(view)
        yield from look_at_queues(asyncio.run(read_queues(desk)))
    except Refused as error:
        advice = "Without the management API the topology, alarms and rates cannot be seen."
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
            yield Finding("service-away", Severity.BAD, what, f"Start {name}; its log says why it ended.")
            continue
        if failing := [check for check, passes in checks.items() if not passes]:
            what = f"{name} is not ready: {', '.join(failing)}."
            yield Finding(
                "service-not-ready", Severity.BAD, what, "Bring back what it needs; restart it if that is there."
            )


def _show(findings: list[Finding]) -> None:
    console = Console()
    for each in findings:
        console.print(
            f"[{_COLOURS[each.severity]}]{each.severity:5}[/] [bold]{each.code}[/]: {escape(each.what)}",
            highlight=False,
        )
        console.print(f"      → {escape(each.advice)}", highlight=False)
    if not findings:
        console.print("[green]Nothing is wrong.")
