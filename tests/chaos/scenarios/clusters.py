"""Of three nodes one dies under load and the desk goes on without it; of two it is told. RabbitMQ and MongoDB."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pymongo import MongoClient

from ops.stack.mongodb import MongoDB
from ops.stack.rabbitmq import RabbitMQ
from shared import topology
from tests.chaos.broker import management
from tests.chaos.journal import Kind
from tests.chaos.scenario import Scenario
from tests.chaos.world import World, strikes_mail
from tests.fixtures.management import Management

NODES = 3
ROUNDS = 2
ENOUGH = 5
AWAY_SECONDS = 8.0
UNELECTED_SECONDS = 15.0  # without its majority a primary steps down after ten
_WORK = {queue.name for each in topology.WORK_QUEUES for queue in each.queues}


def kill_node_of_clients(world: World) -> None:
    """The node that most connections are on dies."""
    with management(world.stack) as hands:
        for _ in range(ROUNDS):
            connections = [each["node"] for each in hands.connections()]
            _do_without(world, _named_most(world, connections))
            _await_members(world, hands)


def kill_leader(world: World) -> None:
    """The node that leads most work queues dies."""
    with management(world.stack) as hands:
        for _ in range(ROUNDS):
            hands.rebalance()
            world.until(lambda: len(set(_leaders(hands))) > 1, "the queues have more than one leader")
            _do_without(world, _named_most(world, _leaders(hands)))
            _await_members(world, hands)


def kill_leader_of_the_log(world: World) -> None:
    """The node dies that leads the log of events."""
    with management(world.stack) as hands:
        for _ in range(ROUNDS):
            log = [queue["node"] for queue in hands.queues() if queue["name"] == topology.EVENTS_LOG]
            _do_without(world, _named_most(world, log))
            _await_members(world, hands)


def kill_primary(world: World) -> None:
    """The primary of the database dies."""
    for _ in range(ROUNDS):
        _do_without(world, _primary(world))
        world.pass_time(3)


def lose_two_brokers(world: World) -> None:
    """Two nodes of RabbitMQ die: whoever asks is told to come back later."""
    names, began = ["rabbitmq-1", "rabbitmq-2"], time.time()
    with _dead(world, names):
        world.until(lambda: world.refused_since(began) > ENOUGH, "somebody is told to come back later")
        world.pass_time(AWAY_SECONDS)
    with management(world.stack) as hands:
        _await_members(world, hands)


def lose_two_databases(world: World) -> None:
    """Two members of MongoDB die: requests are accepted all the same, and wait."""
    primary = _primary(world)
    others = [name for name, part in world.stack.processes.items() if isinstance(part, MongoDB) and name != primary]
    with _dead(world, [primary, others[0]]):
        world.pass_time(UNELECTED_SECONDS)
        without = time.time()
        world.until(lambda: len(_accepted_since(world, without)) > ENOUGH, "requests are accepted")


def _do_without(world: World, name: str) -> None:
    """Kill a node, and bring it back when the desk has gone on without it for a while."""
    began = time.time()
    with _dead(world, [name]):
        world.until(lambda: _moved_since(world, began) > ENOUGH, f"the desk goes on without {name}")


@contextmanager
def _dead(world: World, names: list[str]) -> Iterator[None]:
    """Nodes are killed at the same time, and back at the end; the desk must be itself again then."""
    with world.fault(f"{', '.join(names)} away", strikes_mail=any(map(strikes_mail, names))):
        for name in names:
            world.kill(name)
        try:
            yield
        finally:
            for name in names:
                world.stack[name].start()
            for name in names:
                world.bring_back(name)
    world.await_ready()


def _accepted_since(world: World, moment: float) -> set[str]:
    """Requests that were accepted, nothing of them having been answered before."""
    asked = (each for each in list(world.attempts) if each.kind is Kind.REQUEST)
    return {each.request_id for each in asked if each.acknowledged and each.answers[0].at > moment}


def _moved_since(world: World, moment: float) -> int:
    """Acts on tickets that have been asked for, opened and worked since then: the whole way through the desk."""
    new = _accepted_since(world, moment)
    return sum(each.acknowledged and each.request_id in new for each in list(world.attempts) if each.kind is Kind.ACT)


def _leaders(hands: Management) -> list[str]:
    return [queue["leader"] for queue in hands.queues() if queue["name"] in _WORK]


def _named_most(world: World, nodes: list[str]) -> str:
    [(node, _)] = Counter(nodes).most_common(1)
    [name] = [name for name, part in world.stack.processes.items() if isinstance(part, RabbitMQ) and part.node == node]
    return name


def _await_members(world: World, hands: Management) -> None:
    """Every queue has all its members again: without them the next loss would be that of a majority."""

    def short() -> list[str]:
        return [queue["name"] for queue in hands.queues() if "online" in queue and len(queue["online"]) < NODES]

    world.until(lambda: not short(), lambda: f"members are still missing from {short()}")


def _primary(world: World) -> str:
    with MongoClient[dict[str, Any]](world.stack.info.mongodb.url) as client:
        client.admin.command("ping")
        address = client.primary
    assert address is not None
    [name] = [
        name for name, part in world.stack.processes.items() if isinstance(part, MongoDB) and part.port == address[1]
    ]
    return name


# All of it runs on one machine: three of each server leave less of it for the load.
_on_three = partial(Scenario, rate=3.0, nodes=NODES)

SCENARIOS = (
    _on_three(
        "cluster-broker", "of three RabbitMQ nodes the one with most clients killed, twice", kill_node_of_clients
    ),
    _on_three("cluster-leader", "of three RabbitMQ nodes the one that leads most queues killed, twice", kill_leader),
    _on_three(
        "cluster-log", "of three RabbitMQ nodes the one that leads the log killed, twice", kill_leader_of_the_log
    ),
    _on_three("cluster-two-brokers", "two of three RabbitMQ nodes killed", lose_two_brokers),
    _on_three("cluster-database", "of three MongoDB members the primary killed, twice", kill_primary),
    _on_three("cluster-two-databases", "two of three MongoDB members killed", lose_two_databases),
)
