"""The operator's hand on the parking lot of a real broker."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage
from typer.testing import CliRunner

from ops.access import connect
from ops.cli import cli
from ops.parked.lot import look
from ops.parked.parcel import Choice
from ops.tokens import Mint
from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.runtime.failures import ATTEMPT, PARKED_AT, QUEUE, REASON
from tests.fixtures.broker import Vhost
from tests.fixtures.events import submitted
from tests.fixtures.parked import WORK, acts, desk_of, park
from tests.fixtures.typed import typed


@pytest.fixture
def mint(stack: Any) -> Mint:
    """Who mints tokens here."""
    return Mint(Path(stack.info.signing_key))


def facts(message: AbstractIncomingMessage) -> tuple[Any, ...]:
    """All of a message that anybody could tell, but how often it was looked at."""
    headers = {name: value for name, value in message.headers.items() if name != "x-delivery-count"}
    return message.message_id, message.body, headers, message.type, message.correlation_id, message.routing_key


async def test_looking_a_hundred_times_changes_nothing(vhost: Vhost, environment: dict[str, str]) -> None:
    """However often parked messages are listed, they stay as they are, all of them, in their order."""
    events = [submitted(f"/{n}") for n in range(5)]
    await park(vhost, *events)
    for _ in range(100):
        async with connect(desk_of(vhost)) as connection:
            assert len((await look(connection, Choice())).parcels) == 5
    listed = json.loads((await typed(environment, "parked", "list", "--json")).stdout)
    assert [row["message_id"] for row in listed] == [str(event.id) for event in events]
    before = [(str(event.id), event.model_dump_json().encode()) for event in events]
    drained = await vhost.drain(topology.PARKING, 5)
    assert [facts(message)[:2] for message in drained] == before
    assert {tuple(sorted(facts(message)[2])) for message in drained} == {(ATTEMPT, PARKED_AT, QUEUE, REASON)}


async def test_list_tells_rows_and_no_bodies(vhost: Vhost, environment: dict[str, str]) -> None:
    """A row says which message, from where, why, when and of which request, and nothing of the producer."""
    event = submitted()
    await park(vhost, event)
    for words in (["--json"], []):
        told = (await typed(environment, "parked", "list", *words, COLUMNS="300")).stdout
        assert str(event.id) in told
        assert str(event.data.request_id) in told
        assert "key-reused" in told
        assert "Dana" not in told
        assert "041872" not in told
    assert "1 min" in told


@pytest.mark.parametrize("of", ["--id", "--request", "--reason", "--queue"])
async def test_only_what_is_meant_is_replayed(vhost: Vhost, environment: dict[str, str], of: str) -> None:
    """Each way of saying which ones chooses those, and leaves the rest parked."""
    meant, other = submitted("/meant"), submitted("/other")
    await park(vhost, meant, reason="smtp-away")
    await park(vhost, other, queue=topology.OPEN_TICKET.name)
    value = {
        "--id": str(meant.id),
        "--request": str(meant.data.request_id),
        "--reason": "smtp-away",
        "--queue": WORK,
    }[of]
    run = await typed(environment, "parked", "replay", of, value, "--yes", "--json")
    assert json.loads(run.stdout) == {"replayed": 1, "failed": []}, run.stderr
    assert [message.message_id for message in await vhost.drain(WORK)] == [str(meant.id)]
    assert [message.message_id for message in await vhost.drain(topology.PARKING)] == [str(other.id)]


async def test_replayed_message_is_as_it_was_first_published(vhost: Vhost, environment: dict[str, str]) -> None:
    """What goes back has its id, type and body, is durable, and has all its tries before it again."""
    event = submitted()
    await park(vhost, event)
    run = await typed(environment, "parked", "replay", "--all", "--yes")
    assert run.stdout == "1 replayed.\n", run.stderr
    [message] = await vhost.drain(WORK)
    assert (message.message_id, message.type, message.delivery_mode) == (str(event.id), event.type, 2)
    assert message.correlation_id == str(event.data.request_id)
    assert RequestSubmitted.model_validate_json(message.body) == event
    assert set(message.headers) <= {"x-delivery-count"}


async def test_each_act_is_told_with_who_and_why(vhost: Vhost, environment: dict[str, str]) -> None:
    """Every replay and every drop is an event that says who did it to which message and why, and can be read again."""
    first, second = submitted("/first"), submitted("/second")
    await park(vhost, first, second)
    await typed(environment, "parked", "replay", "--id", str(first.id), "--why", "store is back", "--yes")
    await typed(environment, "parked", "drop", "--id", str(second.id), "--why", "a test", "--yes")
    recorded = await acts(vhost)
    assert [(act.routing_key, act.data.message_id, act.data.who, act.data.why) for act in recorded] == [
        ("parking.replayed", str(first.id), "dana", "store is back"),
        ("parking.dropped", str(second.id), "dana", "a test"),
    ]
    told = json.loads((await typed(environment, "parked", "history", "--json")).stdout)
    assert [act["data"]["why"] for act in told] == ["store is back", "a test"]
    assert await vhost.count(topology.PARKING) == 0


async def test_message_whose_queue_is_gone_stays_parked(vhost: Vhost, environment: dict[str, str]) -> None:
    """What cannot go back stays where it is and is named; the others go."""
    lost, fine = submitted("/lost"), submitted("/fine")
    await park(vhost, lost, queue="reports.print")
    await park(vhost, fine)
    run = await typed(environment, "parked", "replay", "--all", "--yes")
    assert (run.returncode, run.stdout) == (1, "1 replayed.\n")
    assert f"{lost.id}: reports.print is not a work queue of the desk" in run.stderr
    assert [message.message_id for message in await vhost.drain(topology.PARKING)] == [str(lost.id)]


async def test_replays_are_no_faster_than_asked(vhost: Vhost, environment: dict[str, str]) -> None:
    """A thousand replayed at once would be the next outage: there is a rate."""
    await park(vhost, *(submitted(f"/{n}") for n in range(6)))
    began = time.monotonic()
    await typed(environment, "parked", "replay", "--all", "--yes", "--rate", "4")
    assert time.monotonic() - began > 5 / 4
    assert await vhost.count(WORK) == 6


async def test_body_is_for_operators_only(vhost: Vhost, environment: dict[str, str], mint: Mint) -> None:
    """Without a token of the scope ops the headers are shown, and the body, which holds personal data, is not."""
    event = submitted()
    await park(vhost, event)
    hidden = await typed(environment, "parked", "show", str(event.id), POR_OPS_TOKEN="")
    assert hidden.returncode == 0
    assert "key-reused" in hidden.stdout
    assert "Dana" not in hidden.stdout
    assert "scope ops" in hidden.stderr
    shown = await typed(environment, "parked", "show", str(event.id))
    assert json.loads(json.loads(shown.stdout)["body"])["data"]["producer"]["name"] == "Dana Whitfield"
    assert (await typed(environment, "parked", "show", "nothing")).returncode == 2


@pytest.mark.parametrize("who", ["nobody", "staff", "expired"])
async def test_acts_need_the_scope_ops(vhost: Vhost, environment: dict[str, str], mint: Mint, who: str) -> None:
    """Who cannot be named as an operator changes nothing, and reads how to become one."""
    expired = Mint(mint.signing_key, lifetime=-3600).ops()
    token = {"nobody": "", "staff": mint.staff(), "expired": expired}[who]
    await park(vhost, submitted())
    for words in (["replay"], ["drop", "--why", "a test"]):
        run = await typed(environment, "parked", *words, "--all", "--yes", POR_OPS_TOKEN=token)
        assert run.returncode == 2
        assert "scope ops" in run.stderr
        assert "Traceback" not in run.stderr
    assert await vhost.count(topology.PARKING) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["replay", "--yes"], "--all"),
        (["replay", "--all", "--id", "m-1", "--yes"], "--all"),
        (["replay", "--all"], "--yes"),
        (["drop", "--all", "--yes"], "--why"),
        (["replay", "--all", "--yes", "--rate", "nan"], "--rate"),
        (["replay", "--all", "--yes", "--rate", "inf"], "--rate"),
    ],
    ids=" ".join,
)
async def test_unclear_command_does_nothing(
    vhost: Vhost, environment: dict[str, str], words: list[str], says: str
) -> None:
    """A command that leaves open what it means, or cannot ask, says in one line what is missing."""
    await park(vhost, submitted())
    run = await typed(environment, "parked", *words, COLUMNS="200")
    assert run.returncode == 2
    assert says in run.stderr
    assert await vhost.count(topology.PARKING) == 1


async def test_anything_may_be_parked(vhost: Vhost, environment: dict[str, str]) -> None:
    """A message without id, headers or sense is listed, shown and dropped as any other."""
    async with vhost.channel() as channel:
        exchange = await channel.get_exchange(topology.DEAD_LETTERS)
        for body in (b"", b"\xff\xfe", b"[1]", b'{"data": 5}', b"[" * 100_000):
            message = Message(body)
            message.message_id = None
            await exchange.publish(message, "anything")
    rows = json.loads((await typed(environment, "parked", "list", "--json")).stdout)
    assert len(rows) == 5
    assert {row["reason"] for row in rows} == {"unknown"}
    for row in rows:
        assert (await typed(environment, "parked", "show", row["message_id"])).returncode == 0
    run = await typed(environment, "parked", "drop", "--all", "--why", "noise", "--yes")
    assert run.stdout == "5 dropped.\n"


def test_every_command_explains_itself() -> None:
    """--help of each command says what it does and which ways there are to choose."""
    for words in (["parked"], *(["parked", each] for each in ("list", "show", "replay", "drop", "history"))):
        told = CliRunner().invoke(cli, [*words, "--help"])
        assert told.exit_code == 0
        assert "Usage" in told.output
