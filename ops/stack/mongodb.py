"""A MongoDB of our own: one `mongod` that is a replica set of one member."""

from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from ops.stack.connections import Connection
from ops.stack.ports import Ports
from ops.stack.probes import port_answers
from ops.stack.processes import Process
from ops.stack.tools import Tools

_NOT_YET_INITIALIZED = 94


class MongoDB(Process):
    """The server; its data may come from an earlier run, which knew itself under another port."""

    def __init__(self, home: Path, log: Path, ports: Ports, tools: Tools, env: dict[str, str]) -> None:
        data = home / "data"
        data.mkdir(parents=True, exist_ok=True)
        self.port = ports.reserve()
        self.host = f"127.0.0.1:{self.port}"
        self.connection = Connection(f"mongodb://{self.host}/?replicaSet=rs0")
        super().__init__(
            "mongodb",
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
                "--setParameter",
                "diagnosticDataCollectionEnabled=false",
            ],
            log=log,
            env=env,
        )

    def answers(self) -> bool:
        """The member is primary; on the way there it is told which replica set it is."""
        if not port_answers(self.port):
            return False
        try:
            with MongoClient[dict[str, object]](
                "127.0.0.1",
                self.port,
                directConnection=True,
                serverSelectionTimeoutMS=1000,
            ) as client:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return True
                self._configure(client)
        except PyMongoError:
            pass  # still starting, or electing itself: asked again soon
        return False

    def _configure(self, client: MongoClient[dict[str, object]]) -> None:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as failure:
            if failure.code != _NOT_YET_INITIALIZED:
                raise
            # While data of an earlier run are still being read, this is refused, and asked again.
            members = [{"_id": 0, "host": self.host}]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
            return
        if config["members"][0]["host"] != self.host:
            config["members"][0]["host"] = self.host
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
