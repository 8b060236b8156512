"""The object store: `rclone serve s3` over a folder, or MinIO where OBJECT_STORE=minio asks for it."""

import os
import secrets
from pathlib import Path

from ops.objects import StoreFault, object_store
from ops.stack.connections import ObjectStore
from ops.stack.ports import Ports
from ops.stack.probes import port_answers
from ops.stack.processes import Process
from ops.stack.tools import Tools


class ObjectStoreServer(Process):
    """An S3 server with one user and one bucket."""

    def __init__(self, home: Path, log: Path, ports: Ports, tools: Tools, env: dict[str, str]) -> None:
        self.port = ports.reserve()
        address = f"127.0.0.1:{self.port}"
        self.connection = ObjectStore(f"http://{address}", secrets.token_hex(10), secrets.token_hex(20))
        access, secret = self.connection.username, self.connection.password
        minio = os.environ.get("OBJECT_STORE") == "minio"
        data = home / ("minio" if minio else "rclone")  # they lay out their folders differently
        data.mkdir(parents=True, exist_ok=True)
        if minio:
            argv = [tools.minio, "server", str(data), "--address", address, "--quiet"]
            user = {
                "MINIO_ROOT_USER": access,
                "MINIO_ROOT_PASSWORD": secret,
                "MINIO_BROWSER": "off",
            }
        else:
            # Where two puts of one object meet, rclone may take a file for gone that is there, for as long as it keeps
            # what it knows of the folder: five minutes by default.
            argv = [tools.rclone, "serve", "s3", "--addr", address, "--dir-cache-time", "5s", str(data)]
            # In the environment, where other users do not see it as they see arguments. RCLONE_CONFIG="": none.
            user = {"RCLONE_AUTH_KEY": f'"{access},{secret}"', "RCLONE_CONFIG": ""}
        super().__init__("object_store", argv, log=log, env={**env, **user, "HOME": str(home)})

    def answers(self) -> bool:
        """The bucket exists, made by us when it did not."""
        if not port_answers(self.port):
            return False
        store = self.connection
        try:
            with object_store(store.url, store.username, store.password, store.region, seconds=2.0) as client:
                if not client.bucket_exists(store.bucket):
                    client.make_bucket(store.bucket)
        except StoreFault:
            return False
        return True
