"""``pordesk parked``: what lies in the parking lot, and putting it right."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.access import TOKEN_VARIABLE, OperatorSettings, Refused, connect, find_desk, operator
from ops.events import read_operators_acts
from ops.parked.choosing import Everything, MessageId, Queue, Reason, Request, Ticket, choice_of, meant
from ops.parked.lot import Lot, parking_lot
from ops.parked.parcel import Choice, Parcel

parked = typer.Typer(no_args_is_help=True, help="List, show, replay or drop what lies in the parking lot.")

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]
Token = Annotated[str | None, typer.Option(envvar=TOKEN_VARIABLE, help="An access token with the scope ops.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@parked.command("list")
def list_(  # typer passes by name
    message_id: MessageId = None,
    ticket: Ticket = None,
    request: Request = None,
    reason: Reason = None,
    queue: Queue = None,
    as_json: AsJson = False,
) -> None:
    """What is parked, oldest first; looking changes nothing."""
    desk = find_desk()
    rows = asyncio.run(_rows(desk, choice_of(desk, message_id, ticket, request, reason, queue)))
    if as_json:
        print(json.dumps([parcel.as_json() for parcel in rows]))
    else:
        _show_table(rows)


@parked.command()
def show(message_id: Annotated[str, typer.Argument()], token: Token = None, as_json: AsJson = False) -> None:
    """One message with its headers; its body only to whom the scope ops was given."""
    desk = find_desk()
    rows = asyncio.run(_rows(desk, Choice(message_id=message_id)))
    if not rows:
        raise Refused(f"No message {message_id} is parked. See: pordesk parked list")
    readable = token is not None and bool(asyncio.run(operator(desk, token)))
    found = [_whole(parcel, with_body=readable) for parcel in rows]
    print(json.dumps(found if as_json else found[0] if len(found) == 1 else found, indent=None if as_json else 2))
    if not readable:
        Console(stderr=True).print(f"The body holds personal data: set {TOKEN_VARIABLE} to a token with the scope ops.")


@parked.command()
def replay(  # as above
    message_id: MessageId = None,
    ticket: Ticket = None,
    request: Request = None,
    reason: Reason = None,
    queue: Queue = None,
    everything: Everything = False,
    why: Annotated[str | None, typer.Option(help="Noted beside who did it.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Messages a second, at most.")] = 20.0,
    token: Token = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send messages back to their work queues; may be repeated without a second effect."""
    desk = find_desk()
    choice = meant(choice_of(desk, message_id, ticket, request, reason, queue), everything)
    failures: list[str] = []

    async def act(lot: Lot, parcels: list[Parcel], who: str, told: Callable[[Parcel], None]) -> None:
        failures.extend(await lot.replay(parcels, who, why, rate, told))

    done = asyncio.run(_act(desk, choice, token, "replay", yes=yes, act=act))
    _report("replayed", done, failures, as_json)


@parked.command()
def drop(  # as above
    why: Annotated[str, typer.Option(help="Noted beside who did it.")],
    message_id: MessageId = None,
    ticket: Ticket = None,
    request: Request = None,
    reason: Reason = None,
    queue: Queue = None,
    everything: Everything = False,
    token: Token = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Drop messages for good."""
    desk = find_desk()
    choice = meant(choice_of(desk, message_id, ticket, request, reason, queue), everything)

    async def act(lot: Lot, parcels: list[Parcel], who: str, told: Callable[[Parcel], None]) -> None:
        await lot.drop(parcels, who, why, told)

    done = asyncio.run(_act(desk, choice, token, "drop", yes=yes, act=act))
    _report("dropped", done, [], as_json)


@parked.command()
def history(as_json: AsJson = False) -> None:
    """What operators did with parked messages: when, who, which, why."""
    acts = asyncio.run(read_operators_acts(find_desk().amqp_url.get_secret_value()))
    if as_json:
        print(json.dumps([act.model_dump(mode="json", exclude_none=True) for act in acts]))
        return
    table = Table("When", "Who", "Did", "Message", "Queue", "Reason", "Why")
    for act in acts:
        data = act.data
        did = act.routing_key.removeprefix("parking.")
        table.add_row(
            f"{act.time:%Y-%m-%d %H:%M:%S}", data.who, did, data.message_id, data.queue, data.reason, data.why
        )
    Console().print(table)


@asynccontextmanager
async def _opened(desk: OperatorSettings) -> AsyncIterator[Lot]:
    async with await connect(desk) as connection, parking_lot(connection) as lot:
        yield lot


async def _rows(desk: OperatorSettings, choice: Choice) -> list[Parcel]:
    async with _opened(desk) as lot:
        return lot.chosen(choice)


async def _act(
    desk: OperatorSettings, choice: Choice, token: str | None, verb: str, *, yes: bool, act: Callable[..., Any]
) -> int:
    caller = await operator(desk, token)
    async with _opened(desk) as lot:
        parcels = lot.chosen(choice)
        if not parcels:
            return 0
        _confirm(verb, len(parcels), yes)
        with _bar(verb, len(parcels)) as told:
            await act(lot, parcels, caller.subject, told)
        return len(parcels)


def _confirm(verb: str, count: int, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"This would {verb} {count}. Nobody can be asked here: say --yes.")
    typer.confirm(f"{verb.capitalize()} {count}?", abort=True, err=True)


@contextmanager
def _bar(verb: str, total: int) -> Iterator[Callable[[Parcel], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(verb, total=total)
        yield lambda _: progress.advance(task)


def _report(verb: str, done: int, failures: list[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps({verb: done - len(failures), "failed": failures}))
    else:
        print(f"{done - len(failures)} {verb}." if done else "Nothing is parked that fits.")
        for failure in failures:
            Console(stderr=True).print(failure, style="red", markup=False, highlight=False)
    if failures:
        raise typer.Exit(1)


def _show_table(rows: list[Parcel]) -> None:
    table = Table("Message", "Queue", "Reason", "Tries", "Parked", "Type", "Request", "Ticket")
    for row in rows:
        table.add_row(
            row.message_id,
            row.queue,
            row.reason,
            str(row.attempts),
            age(row.parked_at),
            row.type or "?",
            row.request_id or "?",
            row.ticket,
        )
    Console().print(table if rows else "Nothing is parked that fits.")


def age(moment: datetime | None) -> str:
    """How long ago, in the largest unit that fits."""
    if moment is None:
        return "?"
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def _whole(parcel: Parcel, *, with_body: bool) -> dict[str, Any]:
    headers = json.loads(json.dumps(dict(parcel.message.headers), default=str))
    body = {"body": parcel.message.body.decode(errors="replace")} if with_body else {}
    return {**parcel.as_json(), "headers": headers, **body}
