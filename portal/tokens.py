"""Access tokens for the gateway, minted with the development key.

In production the carrier's OpenID provider gives them; `docs/portal.md` says what takes this file's place.
"""

import base64
import binascii
import time
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from portal.identity import User
from portal.settings import ConfigurationError, PortalSettings

KEY_ID = "development"
SCOPES = {"producer": "requests:write tickets:read", "staff": "tickets:read tickets:work"}
PRIVATE_SCOPE = "bank:read"
LIFETIME = 600  # seconds
SPARE = 60  # seconds before its end in which a token is not used any more


@dataclass(frozen=True)
class AccessToken:
    """A bearer token, and when it ends (seconds of the epoch)."""

    text: str
    expires: int

    @property
    def is_fresh(self) -> bool:
        """Whether a call that begins now may still use it."""
        return self.expires - time.time() > SPARE


class Mint:
    """Gives access tokens.

    Raises:
        ConfigurationError: the signing key cannot be read.
    """

    def __init__(self, settings: PortalSettings) -> None:
        self._issuer, self._audience = settings.jwt_issuer, settings.jwt_audience
        self._key = _read_key(settings.signing_key.get_secret_value())

    def token(self, user: User) -> AccessToken:
        """A token that says who calls and what he may."""
        issued = int(time.time())
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": self._audience,
            "iat": issued,
            "exp": issued + LIFETIME,
            "sub": user.user_id,
            "name": user.name,
            "email": user.email,
            "scope": f"{SCOPES[user.role]} {PRIVATE_SCOPE}" if user.reads_private else SCOPES[user.role],
        }
        if user.producer_id:
            claims["producer_id"] = user.producer_id
        text = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})
        return AccessToken(text, issued + LIFETIME)


def _read_key(text: str) -> RSAPrivateKey:
    try:
        key = load_der_private_key(base64.b64decode(text, validate=True), password=None)
    except (binascii.Error, ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError("PORTAL_SIGNING_KEY: no RSA key in PKCS #8 and base64.")
    return key
