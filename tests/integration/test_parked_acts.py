"""Acts on parked messages when something is in the way: a record without a stream, a full queue, a kill, a cut line."""

import asyncio
import json
import re
import subprocess
import sys
from collections import Counter
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from aio_pika import Message
from aio_pika.exceptions import DeliveryError
from pymongo import MongoClient

from ops import access
from ops.stack import Connection
from shared import topology
from shared.runtime.declaring import declare_topology
from tests import builders
from tests.fixtures.broker import DELAYS, Vhost
from tests.fixtures.events import submitted
from tests.fixtures.parked import WORK, acts, park
from tests.fixtures.proxy import Door
from tests.fixtures.terminal import ROOT, Terminal
from tests.fixtures.typed import typed
from tests.fixtures.wait import eventually_async

MANY = 200

# Ends itself by SIGKILL at the {turn}th call of {step}, as any command may be ended at any moment.
DYING = """
import itertools, os, signal, sys
from aio_pika.message import IncomingMessage
from ops.cli import main
from ops.parked.acts import Acting

calls, step = itertools.count(1), {step}

async def until_killed(*words, **more):
    if next(calls) == {turn}:
        os.kill(os.getpid(), signal.SIGKILL)
    return await step(*words, **more)

{step} = until_killed
sys.argv = ["pordesk", "parked", "replay", "--all", "--yes", "--rate", "5000"]
main()
"""


@pytest.mark.parametrize("words", [["replay"], ["drop", "--why", "a test"]], ids=["replay", "drop"])
async def test_without_a_record_nothing_is_done(vhost: Vhost, environment: dict[str, str], words: list[str]) -> None:
    """Where the stream of acts is gone nothing is touched, and the command says so in one line."""
    await park(vhost, submitted())
    vhost.management.delete_queue(topology.OPERATIONS_LOG)
    run = await typed(environment, "parked", *words, "--all", "--yes")
    assert run.returncode == 2
    assert f"The queue {topology.OPERATIONS_LOG} does not exist." in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert run.stdout in {"0 replayed.\n", "0 dropped.\n"}
    assert (await vhost.count(WORK), await vhost.count(topology.PARKING)) == (0, 1)


@pytest.mark.parametrize("words", [["replay"], ["drop", "--why", "a test"]], ids=["replay", "drop"])
async def test_what_cannot_be_recorded_stays_parked(
    vhost: Vhost, environment: dict[str, str], words: list[str]
) -> None:
    """A message leaves the parking lot only when its record is confirmed; later the same command is enough."""
    event = submitted()
    await park(vhost, event)
    vhost.management.unbind(topology.OPERATIONS, topology.OPERATIONS_LOG, "#")
    run = await typed(environment, "parked", *words, "--all", "--yes")
    assert run.returncode == 2
    assert f"{event.id} stays parked" in run.stderr
    assert await vhost.count(topology.PARKING) == 1
    await declare_topology(vhost.url, DELAYS)
    assert (await typed(environment, "parked", *words, "--all", "--yes")).returncode == 0
    assert await vhost.count(topology.PARKING) == 0
    assert [act.data.message_id for act in await acts(vhost)] == [str(event.id)]


async def test_full_queue_leaves_no_record_of_a_replay(vhost: Vhost, environment: dict[str, str]) -> None:
    """What a full queue refuses stays parked and is on record only once it went back."""
    event = submitted()
    await park(vhost, event)
    vhost.management.limit_length(WORK, 1)
    await eventually_async(partial(is_full, vhost))
    run = await typed(environment, "parked", "replay", "--all", "--yes")
    assert (run.returncode, run.stdout) == (1, "0 replayed.\n")
    assert f"{event.id}: the queue {WORK} is full; it stays parked" in run.stderr
    assert (await acts(vhost, 0), await vhost.count(topology.PARKING)) == ([], 1)
    await vhost.drain(WORK)
    vhost.management.unlimit_length(WORK)
    run = await typed(environment, "parked", "replay", "--all", "--yes")
    assert run.stdout == "1 replayed.\n", run.stderr
    assert [act.data.message_id for act in await acts(vhost)] == [str(event.id)]


async def is_full(vhost: Vhost) -> bool:
    """Whether the work queue takes no more."""
    try:
        async with vhost.channel() as channel:
            await channel.default_exchange.publish(Message(b"{}", message_id="filler"), WORK)
    except DeliveryError:
        return True
    return False


