"""Who calls: bearer tokens, checked by each service itself; no identity header is trusted."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Protocol, TypeAlias

import jwt
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.runtime.keys import KeysAway, RemoteKeys
from shared.runtime.problems import Problem, unavailable
from shared.runtime.settings import ConfigurationError, ServiceSettings

ALGORITHMS = ["RS256", "ES256"]
DEVELOPMENT_KEY = "development"
REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]

REQUESTS_WRITE = "requests:write"
TICKETS_READ = "tickets:read"
TICKETS_WORK = "tickets:work"
BANK_READ = "bank:read"
OPS = "ops"

_bearer = HTTPBearer(auto_error=False, description="A JWT from the carrier's identity provider.")


@dataclass(frozen=True)
class Caller:
    """The person or system behind a valid token."""

    subject: str
    producer_id: str | None
    name: str
    email: str
    scopes: frozenset[str]
    token: str
    expires_at: float  # seconds since 1970

    @property
    def is_staff(self) -> bool:
        """Staff works the tickets of every producer."""
        return TICKETS_WORK in self.scopes

    @property
    def sees_private(self) -> bool:
        """Bank details are for that staff alone which may read them."""
        return self.is_staff and BANK_READ in self.scopes

    @property
    def sees_only(self) -> str | None:
        """The producer id that bounds every query of this caller; None: all (staff)."""
        return None if self.is_staff else self.producer_id


class Verifier(Protocol):
    """Who knows whom a token names."""

    async def caller(self, token: str) -> Caller:
        """The caller that ``token`` names, or a :class:`Problem`."""


class TokenVerifier:
    """Checks tokens against a JWKS file or URL.

    Raises:
        ConfigurationError: no key source or two, an unreadable file, or the development key
            outside the local profile.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._issuer, self._audience = settings.jwt_issuer, settings.jwt_audience
        self._local = settings.profile == "local"
        if (settings.jwt_jwks_url is None) == (settings.jwt_key_file is None):
            raise ConfigurationError("Set one of POR_JWT_JWKS_URL and POR_JWT_KEY_FILE.")
        self._remote = RemoteKeys(settings.jwt_jwks_url) if settings.jwt_jwks_url else None
        self._keys = _read_keys(settings.jwt_key_file) if settings.jwt_key_file else {}
        if DEVELOPMENT_KEY in self._keys and not self._local:
            raise ConfigurationError(
                "POR_JWT_KEY_FILE holds the development key, which only POR_PROFILE=local may "
                "use. Give the key file of your identity provider."
            )

    async def caller(self, token: str) -> Caller:
        """The caller that ``token`` names.

        Raises:
            Problem: 401 ``invalid-token``, or 503 where the keys cannot be fetched.
        """
        try:
            claims = jwt.decode(
                token,
                await self._key(token),
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=30,
                options={"require": REQUIRED_CLAIMS},
            )
            return Caller(
                subject=claims["sub"],
                producer_id=_text(claims, "producer_id") or None,
                name=_text(claims, "name"),
                email=_text(claims, "email"),
                scopes=frozenset(_text(claims, "scope").split()),
                token=token,
                expires_at=float(claims["exp"]),
            )
        except KeysAway as error:
            raise unavailable("The identity provider's keys are temporarily unavailable; try again shortly.") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise _unauthorized("invalid-token", "The access token is not valid for this API.") from error

    async def _key(self, token: str) -> jwt.PyJWK:
        key_id = jwt.get_unverified_header(token).get("kid")
        if key_id == DEVELOPMENT_KEY and not self._local:
            raise jwt.InvalidKeyError("development key")
        if self._remote is not None:
            return await self._remote.key(str(key_id))
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("unknown key")
        return self._keys[key_id]


def _text(claims: dict[str, object], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise jwt.InvalidTokenError(name)
    return value


def _read_keys(path: Path) -> dict[str, jwt.PyJWK]:
    try:
        keys = jwt.PyJWKSet.from_dict(json.loads(path.read_bytes())).keys
    except (OSError, ValueError, AttributeError, jwt.PyJWTError) as error:
        raise ConfigurationError(f"POR_JWT_KEY_FILE: no JWKS can be read from {path}.") from error
    return {key.key_id: key for key in keys if key.key_id}


def _unauthorized(code: str, detail: str) -> Problem:
    # RFC 6750, section 3.1: no error code where no token was sent.
    challenge = "Bearer" if code == "missing-token" else 'Bearer error="invalid_token"'
    return Problem(HTTPStatus.UNAUTHORIZED, code, detail, headers={"WWW-Authenticate": challenge})


CallerDependency: TypeAlias = Callable[..., Awaitable[Caller]]


def signed_in(verifier: Verifier) -> CallerDependency:
    """A FastAPI dependency: the caller, whatever he may do."""

    async def dependency(
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> Caller:
        if credentials is None:
            raise _unauthorized("missing-token", "Send an access token as a bearer token.")
        if len(request.headers.getlist("authorization")) > 1:
            # Which one counts would be for each program on the way to decide.
            raise _unauthorized("invalid-token", "Send exactly one Authorization header.")
        return await verifier.caller(credentials.credentials)

    return dependency


def caller_with(verifier: Verifier, *scopes: str) -> CallerDependency:
    """A FastAPI dependency: the caller, who must have one of ``scopes``.

    A caller who is not staff must also be a producer, for all he may see hangs on that.
    """

    async def dependency(caller: Annotated[Caller, Depends(signed_in(verifier))]) -> Caller:
        if caller.scopes.isdisjoint(scopes) or not (caller.is_staff or caller.producer_id):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "not-allowed",
                f"This needs the scope {' or '.join(scopes)}; callers who are not staff also need a producer_id.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"'},
            )
        return caller

    return dependency
