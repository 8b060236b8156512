"""A service that dies at named points, one life after the other: ``python -m tests.chaos.doomed tickets --hits 20``.

It is run in place of ``services.<name>.main``. Every life is the real main in a process of its own, forked, so that it
need not import everything anew. Each arms the points that are still short of their hits; the first that is passed often
enough kills it. ``--log`` gets one line of JSON for each life that has ended.
"""

import argparse
import asyncio
import ctypes
import importlib
import inspect
import json
import os
import pkgutil
import random
import runpy
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from tests.chaos.in_doubt import watch
from tests.chaos.points import POINTS, Moment, points_of

# What the server loads when it starts; loaded here, it is there in every life.
_LOADED_LATE = ("uvloop", "uvicorn.lifespan.on", "uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl")
_PR_SET_PDEATHSIG = 1
_MARK_BYTES = 65_536  # as many as a pipe holds
_UNMARKED: dict[str, Any] = {"point": "", "in_doubt": []}
_REST = 0.2


@dataclass
class Fate:
    """What may kill a life: it is spared for ``calm`` seconds from its first step on, to get something done."""

    calm: float
    mark: int
    sleep_log: Path | None
    in_doubt: AbstractSet[str] = frozenset()
    first_step: float | None = None
    slept: bool = False

    def strikes(self) -> bool:
        """Whether the life may end now."""
        moment = time.monotonic()
        self.first_step = self.first_step or moment
        return moment >= self.first_step + self.calm and not self.slept

    def strike(self, point: str) -> None:
        """Leave the mark that tells this death from others, and die; or fall asleep, once, until somebody wakes us."""
        if self.sleep_log is None:
            os.write(self.mark, json.dumps({"point": point, "in_doubt": [*self.in_doubt]}).encode())
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            self.slept = True
            _write(self.sleep_log, {"point": point, "pid": os.getpid()})
            os.kill(os.getpid(), signal.SIGSTOP)


def locate(step: str) -> tuple[Any, str]:
    """The class and the method's name of a step; AttributeError or ImportError where the code has no such step."""
    owner, _, method = step.rpartition(".")
    found = pkgutil.resolve_name(owner)
    getattr(found, method)
    return found, method


def arm(name: str, fate: Fate) -> None:
    """Let a fate strike at a point, at one of its next passings."""
    point = POINTS[name]
    left = random.randint(1, point.most)
    owner, method = locate(point.step)
    step: Callable[..., Any] = getattr(owner, method)

    def is_last(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any = None) -> bool:
        nonlocal left
        if not point.only((args, kwargs, result)) or not fate.strikes():
            return False
        left -= 1
        return left <= 0

    @wraps(step)
    async def doomed(*args: Any, **kwargs: Any) -> Any:
        if point.moment is not Moment.AFTER and is_last(args, kwargs):
            if point.moment is Moment.DURING:
                call = asyncio.ensure_future(step(*args, **kwargs))
                await asyncio.wait([call], timeout=random.uniform(0, 0.003))
            fate.strike(name)
        result = await step(*args, **kwargs)
        if point.moment is Moment.AFTER and is_last(args, kwargs, result):
            fate.strike(name)
        return result

    @wraps(step)
    def doomed_at_once(*args: Any, **kwargs: Any) -> Any:
        if is_last(args, kwargs):
            fate.strike(name)
        return step(*args, **kwargs)

    setattr(owner, method, doomed if inspect.iscoroutinefunction(step) else doomed_at_once)


def live(service: str, armed: list[str], fate: Fate) -> None:
    """One life; does not return."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if service == "notifier":
        fate.in_doubt = watch()
    for name in armed:
        arm(name, fate)
    sys.argv = [f"services.{service}.main"]
    runpy.run_module(f"services.{service}.main", run_name="__main__")
    os._exit(0)


def one_life(service: str, armed: list[str], calm: float, sleep_log: Path | None) -> dict[str, Any]:
    """Fork a life, wait for its end, and tell of it.

    ``point`` only where a point killed it, ``in_doubt`` the mails that it was about then, ``status`` as of wait.
    """
    began = time.time()
    reading, mark = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        random.seed()
        os.close(reading)
        live(service, armed, Fate(calm, mark, sleep_log))
    os.close(mark)
    signal.signal(signal.SIGTERM, lambda *_: _end_with(child))
    _, status = os.waitpid(child, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.set_blocking(reading, False)  # a worker of the dead may hold the other end a little longer
    marked = _marked(reading)
    os.close(reading)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {
        "service": service,
        **(marked if killed else _UNMARKED),
        "status": os.waitstatus_to_exitcode(status),
        "began": began,
        "ended": time.time(),
    }


def _marked(reading: int) -> dict[str, Any]:
    with suppress(BlockingIOError):
        if mark := os.read(reading, _MARK_BYTES):
            found: dict[str, Any] = json.loads(mark)
            return found
    return _UNMARKED


def _write(log: Path, told: dict[str, Any]) -> None:
    with log.open("a") as file:
        file.write(json.dumps(told) + "\n")


def _end_with(child: int) -> None:
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
    os._exit(0)


def main() -> None:
    """Give it one life after the other; when every point has its hits, one that nothing ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service")
    parser.add_argument("--hits", type=int, default=1, help="how often each point is to be hit")
    parser.add_argument("--point", action="append", help="a point by name; all of the service's without")
    parser.add_argument(
        "--calm", type=float, default=0.5, help="seconds for which each life is spared from its first step on"
    )
    parser.add_argument("--sleep", action="store_true", help="fall asleep (SIGSTOP) in place of dying")
    parser.add_argument("--log", type=Path, required=True)
    options = parser.parse_args()
    wanted: list[str] = options.point or points_of(options.service)
    for name in wanted:
        locate(POINTS[name].step)
    for module in (f"services.{options.service}.main", *_LOADED_LATE):
        importlib.import_module(module)
    hits: Counter[str] = Counter()
    while True:
        short = [name for name in wanted if hits[name] < options.hits]
        life = one_life(options.service, short, options.calm, options.log if options.sleep else None)
        hits[life["point"]] += 1
        _write(options.log, life)
        if not life["point"]:
            time.sleep(_REST)


if __name__ == "__main__":
    main()
