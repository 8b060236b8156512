"""How to reach each part of a running stack: plain frozen values, also kept in `stack.json` for every other tool."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.stack.files import is_held


@dataclass(frozen=True)
class Connection:
    """Where a server is and who may come in; name and password are empty where none is asked for."""

    url: str
    username: str = ""
    password: str = ""

    @property
    def url_with_credentials(self) -> str:
        """The URL as a driver takes it, name and password within."""
        return self.url.replace("//", f"//{self.username}:{self.password}@", 1)


@dataclass(frozen=True)
class ObjectStore(Connection):
    """An S3 endpoint (access key as username, secret key as password) with the bucket the letters go to."""

    bucket: str = "por-letters"
    region: str = "us-east-1"


@dataclass(frozen=True)
class MailSink(Connection):
    """An SMTP server that delivers every mail into one maildir."""

    maildir: str = ""


@dataclass(frozen=True)
class Login:
    """Whom to log in as at the portal."""

    user_id: str
    password: str
    name: str
    role: str


@dataclass(frozen=True)
class PortalDoor:
    """Where the portal is, and who may come in."""

    url: str
    logins: tuple[Login, ...]


@dataclass(frozen=True)
class StackInfo:
    """Everything needed to talk to a stack; `services` maps each service's name to its base URL."""

    rabbitmq: Connection
    rabbitmq_management: Connection
    rabbitmq_metrics: Connection
    mongodb: Connection
    object_store: ObjectStore
    smtp: MailSink
    services: Mapping[str, str]
    portal: PortalDoor
    signing_key: str
    jwks: str
    field_keys: str
    holds: str

    def as_json(self, pids: Mapping[str, int]) -> str:
        """The content of `stack.json`, with the process id of each part."""
        return json.dumps({**asdict(self), "pids": dict(pids)}, indent=2) + "\n"

    @classmethod
    def load(cls, home: Path) -> StackInfo:
        """Read what a running stack wrote into its folder; FileNotFoundError means that none is up."""
        with (home / "stack.json").open() as file:
            if not is_held(file):
                raise FileNotFoundError(f"{file.name} is of a stack that was killed")
            data = json.load(file)
        return cls(
            rabbitmq=Connection(**data["rabbitmq"]),
            rabbitmq_management=Connection(**data["rabbitmq_management"]),
            rabbitmq_metrics=Connection(**data["rabbitmq_metrics"]),
            mongodb=Connection(**data["mongodb"]),
            object_store=ObjectStore(**data["object_store"]),
            smtp=MailSink(**data["smtp"]),
            services=data["services"],
            portal=PortalDoor(data["portal"]["url"], tuple(Login(**login) for login in data["portal"]["logins"])),
            signing_key=data["signing_key"],
            jwks=data["jwks"],
            field_keys=data["field_keys"],
            holds=data["holds"],
        )
