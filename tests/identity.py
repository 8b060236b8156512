"""Builders of keys, tokens and settings: an identity provider in a folder."""

import json
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from services.documents.settings import DocumentsSettings
from services.intake.settings import IntakeSettings
from services.notifier.settings import NotifierSettings
from services.tickets.settings import TicketsSettings
from shared.runtime.settings import ServiceSettings

ISSUER, AUDIENCE, KEY_ID = "https://idp.example/", "por-desk", "idp-1"
PRODUCER_SCOPE, STAFF_SCOPE = "requests:write tickets:read", "tickets:read tickets:work"


@cache
def rsa_key(name: str = "the provider's") -> rsa.RSAPrivateKey:
    """A private key per name."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Provider:
    """An identity provider whose public key lies in a JWKS file."""

    folder: Path
    key_id: str = KEY_ID

    @property
    def key_file(self) -> Path:
        """The JWKS file that services read."""
        path = self.folder / f"{self.key_id}.json"
        public = RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True)
        public.pop("key_ops", None)
        path.write_text(json.dumps({"keys": [{**public, "kid": self.key_id, "use": "sig", "alg": "RS256"}]}))
        return path

    def token(self, *, drop: str = "", key: Any = None, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A producer's token with these claims changed, and the claim ``drop`` left out."""
        algorithm = (headers or {}).get("alg", "RS256")
        signer: Any = key if key is not None else None if algorithm == "none" else rsa_key()
        return jwt.encode(
            {name: value for name, value in (_claims() | claims).items() if name != drop},
            signer,
            algorithm=algorithm,
            headers={"kid": self.key_id, **(headers or {})},
        )

    def staff(self, scope: str = STAFF_SCOPE) -> str:
        """A staff member's token."""
        return self.token(sub="staff-1", drop="producer_id", scope=scope)


def _claims() -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 600,
        "sub": "P1001",
        "producer_id": "P1001",
        "name": "Dana Whitfield",
        "email": "p1001@agency.example",
        "scope": PRODUCER_SCOPE,
    }


def _common(key_file: Path | None) -> dict[str, Any]:
    return {
        "amqp_url": "amqp://guest:guest@127.0.0.1:1/",
        "jwt_key_file": key_file,
        "jwt_issuer": ISSUER,
        "jwt_audience": AUDIENCE,
    }


_STORE = {"s3_endpoint": "http://127.0.0.1:1", "s3_access_key": "test-access", "s3_secret_key": "test-secret"}


def service_settings(key_file: Path | None, **changes: Any) -> ServiceSettings:
    """Settings that every service has."""
    return ServiceSettings(**_common(key_file) | changes)


def intake_settings(key_file: Path, **changes: Any) -> IntakeSettings:
    """Settings of the gateway."""
    owners = {"tickets_url": "http://tickets.test", "documents_url": "http://documents.test"}
    keys = {"field_keys_file": field_keys(key_file.parent)}
    return IntakeSettings(**_common(key_file) | _STORE | owners | keys | changes)


def field_keys(folder: Path) -> Path:
    """A file of keys for private fields; one that is there stays."""
    path = folder / "field-keys"
    if not path.exists():
        path.write_text(Fernet.generate_key().decode())
    return path


def documents_settings(key_file: Path | None = None, **changes: Any) -> DocumentsSettings:
    """Settings of documents."""
    return DocumentsSettings(**_common(key_file) | _STORE | changes)


def tickets_settings(key_file: Path) -> TicketsSettings:
    """Settings of tickets."""
    return TicketsSettings(**_common(key_file), mongodb_url="mongodb://127.0.0.1:1/")


def notifier_settings(key_file: Path | None = None) -> NotifierSettings:
    """Settings of notifier."""
    return NotifierSettings(
        **_common(key_file),
        mongodb_url="mongodb://127.0.0.1:1/",
        smtp_host="127.0.0.1",
        mail_from="desk@carrier.example",
        portal_url="https://portal.example/tickets/",
    )
