"""MongoDB's own log, on a server of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymongo import MongoClient

from ops.stack import Tools
from ops.stack.mongodb import SLOW_MS, MongoDB
from ops.stack.ports import Ports

CANARY = "zebulon.quartermaine@canary.example"
SLOW = "sleep(200) || true"
COMPOSE = Path(__file__).resolve().parents[2] / "docker-compose.yml"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoDB]:
    """A MongoDB as the local stack starts it."""
    with Ports() as ports:
        port = ports.reserve()
        server = MongoDB(tmp_path / "mongodb", tmp_path / "mongodb.log", Tools.find(), {}, port, [port])
        server.start()
        try:
            server.wait_ready()
            yield server
        finally:
            server.stop()


def test_slow_commands_leave_nobodys_data_in_the_log(server: MongoDB) -> None:
    """A find, an update and an aggregation that take long are not logged; with MongoDB's own threshold they were."""
    with MongoClient[dict[str, Any]](server.connection.url) as client:
        client["tickets"]["tickets"].insert_one({"email": CANARY})
        be_slow(client)
        assert CANARY not in server.log.read_text()
        client["tickets"].command("profile", 0, slowms=100)
        be_slow(client)
        assert server.log.read_text().count('"msg":"Slow query"') == 3
        assert CANARY in server.log.read_text()


def be_slow(client: MongoClient[dict[str, Any]]) -> None:
    """Ask for somebody, slowly."""
    tickets = client["tickets"]["tickets"]
    assert list(tickets.find({"email": CANARY, "$where": SLOW}))
    assert tickets.find_one_and_update({"email": CANARY, "$where": SLOW}, {"$set": {"comment": CANARY}})
    slowly = {"$function": {"body": "function() { sleep(200); return true }", "args": [], "lang": "js"}}
    assert list(tickets.aggregate([{"$match": {"email": CANARY}}, {"$set": {"slow": slowly}}]))


def test_compose_starts_mongodb_with_the_same_threshold() -> None:
    """The MongoDB of docker compose logs as little as that of the local stack."""
    (command,) = yaml.safe_load(COMPOSE.read_text())["services"]["mongodb"]["command"]
    assert f"--slowms {SLOW_MS}" in command
