"""What the doctor and the list of queues say of faults that are really there."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from ops.stack import Connection, Stack
from shared import topology
from shared.contracts.custody import form_key, letter_key
from shared.contracts.requests import RequestSubmitted
from shared.runtime.bus import declare_topology
from tests.fixtures.broker import DELAYS, Vhost
from tests.fixtures.servers import BUCKET, s3_client
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
        assert (await typed(environment, "doctor")).stdout == "Nothing is wrong.\n"


async def test_topology_that_is_not_whole_is_named_and_mended(vhost: Vhost, environment: dict[str, str]) -> None:
    """A missing queue, binding or exchange is found, and a service that starts mends it, as the advice says."""
    async with all_served(vhost):
        vhost.management.delete_queue(topology.EVENTS_LOG)
        vhost.management.delete_exchange(topology.REDELIVER)
        found = await codes(environment)
        assert found == {"queue-missing", "exchange-missing", "binding-missing"}
        await declare_topology(vhost.url, DELAYS)
        await eventually_async(lambda: codes(environment), lambda found: found == set())


async def test_queue_with_other_arguments_is_named(vhost: Vhost, environment: dict[str, str]) -> None:
    """Tiers of another length than the operator was told are told."""
    assert "queue-differs" in await codes({**environment, "POR_RETRY_DELAYS": "9,9,9,9,9"})


async def test_queue_that_nobody_works_off_is_named(vhost: Vhost, environment: dict[str, str]) -> None:
    """Without a consumer a queue grows: each is named with its service."""
    run = await typed(environment, "doctor", "--json")
    found = {each["what"].split()[3].rstrip(";") for each in json.loads(run.stdout) if each["code"] == "no-consumer"}
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
    """Tickets whose events are due for longer than a minute are told, younger ones are not."""
    database = f"doctor-{uuid4().hex[:8]}"
    environment |= {"POR_MONGODB_URL": mongodb.url, "POR_MONGODB_DATABASE": database}
    with MongoClient[dict[str, Any]](mongodb.url) as client:
        tickets = client[database]["tickets"]
        tickets.insert_one({"due_at": datetime.now(UTC)})
        async with all_served(vhost):
            assert "events-unmarked" not in await codes(environment)
            tickets.insert_one({"due_at": datetime.now(UTC) - timedelta(minutes=2)})
            assert "events-unmarked" in await codes(environment)
        client.drop_database(database)


async def test_letters_without_form_and_forms_without_ticket_are_counted(
    environment: dict[str, str], object_store: Connection, mongodb: Connection
) -> None:
    """What was kept and led to nothing is told, once it is old enough to be no request under way."""
    environment |= {
        "POR_S3_ENDPOINT": object_store.url,
        "POR_S3_ACCESS_KEY": object_store.username,
        "POR_S3_SECRET_KEY": object_store.password,
        "POR_MONGODB_URL": mongodb.url,
        "POR_MONGODB_DATABASE": f"empty-{uuid4().hex[:8]}",
    }
    store, orphan, accepted = s3_client(object_store), uuid4(), uuid4()
    keys = [letter_key(orphan, "a" * 64), letter_key(accepted, "b" * 64), form_key(accepted)]
    for key in keys:
        await asyncio.to_thread(store.put_object, bucket_name=BUCKET, object_name=key, data=io.BytesIO(b"x"), length=1)
    found = await codes(environment, "--older-than", "0")
    assert {"letters-orphaned", "forms-without-ticket"} <= found
    for key in keys:
        await asyncio.to_thread(store.remove_object, bucket_name=BUCKET, object_name=key)


async def test_service_that_is_not_there_is_named(vhost: Vhost, environment: dict[str, str], stack: Stack) -> None:
    """Services that the operator names are asked whether they are ready."""
    urls = {"documents": stack.info.services["documents"], "tickets": "http://127.0.0.1:1"}
    async with all_served(vhost):
        run = await typed(environment, "doctor", "--json", POR_SERVICE_URLS=json.dumps(urls))
    away = [each for each in json.loads(run.stdout) if each["code"] == "service-away"]
    assert [each["what"].split()[0] for each in away] == ["tickets"]


async def test_queues_tell_depth_consumers_and_age(vhost: Vhost, environment: dict[str, str]) -> None:
    """Each queue has its depth and consumers of this moment; of what is parked the age is told too."""
    async with all_served(vhost):
        await vhost.publish_raw(b"x", topology.DEAD_LETTERS, "x")
        states = {each["name"]: each for each in json.loads((await typed(environment, "queues", "--json")).stdout)}
    assert set(states) == {queue.name for queue in topology.queues(DELAYS)}
    assert states[topology.PARKING]["ready"] == 1
    assert states[topology.CHECK_LETTER.name]["consumers"] == 1
    assert states[topology.retry_tier(1)]["consumers"] == 0
    table = (await typed(environment, "queues", COLUMNS="200")).stdout
    assert topology.PARKING in table


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
