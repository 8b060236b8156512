"""What a scenario is, and how one is run: load, faults, quiet, and the ledger's verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ops.stack import Stack
from tests.chaos.journal import Kind
from tests.chaos.ledger import Verdict, judge
from tests.chaos.load import Load
from tests.chaos.progress import Progress
from tests.chaos.reading import read
from tests.chaos.world import Stuck, World

BEFORE, AFTER = 2.0, 2.0  # seconds of undisturbed load around the faults
MAX_RECOVERY = 60.0
QUIET_PATIENCE = 150.0  # far beyond what passes, so that the ledger can say what is missing


@dataclass(frozen=True)
class Scenario:
    """Faults under a load; ``permanent`` are the reasons for which it may park messages."""

    name: str
    sentence: str
    play: Callable[[World], None]
    rate: float = 8.0
    poison: bool = False
    permanent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """How a scenario ended; ``problem`` is what kept it from being played."""

    name: str
    verdict: Verdict
    faults: int
    recovery: float
    seconds: float
    problem: str = ""
    requests: frozenset[str] = field(default_factory=frozenset)

    @property
    def passed(self) -> bool:
        """Whether the ledger balances, and the desk was itself again in time."""
        return self.verdict.passed and not self.problem and self.recovery < MAX_RECOVERY

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        verdict = self.verdict
        return {
            "scenario": self.name,
            "passed": self.passed,
            "attempts": verdict.attempts,
            "acknowledged": verdict.acknowledged,
            "lost": len(verdict.lost),
            "duplicated": len(verdict.duplicated),
            "unexpected": len(verdict.unexpected),
            "recovered": verdict.recovered,
            "second_mails": verdict.second_mails,
            "parked": verdict.parked,
            "faults": self.faults,
            "recovery_seconds": round(self.recovery, 1),
            "seconds": round(self.seconds, 1),
            "findings": [*verdict.lost, *verdict.duplicated, *verdict.unexpected, *filter(None, [self.problem])],
        }


def run(stack: Stack, scenario: Scenario, seed: int, settled: frozenset[str], say: Callable[[str], None]) -> Outcome:
    """Play a scenario; ``settled`` are the requests of those before it."""
    began, problem = time.monotonic(), ""
    load = Load(stack.info, seed, scenario.rate, poison=scenario.poison)
    world = World(stack, load, say)
    with load:
        world.pass_time(BEFORE)
        try:
            scenario.play(world)
        except Stuck as stuck:
            problem = str(stuck)
        world.as_ever()
        world.pass_time(AFTER)
    recovery, undone = _become_quiet(world, mails=not scenario.permanent)
    verdict = judge(load.result(), read(stack.info, settled), world.faults, scenario.permanent)
    requests = frozenset(each.request_id for each in load.attempts if each.kind is Kind.REQUEST)
    seconds = time.monotonic() - began
    return Outcome(scenario.name, verdict, len(world.faults), recovery, seconds, problem or undone, frozenset(requests))


def _become_quiet(world: World, *, mails: bool) -> tuple[float, str]:
    """Wait until everything is done: seconds since the last fault, and what is undone where that takes too long."""
    progress, deadline = Progress(world.stack.info), time.monotonic() + QUIET_PATIENCE
    ended = max((fault.ended for fault in world.faults), default=time.time())
    while not world.load.is_over or (undone := progress.undone(world.attempts, mails=mails)):
        if time.monotonic() > deadline:
            return time.time() - ended, undone if world.load.is_over else "the customers are still waiting"
        world.pass_time(0.5)
    return time.time() - ended, ""
