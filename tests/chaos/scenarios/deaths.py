"""Services die: at every point, at random, one after the other."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from ops.stack import SERVICES
from tests.chaos.journal import Fault
from tests.chaos.points import POINTS
from tests.chaos.scenario import Scenario
from tests.chaos.world import World, home_of, python

HITS = 4
PATIENCE = 900.0
# Half a second of it is the start. In the rest each life gets something done: a service that dies on whatever comes first
# parks it, and rightly so. A mail claimed by the dead is held for ten seconds, hence notifier's.
CALM = {"intake": 0.6, "documents": 1.0, "tickets": 1.0, "notifier": 2.5}


def die_at_every_point(world: World, hits: int = HITS) -> None:
    """Every service dies at each of its points, all services at the same time."""
    logs = {name: home_of(world.stack) / f"{name}.jsonl" for name in SERVICES}
    for log in logs.values():
        log.unlink(missing_ok=True)
    argv = {
        name: python("tests.chaos.doomed", name, "--hits", f"{hits}", "--calm", f"{CALM[name]}", "--log", f"{log}")
        for name, log in logs.items()
    }

    def short() -> dict[str, int]:
        counted = Counter(life["point"] for log in logs.values() for life in _lives(log))
        return {name: hits - counted[name] for name in POINTS if counted[name] < hits}

    world.instead({}, argv)
    try:
        world.until(lambda: not short(), lambda: f"hits still missing: {short()}", PATIENCE)
    finally:
        for log in logs.values():
            world.faults += [
                Fault(life["point"] or "died by itself", life["ended"], life["ended"], life["service"] == "notifier")
                for life in _lives(log)
            ]


def _lives(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


SCENARIOS = (
    Scenario("kill-points", "SIGKILL between every two durable steps of each service", die_at_every_point, 12.0, True),
)
