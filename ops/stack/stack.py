"""The whole local stack as one context manager: everything is up inside it, and nothing is left after it."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from ops.stack.connections import PortalDoor, StackInfo
from ops.stack.files import hold, write_private
from ops.stack.keys import field_keys, signing_key
from ops.stack.nodes import broker, database
from ops.stack.objectstore import ObjectStoreServer
from ops.stack.portal import Portal, make_users
from ops.stack.ports import Ports
from ops.stack.processes import Process, stop_all, wait_ready
from ops.stack.services import SERVICES, Service, own_holds
from ops.stack.signals import undisturbed
from ops.stack.smtp import SmtpServer
from ops.stack.tools import Tools

DATA = ("rabbitmq", "mongodb", "objects", "mail", "portal", "logs")


class StackError(RuntimeError):
    """The stack cannot be started here."""


class Stack:
    """Servers and services with their data below `home`; `fresh` forgets what an earlier run left.

    `processes` holds them by name (`epmd`, `rabbitmq`, `mongodb`, `object_store`, `smtp`, the services and `portal`),
    to be killed, restarted or measured; `info` tells how to reach them. `env` are settings for services and portal
    beyond those of `service_environment` and `portal_environment`. With three `nodes` there are `rabbitmq-1` to
    `rabbitmq-3` behind a `balancer`, and `mongodb-1` to `mongodb-3`.
    """

    info: StackInfo

    def __init__(
        self,
        home: Path,
        *,
        services: Iterable[str] = SERVICES,
        env: Mapping[str, str] | None = None,
        announce: Callable[[str], None] = lambda _: None,
        tools: Tools | None = None,
        fresh: bool = False,
        nodes: int = 1,
    ) -> None:
        self.home = home.resolve()
        self.processes: dict[str, Process] = {}
        self._services, self._env, self._announce, self._tools = (
            tuple(services),
            dict(env or {}),
            announce,
            tools,
        )
        self._fresh, self.nodes = fresh, nodes
        self._down = ExitStack()

    def __enter__(self) -> Self:
        """Start everything and wait until it answers; after a failure nothing is left running."""
        try:
            self._lock()
            (self.home / "stack.json").unlink(missing_ok=True)  # of a runner that was killed
            if self._fresh:
                self._forget()
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        """Stop the services, then the servers."""
        self._stop()

    def __getitem__(self, name: str) -> Process:
        """The process of a server or service."""
        return self.processes[name]

    def deaths(self) -> Iterator[Process]:
        """Each process that has ended by itself, as soon as it has; waits for the next one, without end."""
        alive = list(self.processes.values())
        while True:
            ended = [process for process in alive if not process.running]
            yield from ended
            alive = [process for process in alive if process not in ended]
            time.sleep(0.2)

    def write_info(self) -> None:
        """Write `stack.json` anew, for instance after a restart changed process ids; it counts while we hold it."""
        pids = {"runner": os.getpid()} | {name: part.pid for name, part in self.processes.items() if part.running}
        hold(self._down.enter_context(write_private(self.home / "stack.json", self.info.as_json(pids)).open()))

    def _lock(self) -> None:
        # A lock ends with its holder, however that ends; a file with a process id would outlive a kill -9.
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        lock = self._down.enter_context((self.home / "lock").open("a+"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read() or "unknown"
            raise StackError(f"A stack is already up in {self.home} (process {holder}). Stop it first.") from None
        _replace(lock, str(os.getpid()))

    def _forget(self) -> None:
        for part in DATA:
            for folder in self.home.glob(f"{part}*"):  # each node of a cluster has one
                shutil.rmtree(folder, ignore_errors=True)

    def _start(self) -> None:
        tools = self._tools or Tools.find()
        ports = self._down.enter_context(Ports())
        logs, mark = (
            self.home / "logs",
            {"POR_STACK_HOME": str(self.home)},
        )  # the mark tells whose a process is
        rabbitmq = broker(self.home, logs, ports, tools, mark, self.nodes)
        mongodb = database(self.home, logs, ports, tools, mark, self.nodes)
        objects = ObjectStoreServer(self.home / "objects", logs / "object_store.log", ports, tools, mark)
        smtp = SmtpServer(self.home / "mail", logs / "smtp.log", ports, mark)
        key, portal = signing_key(self.home), self.home / "portal"
        self.info = StackInfo(
            rabbitmq=rabbitmq.door.connection,
            rabbitmq_management=rabbitmq.door.management,
            rabbitmq_metrics=rabbitmq.nodes[0].metrics,
            mongodb=mongodb[0].connection,
            object_store=objects.connection,
            smtp=smtp.connection,
            services={name: f"http://127.0.0.1:{ports.reserve()}" for name in SERVICES},
            portal=PortalDoor(f"http://127.0.0.1:{ports.reserve()}", make_users(portal / "users.json")),
            signing_key=str(key.private),
            jwks=str(key.jwks),
            field_keys=str(field_keys(self.home)),
            holds=str(own_holds(self.home)),
        )
        self._bring_up([rabbitmq.epmd])
        self._bring_up([*rabbitmq.processes, *mongodb, objects, smtp])  # the slowest first
        env = {**mark, **self._env}
        ours: list[Process] = [Service(name, self.info, logs / f"{name}.log", env) for name in self._services]
        if "intake" in self._services:  # whose client it is
            ours.append(Portal(self.info, portal, logs / "portal.log", env))
        self._bring_up(ours)
        self._down.callback((self.home / "stack.json").unlink, missing_ok=True)
        self.write_info()

    def _bring_up(self, processes: list[Process]) -> None:
        began = time.monotonic()
        self.processes |= {process.name: process for process in processes}
        self._down.callback(stop_all, processes)
        for process in processes:
            process.start()
        wait_ready(
            processes,
            on_ready=lambda p: self._announce(f"{p.name} ready after {time.monotonic() - began:.1f} s"),
        )

    def _stop(self) -> None:
        with undisturbed():
            self._down.close()


def _replace(file: TextIO, text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
