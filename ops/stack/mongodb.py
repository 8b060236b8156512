"""A MongoDB of our own: `mongod` as a member of a replica set, mostly of one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from ops.stack.connections import Connection
from ops.stack.probes import port_answers
from ops.stack.processes import Process
from ops.stack.tools import Tools

_NOT_YET_INITIALIZED = 94
# What takes longer is logged whole, with every name and comment in it; nothing takes a day.
SLOW_MS = "86400000"


class MongoDB(Process):
    """One member; its data may come from an earlier run, which knew it under another port."""

    def __init__(
        self, home: Path, log: Path, tools: Tools, env: dict[str, str], port: int, ports: Sequence[int]
    ) -> None:
        """`ports` are those of all members; the first of them configures the set."""
        data = home / "data"
        data.mkdir(parents=True, exist_ok=True)
        self.port, self.configures = port, port == ports[0]
        self.members = [f"127.0.0.1:{each}" for each in ports]
        self.connection = Connection(f"mongodb://{','.join(self.members)}/?replicaSet=rs0")
        super().__init__(
            home.name,
            [
                tools.mongod,
                "--dbpath",
                str(data),
                "--bind_ip",
                "127.0.0.1",
                "--port",
                str(self.port),
                "--nounixsocket",
                "--replSet",
                "rs0",
                "--wiredTigerCacheSizeGB",
                "0.5",
                "--quiet",
                "--slowms",
                SLOW_MS,
                "--setParameter",
                "diagnosticDataCollectionEnabled=false",
                # All members stop together: there is no sense in waiting (15 s) until clients have found another.
                "--setParameter",
                "shutdownTimeoutMillisForSignaledShutdown=100",
            ],
            log=log,
            env=env,
        )

    def answers(self) -> bool:
        """The member is primary, or follows one; on the way there the set is told who its members are."""
        if not port_answers(self.port):
            return False
        try:
            with MongoClient[dict[str, Any]](
                "127.0.0.1",
                self.port,
                directConnection=True,
                serverSelectionTimeoutMS=1000,
            ) as client:
                hello = client.admin.command("hello")
                # A primary that does not take writes yet calls itself a secondary.
                if hello["isWritablePrimary"] or (
                    hello["secondary"] and hello.get("primary", hello["me"]) != hello["me"]
                ):
                    return True
                if self.configures:
                    self._configure(client)
        except PyMongoError:
            pass  # still starting, or electing itself: asked again soon
        return False

    def _configure(self, client: MongoClient[dict[str, Any]]) -> None:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as failure:
            if failure.code != _NOT_YET_INITIALIZED:
                raise
            # Refused, and asked again, while data of an earlier run are still being read or a member is not up.
            members = [{"_id": n, "host": host} for n, host in enumerate(self.members)]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
            return
        if [member["host"] for member in config["members"]] != self.members:
            for member, host in zip(config["members"], self.members, strict=True):
                member["host"] = host
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