@pytest.mark.parametrize("step", ["Acting._record", "IncomingMessage.ack"])
async def test_replay_of_many_that_is_killed_may_be_begun_again(
    vhost: Vhost, environment: dict[str, str], step: str
) -> None:
    """Killed in the middle, the next replay does the rest: nothing is missing, and what comes twice has the same id."""
    events = [submitted(f"/{n}") for n in range(MANY)]
    await park(vhost, *events)
    script = DYING.format(step=step, turn=MANY // 2)
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], env=environment, cwd=ROOT, check=False, timeout=60
    )
    assert killed.returncode == -9
    left = await eventually_async(partial(vhost.count, topology.PARKING), lambda count: count > MANY // 4)
    run = await typed(environment, "parked", "replay", "--all", "--yes", "--rate", "5000")
    assert run.stdout == f"{left} replayed.\n", run.stderr
    assert await vhost.count(topology.PARKING) == 0

    returned = Counter((message.message_id, message.body) for message in await vhost.drain(WORK, MANY))
    assert set(returned) == {(str(event.id), event.model_dump_json().encode()) for event in events}
    assert returned.total() - MANY == len([1 for count in returned.values() if count == 2])
    assert returned.total() - MANY <= left - MANY // 2
    recorded = {act.id: act.data.message_id for act in await acts(vhost, MANY)}
    assert sorted(recorded.values()) == sorted(str(event.id) for event in events)


@pytest.mark.parametrize(("words", "did"), [(["replay"], "replayed"), (["drop", "--why", "a test"], "dropped")])
async def test_a_ticket_number_means_all_that_is_parked_of_it(
    vhost: Vhost, environment: dict[str, str], mongodb: Connection, words: list[str], did: str
) -> None:
    """By its number a ticket's events are found, and what was parked before it had one; others' are left alone."""
    number, mine = "SR-00000007-9", submitted("/mine")
    mail = builders.opened(ticket_number=number).model_copy(update={"id": uuid4()})
    others = [submitted("/other"), builders.opened()]
    await park(vhost, mine, others[0])
    await park(vhost, mail, others[1], queue=topology.SEND_MAIL.name)
    database = f"parked-{uuid4().hex[:8]}"
    environment |= {"POR_MONGODB_URL": mongodb.url, "POR_MONGODB_DATABASE": database}
    with MongoClient[dict[str, Any]](mongodb.url, uuidRepresentation="standard") as client:
        client[database]["tickets"].insert_one({"_id": mine.data.request_id, "number": number})
        listed = json.loads((await typed(environment, "parked", "list", "--ticket", number, "--json")).stdout)
        run = await typed(environment, "parked", *words, "--ticket", number, "--yes")
        client.drop_database(database)
    assert {row["message_id"] for row in listed} == {str(mine.id), str(mail.id)}
    assert run.stdout == f"2 {did}.\n", run.stderr
    assert {act.data.message_id for act in await acts(vhost, 2)} == {str(mine.id), str(mail.id)}
    left = await vhost.drain(topology.PARKING, len(others))
    assert {message.message_id for message in left} == {str(other.id) for other in others}


@pytest.mark.parametrize(
    ("words", "url"), [(["list"], "mongodb//mistyped"), (["replay", "--yes"], "mongodb://127.0.0.1:1/")], ids=str
)
async def test_a_ticket_whose_request_is_not_known_is_refused(
    vhost: Vhost, environment: dict[str, str], words: list[str], url: str
) -> None:
    """Where the database cannot be asked, a part of a ticket's messages is not shown, or acted on, as all."""
    await park(vhost, submitted())
    run = await typed({**environment, "POR_MONGODB_URL": url}, "parked", *words, "--ticket", "SR-00000007-9")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1), run.stderr
    assert "use --request" in run.stderr


async def test_a_person_sees_how_far_a_replay_is(vhost: Vhost, environment: dict[str, str]) -> None:
    """On a terminal a bar counts the messages that are done; where nobody looks there is none."""
    await park(vhost, *(submitted(f"/{n}") for n in range(4)))
    with Terminal(environment, "parked", "replay", "--all", "--yes", "--rate", "4") as screen:
        assert await asyncio.to_thread(screen.end) == 0
    counted = [int(done) for done in re.findall(r"(\d)/4", screen.shown)]
    assert counted == sorted(counted)
    assert {0, 4} < set(counted)
    assert "4 replayed." in screen.shown
    await park(vhost, submitted())
    assert (await typed(environment, "parked", "replay", "--all", "--yes")).stderr == ""


@pytest.mark.parametrize("command", ["list", "history"])
async def test_a_broker_that_is_away_is_one_line(
    vhost: Vhost, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A broker that refuses, or hangs, is told in one line with exit status 2, never in a traceback."""
    monkeypatch.setattr(access, "CONNECT_SECONDS", 0.5)
    refused = await typed({**environment, "POR_AMQP_URL": "amqp://127.0.0.1:1/"}, "parked", command)
    async with vhost.door() as (way, url):
        way.stop_up()
        hung = await typed({**environment, "POR_AMQP_URL": url}, "parked", command)
        way.let_through()
    for run in (refused, hung):
        assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1), run.stderr
        assert "RabbitMQ cannot be reached" in run.stderr


async def test_a_history_that_breaks_off_is_not_taken_for_whole(vhost: Vhost, environment: dict[str, str]) -> None:
    """Where the connection is lost while acts are read, one line says so, and what was read is not shown as all."""
    async with vhost.door() as (way, url):
        argv = [sys.executable, "-m", "ops", "parked", "history", "--json"]
        env = {**environment, "POR_AMQP_URL": url}
        reading = asyncio.create_task(
            asyncio.to_thread(subprocess.run, argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        )
        await eventually_async(partial(is_used, way))
        await asyncio.sleep(0.5)  # half of the time that it listens for more
        way.cut()
        run = await reading
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1), run.stderr
    assert "RabbitMQ stopped answering" in run.stderr


async def is_used(way: Door) -> bool:
    """Whether somebody goes in and out."""
    return bool(way._writers)
