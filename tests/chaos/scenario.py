"""What a scenario is, and how one is run: load, faults, quiet, and the ledger's verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ops.stack import Stack
from tests.chaos.findings import Findings
from tests.chaos.journal import Attempt, Fault, Kind
from tests.chaos.ledger import Verdict, judge
from tests.chaos.load import Load
from tests.chaos.progress import Progress
from tests.chaos.reading import read
from tests.chaos.world import Stuck, World

BEFORE, AFTER = 2.0, 2.0  # seconds of undisturbed load around the faults
MAX_RECOVERY = 60.0
QUIET_PATIENCE = 150.0  # far beyond what passes, so that the ledger can say what is missing

Say = Callable[[str], None]


@dataclass(frozen=True)
class Scenario:
    """Faults under a load, on servers of so many ``nodes``; ``permanent`` are the reasons for which it may park."""

    name: str
    sentence: str
    play: Callable[[World], None]
    rate: float = 8.0
    strangers: bool = False
    permanent: frozenset[str] = frozenset()
    nodes: int = 1


@dataclass(frozen=True)
class Outcome:
    """How a scenario ended; ``problem`` is what kept it from being played, ``recovery`` in seconds."""

    name: str
    verdict: Verdict
    faults: int
    recovery: float
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the ledger balances, and the desk was itself again in time."""
        return self.verdict.passed and not self.problem and self.recovery < MAX_RECOVERY

    @property
    def complaints(self) -> list[str]:
        """Everything that is wrong."""
        late = f"recovery took {self.recovery:.0f} s" if self.recovery >= MAX_RECOVERY else ""
        verdict = self.verdict
        return [each for each in (self.problem, late, *verdict.lost, *verdict.duplicated, *verdict.unexpected) if each]


@dataclass
class Run:
    """Scenarios on one stack, one after the other, and what they leave for the last look at everything."""

    stack: Stack
    seed: int
    say: Say
    attempts: list[Attempt] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    emptied: Findings = field(default_factory=Findings)
    permanent: frozenset[str] = frozenset()

    def play(self, scenario: Scenario) -> Outcome:
        """Play one scenario, and judge it."""
        problem = ""
        self.seed += 1
        world = World(
            self.stack, Load(self.stack.info, self.seed, scenario.rate, strangers=scenario.strangers), self.say
        )
        with world.load:
            world.pass_time(BEFORE)
            try:
                scenario.play(world)
            except Stuck as stuck:
                problem = str(stuck)
            except Exception as error:  # noqa: BLE001  # one scenario that cannot be played is no reason to end the others
                problem = f"not played: {type(error).__name__}: {error}"
            world.as_ever()
            world.pass_time(AFTER)
        recovery, undone = _become_quiet(world, mails=not scenario.permanent)
        verdict = self._judge(world, scenario)
        return Outcome(scenario.name, verdict, len(world.faults), recovery, problem or undone)

    def look_again(self) -> Outcome:
        """Judge everything once more: what came late, or to the wrong ticket, is seen here."""
        found = read(self.stack.info)
        found.parked, found.unrouted = self.emptied.parked + found.parked, self.emptied.unrouted + found.unrouted
        name = "all" if self.stack.nodes == 1 else f"all on {self.stack.nodes} nodes"
        return Outcome(name, judge(self.attempts, found, self.faults, self.permanent), len(self.faults), 0.0)

    def _judge(self, world: World, scenario: Scenario) -> Verdict:
        settled = frozenset(each.request_id for each in self.attempts if each.kind is Kind.REQUEST)
        attempts = world.load.result()
        found = read(self.stack.info, settled)
        self.attempts += attempts
        self.faults += world.faults
        self.emptied.parked += found.parked
        self.emptied.unrouted += found.unrouted
        self.permanent |= scenario.permanent
        return judge(attempts, found, world.faults, scenario.permanent)


def _become_quiet(world: World, *, mails: bool) -> tuple[float, str]:
    """Wait until everything is done: seconds since the last fault, and what is undone where that takes too long."""
    progress = Progress(world.stack.info)
    ended = max((fault.ended for fault in world.faults), default=time.time())

    def undone() -> str:
        return progress.undone(world.attempts, mails=mails) if world.load.is_over else "customers are still waiting"

    try:
        world.until(lambda: not undone(), undone, QUIET_PATIENCE)
    except Stuck as stuck:
        return time.time() - ended - world.renewing_since(ended), str(stuck)
    return time.time() - ended - world.renewing_since(ended), ""
