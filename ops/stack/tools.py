"""The programs the stack is made of, found without importing the packages that carry them."""

import importlib.util
import os
import shutil
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class MissingTool(RuntimeError):
    """A program of the stack is not installed."""


@dataclass(frozen=True)
class Tools:
    """Paths of the programs; replace one to run the stack with another build of it."""

    setpriv: str
    rabbitmq: str
    epmd: str
    haproxy: str
    mongod: str
    rclone: str
    minio: str = ""

    @classmethod
    def find(cls) -> "Tools":
        """Find all of them, or say which are missing and what to do."""
        scripts = sysconfig.get_path("scripts")
        tools = cls(
            setpriv=_first([shutil.which("setpriv")]),
            # Not /usr/sbin/rabbitmq-server: that one changes the user and then may not read our folder.
            rabbitmq=_first(["/usr/lib/rabbitmq/bin/rabbitmq-server"]),
            epmd=_first([shutil.which("epmd")]),
            haproxy=_first([shutil.which("haproxy"), "/usr/sbin/haproxy"]),
            mongod=_first(_in_package("fiftyone", "db/bin/mongod")),
            rclone=_first([f"{scripts}/rclone", shutil.which("rclone")]),
            minio=_first([shutil.which("minio"), str(ROOT / ".local/bin/minio")]),
        )
        needed = [field.name for field in fields(cls) if field.name != "minio"]
        if os.environ.get("OBJECT_STORE") == "minio":
            needed.append("minio")
        if missing := [name for name in needed if not getattr(tools, name)]:
            raise MissingTool(f"Not installed: {', '.join(missing)}. Run: make setup")
        return tools


def _first(candidates: Iterable[str | None]) -> str:
    return next((path for path in candidates if path and os.access(path, os.X_OK)), "")


def _in_package(package: str, file: str) -> list[str]:
    spec = importlib.util.find_spec(package)  # of a top-level package: finds it without running its code
    return [str(Path(folder) / file) for folder in (spec.submodule_search_locations or [])] if spec else []
