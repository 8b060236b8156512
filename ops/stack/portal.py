"""The reference portal as a process, with users of its own whose passwords are made anew at each start."""

import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from argon2 import PasswordHasher

from ops.stack.connections import Login, StackInfo
from ops.stack.files import write_private
from ops.stack.keys import private_key_text
from ops.stack.probes import http_ok
from ops.stack.processes import Process
from ops.tokens import AUDIENCE, ISSUER

USERS: tuple[dict[str, Any], ...] = (
    {
        "user_id": "dwhitfield",
        "name": "Dana Whitfield",
        "company": "Whitfield Benefits Group, LLC",
        "producer_id": "P1001",
        "email": "dana.whitfield@whitfield.example",
        "role": "producer",
    },
    {
        "user_id": "cjensen",
        "name": "Carl Jensen",
        "company": "Jensen & Moore Insurance Services",
        "producer_id": "P2044",
        "email": "carl.jensen@jensenmoore.example",
        "role": "producer",
    },
    {
        "user_id": "rokafor",
        "name": "Ruth Okafor",
        "company": "Group Producer Services",
        "email": "ruth.okafor@carrier.example",
        "role": "staff",
        "reads_private": True,
    },
    {
        "user_id": "msantos",
        "name": "Miguel Santos",
        "company": "Group Producer Services",
        "email": "miguel.santos@carrier.example",
        "role": "staff",
    },
)


def make_users(file: Path) -> tuple[Login, ...]:
    """Write the users with new passwords, hashed; gives what to log in with."""
    hasher = PasswordHasher()
    logins = tuple(Login(user["user_id"], secrets.token_urlsafe(9), user["name"], user["role"]) for user in USERS)
    users = [{**user, "password": hasher.hash(login.password)} for user, login in zip(USERS, logins, strict=True)]
    write_private(file, json.dumps(users, indent=2))
    return logins


def portal_environment(info: StackInfo, home: Path) -> dict[str, str]:
    """The PORTAL_ settings that tie the portal to a stack."""
    mail = urlsplit(info.smtp.url)
    return {
        "PORTAL_URL": info.portal.url,
        "PORTAL_GATEWAY_URL": info.services["intake"],
        "PORTAL_PORT": str(urlsplit(info.portal.url).port),
        "PORTAL_STATE_DIR": str(home / "state"),
        "PORTAL_USERS_FILE": str(home / "users.json"),
        "PORTAL_SIGNING_KEY": private_key_text(Path(info.signing_key)),
        "PORTAL_JWT_ISSUER": ISSUER,
        "PORTAL_JWT_AUDIENCE": AUDIENCE,
        "PORTAL_SMTP_HOST": mail.hostname or "",
        "PORTAL_SMTP_PORT": str(mail.port),
        "PORTAL_SMTP_STARTTLS": "false",
        "PORTAL_MAIL_FROM": "portal@carrier.example",
    }


class Portal(Process):
    """The portal, run as in a deployment: `python -m portal.main`."""

    def __init__(self, info: StackInfo, home: Path, log: Path, env: Mapping[str, str]) -> None:
        self.url = info.portal.url
        argv = [sys.executable, "-m", "portal.main"]
        super().__init__("portal", argv, log=log, env={**portal_environment(info, home), **env})

    def answers(self) -> bool:
        """The portal answers; that the gateway does is the gateway's to say."""
        return http_ok(f"{self.url}/healthz")
