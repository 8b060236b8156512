"""Three nodes of RabbitMQ and three of MongoDB are one cluster each; what one member alone has counts for nothing."""

import os
import signal
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from ops.stack import Stack
from ops.stack.mongodb import MongoDB
from services.tickets.store import TicketStore
from shared import topology
from shared.runtime.declaring import declare_topology
from tests.fixtures.broker import DELAYS
from tests.fixtures.management import Management
from tests.fixtures.processes import left_behind
from tests.fixtures.wait import eventually, eventually_async


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Three nodes of each server, without services; nothing of it stays."""
    home = tmp_path_factory.mktemp("cluster")
    with Stack(home, services=(), nodes=3) as running:
        yield running
    assert left_behind(home) == []


async def test_every_queue_has_three_members(cluster: Stack) -> None:
    """What a service declares through the balancer has a member on each node: work queues, tiers, parking, stream."""
    await declare_topology(cluster.info.rabbitmq.url_with_credentials, DELAYS)
    wanted = {queue.name for queue in topology.queues(DELAYS)}
    management = Management(cluster.info.rabbitmq_management, "/")
    members = eventually(
        lambda: {queue["name"]: len(set(queue.get("online", ()))) for queue in management.queues()},
        lambda found: set(found.values()) == {3},
    )
    management.close()
    assert members.keys() == wanted


def test_each_database_member_is_healthy(cluster: Stack) -> None:
    """One member is primary, two follow it."""
    with MongoClient[dict[str, Any]](cluster.info.mongodb.url) as client:
        members = client.admin.command("replSetGetStatus")["members"]
    assert sorted(member["stateStr"] for member in members) == ["PRIMARY", "SECONDARY", "SECONDARY"]
    assert [member["health"] for member in members] == [1.0, 1.0, 1.0]


async def test_what_one_member_alone_has_is_not_read(cluster: Stack) -> None:
    """A ticket that only the primary has could still be undone: it is told to nobody until a majority has it."""
    request_id, number = uuid4(), f"SR-{uuid4().hex[:8]}"
    store = TicketStore(cluster.info.mongodb.url, "tickets")
    with MongoClient[dict[str, Any]](cluster.info.mongodb.url, w=1, uuidRepresentation="standard") as client:
        tickets = client["tickets"]["tickets"]
        await store.prepare()
        assert client.primary
        members = [part for part in cluster.processes.values() if isinstance(part, MongoDB)]
        followers = [part.pid for part in members if part.port != client.primary[1]]
        for pid in followers:
            os.kill(pid, signal.SIGSTOP)
        try:
            tickets.insert_one({"_id": request_id, "number": number})
            assert tickets.find_one({"_id": request_id})
            assert await store.get(request_id) is None
            assert await store.find(number, None) is None
        finally:
            for pid in followers:
                os.kill(pid, signal.SIGCONT)
    await eventually_async(lambda: store.get(request_id))
    store.close()
