"""A server as a process of ours, which cannot outlive the runner that started it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from ops.stack.tools import ROOT

_FOREIGN = ("RABBITMQ_", "ERL_", "RCLONE_", "MINIO_", "AWS_", "POR_", "PORTAL_")


class ProcessFailed(RuntimeError):
    """A process ended, or did not become ready in time, while starting; the message shows the end of its log."""


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment without proxies and without settings meant for somebody else's servers, plus `extra`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
    }
    return {**kept, "NO_PROXY": "*", "no_proxy": "*", **extra}


class Process:
    """One program: started, awaited, stopped or killed, and measured; its output goes to a log file."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path = ROOT,
        grace: float = 10.0,
    ) -> None:
        """`grace` is how many seconds the process has to stop by itself before it is killed."""
        self.name, self.argv, self.log, self.env, self.cwd, self.grace = (
            name,
            list(argv),
            log,
            dict(env),
            cwd,
            grace,
        )
        self._popen: subprocess.Popen[bytes] | None = None
        self._family: list[psutil.Process] = []

    def answers(self) -> bool:
        """Whether the process does its work; each kind of server says how to find out."""
        return True

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def pid(self) -> int:
        """The process id; of the last run when it is not running."""
        if self._popen is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._popen.pid

    @property
    def exit_status(self) -> int | None:
        """The exit status, negative the signal that ended it; None while it runs or before it was started."""
        return self._popen.poll() if self._popen else None

    def start(self) -> None:
        """Start the process, without waiting for it; does nothing when it is running."""
        if self.running:
            return
        # The kernel sends the death signal when the *thread* that forked ends, so only the main thread may fork.
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"{self.name} must be started from the main thread")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self.argv],
                env=clean_environment(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the runner alone, which stops its servers in order
            )
        self._family = []

    def is_ready(self) -> bool:
        """Whether the process answers; raises ProcessFailed when it has ended."""
        if not self.running:
            status = self._popen.returncode if self._popen else "never started"
            raise ProcessFailed(f"{self.name} ended while starting (status {status}).\n{self.last_lines()}")
        return self.answers()

    def wait_ready(self, patience: float = 60.0) -> None:
        """Wait until the process answers."""
        wait_ready([self], patience)

    def terminate(self) -> None:
        """Ask the process to stop, without waiting for it."""
        if self.running and not self._family:
            self._family = self.family()
            self._signal(subprocess.Popen.terminate)

    def stop(self) -> None:
        """Stop the process and all it started: politely first, then not."""
        self.terminate()
        if self._popen is not None:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(self.grace)
        self.kill()

    def kill(self) -> None:
        """SIGKILL the process and all it started."""
        family = self._family or self.family()
        self._signal(subprocess.Popen.kill)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        if self._popen is not None:
            self._popen.wait()
        deadline = time.monotonic() + 5
        while any(map(_alive, family)) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._family = []

    def restart(self, patience: float = 60.0) -> None:
        """Stop, start and wait until ready."""
        self.stop()
        self.start()
        self.wait_ready(patience)

    def family(self) -> list[psutil.Process]:
        """The process and all its descendants that are alive."""
        if not self.running:
            return []
        try:
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def cpu_seconds(self) -> float:
        """CPU time used so far, by user and system, children included."""
        return sum(_measured(member, lambda p: sum(p.cpu_times()[:2])) for member in self.family())

    def rss(self) -> int:
        """Resident memory in bytes, children included."""
        return int(sum(_measured(member, lambda p: float(p.memory_info().rss)) for member in self.family()))

    def last_lines(self, count: int = 15) -> str:
        """The end of the log file, for error messages."""
        lines = self.log.read_text(errors="replace").splitlines()[-count:] if self.log.exists() else []
        return "\n".join([f"The last lines of {self.log}:", *lines] if lines else [f"{self.log} is empty."])

    def _signal(self, send: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._popen is not None and self.running:
            send(self._popen)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE  # dead, its new parent is just slow
    except psutil.NoSuchProcess:
        return False


def _measured(process: psutil.Process, measure: Callable[[psutil.Process], float]) -> float:
    try:
        return measure(process)
    except psutil.Error:
        return 0.0  # it ended between the listing and the question


def wait_ready(
    processes: Iterable[Process],
    patience: float = 60.0,
    on_ready: Callable[[Process], None] = lambda _: None,
) -> None:
    """Wait for all at the same time, so that the first failure is reported at once."""
    pending, deadline = list(processes), time.monotonic() + patience
    while pending:
        for process in list(pending):
            if process.is_ready():
                pending.remove(process)
                on_ready(process)
            elif time.monotonic() > deadline:
                raise ProcessFailed(f"{process.name} was not ready after {patience:.0f} s.\n{process.last_lines()}")
        if pending:
            time.sleep(0.05)


def stop_all(processes: Iterable[Process]) -> None:
    """Stop all at the same time."""
    everyone = list(processes)
    for process in everyone:
        process.terminate()
    for process in everyone:
        process.stop()
