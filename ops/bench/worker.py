"""The bench's own processes: told what to do on stdin, ready, off at a word, one line of JSON as a result.

Whoever makes load is not measured together with whoever watches it, so each is a process of its own.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from ops.bench.figures import BenchFailed
from ops.stack.processes import clean_environment
from ops.stack.tools import ROOT

_READY = "ready\n"
_PATIENCE = 60.0


class Worker:
    """One `python -m <module>`, as its parent sees it; leaving the context ends it."""

    def __init__(self, module: str, spec: Mapping[str, Any]) -> None:
        self._module, self._spec = module, spec
        self._reader = ThreadPoolExecutor(1)
        self._line: Future[str] = Future()

    def __enter__(self) -> Self:
        """Start the process and wait until everything that is not measured is done."""
        self._popen = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=clean_environment({}),
            start_new_session=True,
        )
        self._say(json.dumps(dict(self._spec)))  # on stdin, where nobody else sees what is secret in it
        if self._popen.stdout is None or self._popen.stdout.readline() != _READY:
            self._end()
            raise BenchFailed(f"{self._module} did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        if kind is None:
            self._dismiss()
        self._end()

    def go(self) -> None:
        """Start the clock."""
        assert self._popen.stdout is not None
        self._line = self._reader.submit(self._popen.stdout.readline)
        self._say("go")

    @property
    def done(self) -> bool:
        """Whether the result is there.

        Raises:
            BenchFailed: the process ended without one.
        """
        if self._line.done() and not self._line.result():
            raise BenchFailed(f"{self._module} failed")
        return self._line.done()

    def result(self) -> Any:
        """What the process found out; waits for it."""
        return json.loads(self._line.result())

    def _say(self, line: str) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()

    def _dismiss(self) -> None:
        assert self._popen.stdin is not None
        with suppress(OSError, subprocess.TimeoutExpired):
            self._popen.stdin.close()
            self._popen.wait(_PATIENCE)  # it may have something to tidy up

    def _end(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._reader.shutdown()


def told() -> dict[str, Any]:
    """What the parent wants done (in the child)."""
    spec: dict[str, Any] = json.loads(sys.stdin.readline())
    return spec


def wait_for_go() -> None:
    """Say that all is prepared and wait for the word (in the child)."""
    print(_READY, end="", flush=True)
    if not sys.stdin.readline():
        raise SystemExit(1)


def report(result: Any) -> None:
    """Say the result, and return when the parent has seen enough (in the child)."""
    # Not print(): with PYTHONUNBUFFERED it loses the rest of a long line when a signal interrupts the write.
    with open(sys.stdout.fileno(), "w", closefd=False) as out:
        out.write(json.dumps(result) + "\n")
    sys.stdin.read()
