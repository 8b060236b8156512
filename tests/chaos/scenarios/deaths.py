"""Services die: at every point, at random, one after the other."""

import itertools
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ops.stack import SERVICES
from tests.chaos.journal import Fault
from tests.chaos.points import POINTS
from tests.chaos.scenario import Scenario
from tests.chaos.world import World, home_of, python

HITS = 20
PATIENCE = 1500.0
RANDOM_SECONDS = 180.0
RESTARTS = 25
# In this time each life gets something done: a service that dies on whatever comes first parks it, and rightly so.
CALM = {"intake": 0.0, "documents": 0.4, "tickets": 0.4, "notifier": 0.4}


def die_at_every_point(world: World, hits: int = HITS) -> None:
    """Every service dies at each of its points, all services at the same time."""
    folder = home_of(world.stack)
    for log in folder.glob("deaths-*.jsonl"):
        log.unlink()

    def dying(name: str) -> list[str]:
        where = str(folder / f"deaths-{name}.jsonl")
        return python("tests.chaos.doomed", name, "--hits", f"{hits}", "--calm", f"{CALM[name]}", "--log", where)

    def short() -> dict[str, int]:
        counted = Counter(life["point"] for life in _lives(folder))
        return {name: hits - counted[name] for name in POINTS if counted[name] < hits}

    world.instead({}, {name: dying(name) for name in SERVICES})
    try:
        world.until(lambda: not short(), lambda: f"hits still missing: {short()}", PATIENCE)
    finally:
        world.faults += map(_fault, _lives(folder))


def _lives(folder: Path) -> list[dict[str, Any]]:
    """Every life that has ended."""
    logs = folder.glob("deaths-*.jsonl")
    return [json.loads(line) for log in logs for line in log.read_text().splitlines() if line.endswith("}")]


def _fault(life: dict[str, Any]) -> Fault:
    """A death, with the mails that it can have let go twice."""
    mails = frozenset(life["in_doubt"])
    return Fault(life["point"] or "died by itself", life["ended"], life["ended"], bool(mails), mails)


def die_at_random(world: World) -> None:
    """Every two seconds one service dies, whatever it is doing."""
    chance, ending = random.Random(), time.monotonic() + RANDOM_SECONDS
    while time.monotonic() < ending:
        world.kill(chance.choice(SERVICES))
        world.pass_time(2)


def restart_in_turn(world: World) -> None:
    """One service after the other is ended by SIGTERM and started anew, as a roll-out does."""
    for _, name in zip(range(RESTARTS), itertools.cycle(SERVICES), strict=False):
        part = world.stack[name]
        with world.fault(f"restart {name}"):
            part.stop()
            world.tend()
            world.until(part.answers, f"{name} is ready")


SCENARIOS = (
    Scenario(
        "kill-points",
        "SIGKILL between every two durable steps of each service",
        die_at_every_point,
        12.0,
        strangers=True,
    ),
    Scenario("random-kills", "SIGKILL of a random service every 2 s, for three minutes", die_at_random),
    Scenario("rolling-restarts", "SIGTERM and a new start, 25 times, one service after the other", restart_in_turn),
)


def die_once(world: World) -> None:
    """What there is time for in every test run: each point once, and the broker."""
    die_at_every_point(world, 1)
    world.kill("rabbitmq")
    world.bring_back("rabbitmq")


SHORT = Scenario("short", "each point once, and the broker killed", die_once, 8.0, strangers=True)
