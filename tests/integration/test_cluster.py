"""Three nodes of RabbitMQ and three of MongoDB are one cluster each, and what only one of them has counts for nothing."""

import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from ops.stack import Process, Stack
from services.notifier.ledger import Ledger
from services.tickets.store import TicketStore
from shared import topology
from shared.runtime.bus import declare_topology
from tests.fixtures.broker import DELAYS
from tests.fixtures.management import Management
from tests.fixtures.processes import left_behind
from tests.fixtures.wait import eventually


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Three nodes of each server, without services; nothing of it stays."""
    home = tmp_path_factory.mktemp("cluster")
    with Stack(home, services=(), nodes=3) as running:
        yield running
    assert left_behind(home) == []


async def test_every_queue_has_three_members(cluster: Stack) -> None:
    """What a service declares, as any service does, has a member on each node: also the tiers, parking and the stream."""
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
