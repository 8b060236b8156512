"""The desk under test: real servers and services, what strikes them, and the supervisor that brings them back."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ops.stack import SERVICES, Process, Stack
from ops.stack.ports import Ports
from tests.chaos.journal import Attempt, Fault, Kind
from tests.chaos.load import Load

# A retry budget of 12 s, claims on mails that run out after 9 s, and a sweeper that most lives are long enough for.
SETTINGS = {
    "POR_RETRY_DELAYS": "1,1,2,3,5",
    "POR_SMTP_TIMEOUT": "1",
    "POR_SWEEP_SECONDS": "0.5",
    "POR_LETTER_WORKERS": "1",  # they start with every life
    "POR_RATE_PER_SECOND": "10000",  # a few callers stand for many
    "POR_RATE_BURST": "10000",
}
POLL = 0.1
READY_PATIENCE = 60.0
SAY_SECONDS = 5.0


def strikes_mail(part: str) -> bool:
    """Whether a mail may go out twice where this part is struck: who sends it, who takes it, or who keeps its mark."""
    return part.partition("-")[0] in {"notifier", "smtp", "mongodb"}


class Stuck(Exception):
    """The desk did not become quiet, or a part did not come back; the message says which."""


@dataclass
class World:
    """One scenario's view of the stack; everything here runs in the main thread, which alone may start processes.

    ``absent`` are the parts that nobody is to bring back for now, ``seconds`` further processes of a service.
    """

    stack: Stack
    load: Load
    say: Callable[[str], None]
    faults: list[Fault] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    seconds: list[Process] = field(default_factory=list)
    _ports: Ports = field(default_factory=Ports)
    _renewals: list[tuple[float, float]] = field(default_factory=list)
    _usual: dict[str, tuple[dict[str, str], list[str]]] = field(default_factory=dict)

    @property
    def attempts(self) -> list[Attempt]:
        """What was asked so far."""
        return self.load.attempts

    def refused_since(self, moment: float) -> int:
        """How many answers since then told somebody to come back later with what he asked to be done."""
        asked = (attempt for attempt in list(self.attempts) if attempt.kind is not Kind.READING)
        answers = (answer for attempt in asked for answer in list(attempt.answers))
        return sum(answer.status == 503 and answer.at > moment for answer in answers)

    @staticmethod
    def logged(part: Process, text: str) -> int:
        """How often a part has logged this."""
        return part.log.read_text(errors="replace").count(text)

    def tend(self) -> None:
        """Bring back every service that has died, as a deployment's supervisor does."""
        for part in (*(self.stack[name] for name in SERVICES), *self.seconds):
            if part.name not in self.absent and not part.running:
                part.start()

    def pass_time(self, seconds: float) -> None:
        """Let the desk work on, and tend it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.tend()
            time.sleep(POLL)

    def until(
        self, holds: Callable[[], object], what: str | Callable[[], str], patience: float = READY_PATIENCE
    ) -> None:
        """Let the desk work until something is true; now and then it is said what is waited for.

        Raises:
            Stuck: it did not become true in time.
        """
        began = said = time.monotonic()
        while not holds():
            moment = time.monotonic()
            if moment > began + patience:
                raise Stuck(f"{what if isinstance(what, str) else what()}: not within {patience:.0f} s")
            if moment > said + SAY_SECONDS:
                said = moment
                self.say(what if isinstance(what, str) else what())
            self.pass_time(POLL)

    def kill(self, name: str) -> None:
        """SIGKILL a part; a service is back at once, a server when it is brought back."""
        with self.fault(f"kill {name}", strikes_mail=strikes_mail(name)):
            if name not in SERVICES:
                self.absent.add(name)
            self.stack[name].kill()

    def bring_back(self, name: str) -> None:
        """Start a server that was killed, and wait until it answers."""
        part = self.stack[name]
        part.start()
        self.until(part.answers, f"{name} answers")
        self.absent.discard(name)

    def await_ready(self) -> None:
        """Every service is ready."""
        for name in SERVICES:
            self.until(self.stack[name].answers, f"{name} is ready")

    @contextmanager
    def fault(self, name: str, *, strikes_mail: bool = False) -> Iterator[None]:
        """Something is done to the desk inside the block."""
        began = time.time()
        try:
            yield
        finally:
            self.faults.append(Fault(name, began, time.time(), strikes_mail))

    def instead(
        self, settings: Mapping[str, Mapping[str, str]], argv: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Let services run with other settings or as other programs, until they are as ever again."""
        argv = argv or {}
        parts = [self.stack[name] for name in {**settings, **argv}]
        for part in parts:
            self._usual.setdefault(part.name, (part.env, part.argv))
            part.env = {**part.env, **settings.get(part.name, {})}
            part.argv = list(argv.get(part.name, part.argv))
        self._renew(parts)

    def second(self, name: str) -> Process:
        """A further process of a service, until everything is as ever."""
        first = self.stack[name]
        env = {**first.env, "POR_PORT": str(self._ports.reserve())}
        log = first.log.with_name(f"{name}-2.log")
        second = Process(f"second {name}", first.argv, log=log, env=env, grace=first.grace)
        self.seconds.append(second)
        second.start()
        return second

    def as_ever(self) -> None:
        """Let every service run as it does in a deployment."""
        while self.seconds:
            self.seconds.pop().stop()
        self._ports.release()
        parts = [self.stack[name] for name in self._usual]
        for part in parts:
            part.env, part.argv = self._usual.pop(part.name)
        self._renew(parts)

    def renewing_since(self, moment: float) -> float:
        """Seconds spent since then on restarts that are the suite's own, and no part of any recovery."""
        return sum(seconds for at, seconds in self._renewals if at > moment)

    def _renew(self, parts: Sequence[Process]) -> None:
        began = time.time()
        for part in parts:
            part.terminate()
        for part in parts:
            part.stop()
        self.tend()
        self.await_ready()
        self._renewals.append((began, time.time() - began))


def python(module: str, *arguments: str) -> list[str]:
    """The command line of one of our own programs."""
    return [sys.executable, "-m", module, *arguments]


def home_of(stack: Stack) -> Path:
    """Where a scenario may put its own files."""
    folder = stack.home / "chaos"
    folder.mkdir(exist_ok=True)
    return folder
