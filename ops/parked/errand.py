"""One command on what is parked, from the look to the report: ask, act with a bar, say what became of it."""

import asyncio
import json
import sys
from collections.abc import Callable

import typer

from ops.access import OperatorSettings, Refused, connect, operator
from ops.parked.acts import Act, Acting, Done
from ops.parked.lot import MOST, Look, look
from ops.parked.parcel import Choice
from ops.terminal import counted, note, progress
from shared.contracts.parking import ParkingDropped, ParkingReplayed

_WORDS: dict[type[ParkingReplayed | ParkingDropped], tuple[str, str]] = {
    ParkingReplayed: ("replay", "replayed"),
    ParkingDropped: ("drop", "dropped"),
}


NONE_MATCH = "No parked messages match."


def look_at(desk: OperatorSettings, choice: Choice) -> Look:
    """What is parked and meant; nothing is changed by it.

    Raises:
        Refused: the broker cannot be asked.
    """

    async def found() -> Look:
        async with connect(desk) as connection:
            return await look(connection, choice)

    return asyncio.run(found())


def tell_what_may_be_missing(found: Look) -> None:
    """Say beside a result why it may not be all."""
    if found.is_part:
        note(f"Only the first {MOST:,} messages were read.")
    if found.shared:
        note("Another operator is holding some parked messages; they are not included.")


def act_on(
    desk: OperatorSettings,
    choice: Choice,
    token: str | None,
    kind: type[ParkingReplayed] | type[ParkingDropped],
    *,
    why: str | None,
    rate: float,
    yes: bool,
    as_json: bool,
) -> None:
    """Act on what is meant, if that is what the operator wants; exit code 1 where a message stays.

    Raises:
        Refused: who it is, or that it is meant, is not clear; or the broker broke off.
    """
    verb, did = _WORDS[kind]
    caller = asyncio.run(operator(desk, token))
    found = look_at(desk, choice)
    tell_what_may_be_missing(found)
    # Nothing is held while a person thinks: the broker would hang up, and others would see an empty lot.
    _confirm(verb, len(found.parcels), yes)
    done = Done()

    async def act(told: Callable[[int], None]) -> None:
        async with connect(desk) as connection:
            await Acting(connection, Act(kind, caller.subject, why, rate), done, told).on(found.parcels)

    if not found.parcels and not as_json:
        print(NONE_MATCH)
        return
    try:
        with progress(verb, len(found.parcels)) as told:
            asyncio.run(act(told))
    finally:
        _report(did, done, as_json)
    if done.failures:
        raise typer.Exit(1)


def _confirm(verb: str, count: int, yes: bool) -> None:
    if yes or not count:
        return
    messages = counted(count, "message", "messages")
    if not sys.stdin.isatty():
        raise Refused(f"This would {verb} {messages}. To confirm without a terminal, add --yes.")
    typer.confirm(f"{verb.capitalize()} {messages}?", abort=True, err=True)


def _report(did: str, done: Done, as_json: bool) -> None:
    if as_json:
        print(json.dumps({did: done.count, "failed": done.failures}))
        return
    print(f"{done.count} {did}.")
    for failure in done.failures:
        note(failure)
