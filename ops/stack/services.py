"""The four services as processes, and the settings that tie them to a stack."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ops.stack.connections import StackInfo
from ops.stack.probes import http_ok
from ops.stack.processes import Process
from ops.stack.tools import ROOT
from ops.tokens import AUDIENCE, ISSUER

SERVICES = ("intake", "documents", "tickets", "notifier")


def service_environment(name: str, info: StackInfo) -> dict[str, str]:
    """The POR_ settings of one service: what all share, and what only this one may know."""
    store, broker, mail = info.object_store, info.rabbitmq, urlsplit(info.smtp.url)
    objects = {
        "POR_S3_ENDPOINT": store.url,
        "POR_S3_ACCESS_KEY": store.username,
        "POR_S3_SECRET_KEY": store.password,
        "POR_S3_BUCKET": store.bucket,
        "POR_S3_REGION": store.region,
    }
    database = {"POR_MONGODB_URL": info.mongodb.url, "POR_MONGODB_DATABASE": name}
    own = {
        "intake": {
            **objects,
            "POR_TICKETS_URL": info.services["tickets"],
            "POR_DOCUMENTS_URL": info.services["documents"],
            "POR_FIELD_KEYS_FILE": info.field_keys,
            "POR_HOLDS_FILE": info.holds,
        },
        "documents": objects,
        "tickets": database,
        "notifier": {
            **database,
            "POR_SMTP_HOST": mail.hostname or "",
            "POR_SMTP_PORT": str(mail.port),
            "POR_SMTP_STARTTLS": "false",
            "POR_MAIL_FROM": "desk@carrier.example",
            "POR_PORTAL_URL": f"{info.portal.url}/tickets",
        },
    }
    return {
        "POR_PROFILE": "local",
        "POR_HOST": "127.0.0.1",
        "POR_PORT": str(urlsplit(info.services[name]).port),
        "POR_LOG_FORMAT": "json",
        "POR_AMQP_URL": broker.url_with_credentials,
        "POR_JWT_KEY_FILE": info.jwks,
        "POR_JWT_ISSUER": ISSUER,
        "POR_JWT_AUDIENCE": AUDIENCE,
        **own[name],
    }


def own_holds(home: Path) -> Path:
    """The stack's own file of holds, to be edited while it is up; at first it is a copy of the shipped one."""
    path = home / "holds.toml"
    if not path.exists():
        shutil.copyfile(ROOT / "services/intake/holds.toml", path)
    return path


class Service(Process):
    """One service, run as in a deployment: `python -m services.<name>.main`."""

    def __init__(self, name: str, info: StackInfo, log: Path, env: Mapping[str, str]) -> None:
        self.url = info.services[name]
        argv = [sys.executable, "-m", f"services.{name}.main"]
        super().__init__(name, argv, log=log, env={**service_environment(name, info), **env})

    def answers(self) -> bool:
        """The service says that it and what it depends on are ready."""
        return http_ok(f"{self.url}/readyz")
