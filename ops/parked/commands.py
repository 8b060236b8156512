"""``pordesk parked``: what lies in the parking lot, and putting it right."""

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ops.access import TOKEN_VARIABLE, OperatorSettings, Refused, connect, find_desk, operator, require
from ops.events import read_operators_acts
from ops.parked.choosing import Everything, MessageId, Queue, Reason, Request, Ticket, choice_of, meant
from ops.parked.errand import NONE_MATCH, act_on, look_at, tell_what_may_be_missing
from ops.parked.parcel import Choice, Parcel
from ops.terminal import age, note, print_table, printable
from shared import topology
from shared.contracts.parking import ParkingDropped, ParkingEvent, ParkingReplayed

# Dropping asks nothing of anybody but the broker.
DROPS_A_SECOND = 1000.0

parked = typer.Typer(no_args_is_help=True, help="List, show, replay or drop parked messages.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Token = Annotated[str | None, typer.Option(envvar=TOKEN_VARIABLE, help="Access token with the scope ops.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


@parked.command("list")
def list_(
    message_id: MessageId = None,
    ticket: Ticket = None,
    request: Request = None,
    reason: Reason = None,
    queue: Queue = None,
    as_json: AsJson = False,
) -> None:
    """List parked messages, oldest first; changes nothing."""
    desk = find_desk()
    found = look_at(desk, choice_of(desk, message_id, ticket, request, reason, queue))
    if as_json:
        print(json.dumps([parcel.as_json() for parcel in found.parcels]))
    elif found.parcels:
        _show_table(found.parcels)
    else:
        print(NONE_MATCH)
    tell_what_may_be_missing(found)


@parked.command()
def show(
    message_id: Annotated[str, typer.Argument(help="As shown by: pordesk parked list")],
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show one message with its headers; body only with the ops scope."""
    desk = find_desk()
    readable = token is not None and bool(asyncio.run(operator(desk, token)))
    rows = look_at(desk, Choice(message_id=message_id)).parcels
    if not rows:
        raise Refused(printable(f"No parked message has the id {message_id}. See: pordesk parked list"))
    found = [_whole(parcel, with_body=readable) for parcel in rows]
    print(json.dumps(found if as_json else found[0] if len(found) == 1 else found, indent=None if as_json else 2))
    if not readable:
        note(f"The body holds personal data. To see it, set {TOKEN_VARIABLE} to a token with the scope ops.")


@parked.command()
def replay(
    message_id: MessageId = None,
    ticket: Ticket = None,
    request: Request = None,
    reason: Reason = None,
    queue: Queue = None,
    everything: Everything = False,
    why: Annotated[str | None, typer.Option(help="Reason to record with your name.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Most messages to replay per second.")] = 20.0,
    token: Token = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send messages back to their work queues; safe to repeat."""
    desk = find_desk()
    choice = meant(choice_of(desk, message_id, ticket, request, reason, queue), everything)
    act_on(desk, choice, token, ParkingReplayed, why=why, rate=rate, yes=yes, as_json=as_json)


@parked.command()
def drop(
    why: Annotated[str, typer.Option(help="Reason to record with your name.")],
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
    """Delete messages for good."""
    desk = find_desk()
    choice = meant(choice_of(desk, message_id, ticket, request, reason, queue), everything)
    act_on(desk, choice, token, ParkingDropped, why=why, rate=DROPS_A_SECOND, yes=yes, as_json=as_json)


@parked.command()
def history(as_json: AsJson = False) -> None:
    """Show what operators did with parked messages: when, who, which and why."""
    acts = asyncio.run(_acts(find_desk()))
    if as_json:
        print(json.dumps([act.model_dump(mode="json", exclude_none=True) for act in acts]))
        return
    rows = [
        (
            f"{act.time:%Y-%m-%d %H:%M:%S}",
            act.data.who,
            act.routing_key.removeprefix("parking."),
            act.data.message_id,
            act.data.queue,
            act.data.reason,
            act.data.why,
        )
        for act in acts
    ]
    print_table(("When", "Who", "Action", "Message", "Queue", "Reason", "Why"), rows)


async def _acts(desk: OperatorSettings) -> list[ParkingEvent]:
    async with connect(desk) as connection:
        await require(connection, topology.OPERATIONS_LOG)
        return await read_operators_acts(connection)


def _show_table(parcels: Sequence[Parcel]) -> None:
    rows = [
        (
            parcel.message_id,
            parcel.queue,
            parcel.reason,
            parcel.attempts,
            age(parcel.parked_at),
            parcel.type or "?",
            parcel.request_id or "?",
            parcel.ticket,
        )
        for parcel in parcels
    ]
    print_table(("Message", "Queue", "Reason", ">Tries", ">Parked", "Type", "Request", "Ticket"), rows)


def _whole(parcel: Parcel, *, with_body: bool) -> dict[str, Any]:
    headers = json.loads(json.dumps(parcel.headers, default=str))
    body = {"body": parcel.message.body.decode(errors="replace")} if with_body else {}
    return {**parcel.as_json(), "headers": headers, **body}
