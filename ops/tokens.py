"""Access tokens from the local stack's development key, as the carrier's identity provider mints them."""

import time
from dataclasses import dataclass
from pathlib import Path

import jwt

KEY_ID = "development"
ISSUER = "https://desk.local/"
AUDIENCE = "por-desk"
PRODUCER_SCOPE = "requests:write tickets:read"
STAFF_SCOPE = "tickets:read tickets:work"
BANK_SCOPE = f"{STAFF_SCOPE} bank:read"
OPS_SCOPE = "ops"


@dataclass(frozen=True)
class Mint:
    """Mints tokens with one private key."""

    signing_key: Path
    lifetime: int = 12 * 3600

    def producer(self, producer_id: str, name: str = "", email: str = "") -> str:
        """A producer's token."""
        return self.token(
            sub=producer_id,
            producer_id=producer_id,
            name=name or f"Producer {producer_id}",
            email=email or f"{producer_id.lower()}@agency.example",
            scope=PRODUCER_SCOPE,
        )

    def staff(self, subject: str = "staff-1", scope: str = STAFF_SCOPE) -> str:
        """A staff member's token."""
        return self.token(sub=subject, name=subject, email=f"{subject}@carrier.example", scope=scope)

    def ops(self, subject: str = "ops-1") -> str:
        """An operator's token."""
        return self.token(sub=subject, name=subject, email=f"{subject}@carrier.example", scope=OPS_SCOPE)

    def token(self, **claims: object) -> str:
        """A token with these claims beside issuer, audience and times (which they may override)."""
        issued = int(time.time())
        base = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": issued,
            "exp": issued + self.lifetime,
        }
        return jwt.encode(
            {**base, **claims},
            self.signing_key.read_bytes(),
            algorithm="RS256",
            headers={"kid": KEY_ID},
        )
