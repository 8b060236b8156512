"""What the doctor says of faults that are really there."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from ops.stack import Connection, Stack
from ops.stack.processes import clean_environment
from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.runtime.declaring import declare_topology
from tests.fixtures.broker import DELAYS, Vhost
from tests.fixtures.events import submitted
from tests.fixtures.servers import choice
from tests.fixtures.typed import typed
from tests.fixtures.wait import eventually_async

pytestmark = pytest.mark.timeout(180)


async def codes(environment: dict[str, str], *words: str) -> set[str]:
    """The codes of what the doctor finds; without consumers, which each of these tests would lack, where not asked."""
    run = await typed(environment, "doctor", "--json", *words)
    found: list[dict[str, str]] = json.loads(run.stdout)
    assert run.returncode == bool(found), run.stderr
    assert all(each["what"] and each["advice"] for each in found)
    return {each["code"] for each in found}


@asynccontextmanager
async def all_served(vhost: Vhost) -> AsyncIterator[None]:
    """Somebody works off every queue."""

    async def handle(_: RequestSubmitted) -> None:
        return

    bus = vhost.bus()
    for queue in topology.WORK_QUEUES:
        bus.subscribe(queue, handle)
    await bus.start()
    try:
        yield
    finally:
        await bus.stop()


async def test_nothing_is_wrong_with_a_whole_desk(vhost: Vhost, environment: dict[str, str]) -> None:
    """Where all is as it should be, the doctor says so and exits with 0."""
    async with all_served(vhost):
        await eventually_async(lambda: codes(environment), lambda found: found == set())
        assert (await typed(environment, "doctor")).stdout == "No problems found.\n"


async def test_topology_that_is_not_whole_is_named_and_mended(vhost: Vhost, environment: dict[str, str]) -> None:
    """A missing queue, binding or exchange is found, and a service that starts mends it, as the advice says."""
    async with all_served(vhost):
        vhost.management.delete_queue(topology.EVENTS_LOG)
        vhost.management.delete_exchange(topology.REDELIVER)
        found = await codes(environment)
        assert found == {"queue-missing", "exchange-missing", "binding-missing"}
        await declare_topology(vhost.url, DELAYS)
        await eventually_async(lambda: codes(environment), lambda found: found == set())


async def test_stranger_who_hears_the_pipeline_is_named(vhost: Vhost, environment: dict[str, str]) -> None:
    """A queue that is not ours gets personal data, and has messages confirmed that nobody works off; it is told."""
    vhost.management.bind(topology.PIPELINE, topology.PARKING, "request.submitted")
    assert "binding-foreign" in await codes(environment)


async def test_queue_with_other_arguments_is_named(vhost: Vhost, environment: dict[str, str]) -> None:
    """Tiers of another length than the operator was told are told."""
    assert "queue-differs" in await codes({**environment, "POR_RETRY_DELAYS": "9,9,9,9,9"})


async def test_exchange_of_another_type_is_named(vhost: Vhost, environment: dict[str, str]) -> None:
    """An exchange that somebody made anew as another type takes messages to nowhere; it is told."""
    vhost.management.delete_exchange(topology.DEAD_LETTERS)
    async with vhost.channel() as channel:
        await channel.declare_exchange(topology.DEAD_LETTERS, "fanout", durable=True)
    assert "exchange-differs" in await codes(environment)


async def test_queue_that_nobody_works_off_is_named(vhost: Vhost, environment: dict[str, str]) -> None:
    """Without a consumer a queue grows: each is named with its service."""
    run = await typed(environment, "doctor", "--json")
    found = {each["what"].split()[3].rstrip(":") for each in json.loads(run.stdout) if each["code"] == "no-consumer"}
    assert found == {name for each in topology.WORK_QUEUES for name in (each.name, topology.suspects_of(each.name))}


@pytest.mark.parametrize(
    ("exchange", "key", "code"),
    [
        (topology.DEAD_LETTERS, "x", "parked"),
        (topology.REDELIVER, "nobody.reads", "unrouted"),
        (topology.SUSPECTS, topology.OPEN_TICKET.name, "suspects"),
        (topology.retry_tier(5), "nobody.reads", "retrying"),
    ],
    ids=["parked", "unrouted", "suspects", "retrying"],
)
async def test_message_that_is_where_none_should_be_is_told(
    vhost: Vhost, environment: dict[str, str], exchange: str, key: str, code: str
) -> None:
    """What is parked, unrouted, suspected or waiting to be tried again is counted for a person."""
    if code == "retrying":
        vhost.management.delete_queue(exchange)
        environment["POR_RETRY_DELAYS"] = "0.2,0.2,0.2,0.2,3600"
        await declare_topology(vhost.url, (*DELAYS[:4], 3600))
    await vhost.publish_raw(b"x", exchange, key)
    assert code in await codes(environment)


async def test_broker_that_is_away_is_one_finding(vhost: Vhost, environment: dict[str, str]) -> None:
    """Without the broker the rest of the desk is looked at all the same."""
    nowhere = {**environment, "POR_AMQP_URL": "amqp://127.0.0.1:1/"}
    assert await codes(nowhere) == {"broker-away"}


async def test_events_that_are_not_out_are_counted(
    vhost: Vhost, environment: dict[str, str], mongodb: Connection
) -> None:
    """Tickets whose events should have been out for a minute are told, also where the next try is put off."""
    database = f"doctor-{uuid4().hex[:8]}"
    environment |= {"POR_MONGODB_URL": mongodb.url, "POR_MONGODB_DATABASE": database}
    with MongoClient[dict[str, Any]](mongodb.url) as client:
        tickets = client[database]["tickets"]
        now = datetime.now(UTC)
        old = now - timedelta(minutes=2)
        tickets.insert_one({"due_at": now, "published": 0, "history": [{"at": now}]})
        tickets.insert_one({"published": 1, "history": [{"at": old}]})
        async with all_served(vhost):
            assert "events-unmarked" not in await codes(environment)
            due = {"due_at": now + timedelta(minutes=5)}
            tickets.insert_one({**due, "published": 1, "history": [{"at": old}, {"at": old}]})
            assert "events-unmarked" in await codes(environment)
        client.drop_database(database)


@pytest.mark.skipif(choice()[0] == "docker", reason="the alarm is set by the node's own command")
async def test_an_alarm_and_who_is_blocked_by_it_are_found(
    vhost: Vhost, environment: dict[str, str], stack: Stack
) -> None:
    """A node that runs out of memory is found, and a connection that it lets publish nothing too."""
    bus = vhost.bus()
    await bus.start()
    await limit_memory(stack, "1MB")
    try:
        publishing = asyncio.create_task(bus.publish(submitted()))
        await eventually_async(lambda: codes(environment), lambda found: {"alarm", "connection-blocked"} <= found)
    finally:
        await limit_memory(stack, "1GB")
    await asyncio.gather(publishing, return_exceptions=True)
    await bus.stop()


async def limit_memory(stack: Stack, limit: str) -> None:
    """Tell the node how much memory it may use."""
    argv = ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "set_vm_memory_high_watermark", "absolute", limit]
    env = clean_environment(stack["rabbitmq"].env)
    await asyncio.to_thread(subprocess.run, argv, env=env, check=True, timeout=60)


async def test_service_that_is_not_there_is_named(vhost: Vhost, environment: dict[str, str], stack: Stack) -> None:
    """Services that the operator names are asked whether they are ready."""
    urls = {"documents": stack.info.services["documents"], "tickets": "http://127.0.0.1:1"}
    async with all_served(vhost):
        run = await typed(environment, "doctor", "--json", POR_SERVICE_URLS=json.dumps(urls))
    away = [each for each in json.loads(run.stdout) if each["code"] == "service-away"]
    assert [each["what"].split()[0] for each in away] == ["tickets"]


async def test_without_a_desk_the_commands_say_what_to_do(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stack here and no variables: one line, exit status 2, for each command."""
    monkeypatch.chdir(tmp_path)
    for words in (["queues"], ["doctor"], ["parked", "list"], ["parked", "history"]):
        run = await typed({"HOME": str(tmp_path)}, *words)
        assert run.returncode == 2
        assert "POR_AMQP_URL" in run.stderr
        assert "make run" in run.stderr
        wrong = await typed({"POR_AMQP_URL": "amqp://127.0.0.1/"}, *words)
        assert wrong.returncode == 2
        assert "POR_JWT_ISSUER" in wrong.stderr
