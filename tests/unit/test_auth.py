"""Who may in: every token that is not quite right is 401."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from shared.runtime.auth import TokenVerifier
from shared.runtime.problems import Problem
from shared.runtime.settings import ConfigurationError
from tests.identity import Provider, rsa_key, service_settings

NOW = int(time.time())


def verifier(provider: Provider, **changes: Any) -> TokenVerifier:
    """A verifier that trusts the provider."""
    return TokenVerifier(service_settings(provider.key_file, **changes))


def unsigned(text: dict[str, Any]) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(json.dumps(text).encode()).rstrip(b"=").decode()


async def test_a_right_token_names_its_caller(tmp_path: Path) -> None:
    """A producer's token gives id, name, address and scopes, and bounds what he sees; staff sees all."""
    provider = Provider(tmp_path)
    producer = await verifier(provider).caller(provider.token())
    assert (producer.producer_id, producer.name, producer.email) == ("P1001", "Dana Whitfield", "p1001@agency.example")
    assert producer.scopes == {"requests:write", "tickets:read"}
    assert (producer.is_staff, producer.sees_only) == (False, "P1001")
    staff = await verifier(provider).caller(provider.staff())
    assert (staff.is_staff, staff.sees_only, staff.producer_id) == (True, None, None)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": NOW - 3600}, id="expired"),
        pytest.param({"nbf": NOW + 3600}, id="not yet valid"),
        pytest.param({"iat": NOW + 3600}, id="issued later"),
        {"iss": "https://other.example/"},
        {"aud": "other-api"},
        {"aud": []},
        {"headers": {"kid": "unknown"}},
        {"headers": {"kid": None}},
        {"headers": {"kid": ["idp-1"]}},
        {"headers": {"alg": "none"}},
        {"headers": {"alg": "RS512"}},
        {"headers": {"alg": "PS256"}},
        {"key": rsa_key("somebody else's")},
        *({"drop": claim} for claim in ("exp", "iat", "iss", "aud", "sub")),
        {"sub": 1001},
        {"sub": None},
        {"producer_id": 1001},
        {"producer_id": ["P1001"]},
        {"producer_id": None},
        {"scope": ["tickets:work"]},
        {"name": {"first": "Dana"}},
        {"email": 5},
        {"exp": "tomorrow"},
        {"iss": ["https://idp.example/"]},
    ],
    ids=lambda changes: "other key" if "key" in changes else str(changes),
)
async def test_a_token_that_is_not_right_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Whatever is wrong with a token, the caller is told 401 invalid-token and no more."""
    provider = Provider(tmp_path)
    try:
        token = provider.token(**changes)
    except (TypeError, jwt.PyJWTError):  # the library makes no such token; a forger does
        claims = jwt.decode(provider.token(), options={"verify_signature": False})
        headers = {"alg": "RS256", "kid": "idp-1", **changes.pop("headers", {})}
        signed = f"{unsigned(headers)}.{unsigned({**claims, **changes})}"
        token = f"{signed}.{sign(signed)}"
    with pytest.raises(Problem) as refused:
        await verifier(provider).caller(token)
    assert refused.value.status == 401
    assert refused.value.body.type == "urn:por-desk:problem:invalid-token"
    assert refused.value.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def sign(signed: str) -> str:
    """A right signature, whatever is signed."""
    raw = jwt.get_algorithm_by_name("RS256").sign(signed.encode(), rsa_key())
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "....", "é.é.é", "null.null.null", "W10.W10.W10"])
async def test_what_is_no_token_is_refused(tmp_path: Path, token: str) -> None:
    """Noise in place of a token is 401 and never an unexpected error."""
    with pytest.raises(Problem) as refused:
        await verifier(Provider(tmp_path)).caller(token)
    assert refused.value.status == 401


async def test_the_public_key_is_no_shared_secret(tmp_path: Path) -> None:
    """A token signed HS256 with the public key as its secret is refused."""
    provider = Provider(tmp_path)
    public = rsa_key().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head, claims, _ = provider.token().split(".")
    head = unsigned({"alg": "HS256", "kid": "idp-1", "typ": "JWT"})
    raw = jwt.get_algorithm_by_name("HS256").sign(f"{head}.{claims}".encode(), pem)
    forged = f"{head}.{claims}.{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"
    with pytest.raises(Problem) as refused:
        await verifier(provider).caller(forged)
    assert refused.value.status == 401


async def test_a_shared_secret_among_the_keys_signs_nobody_in(tmp_path: Path) -> None:
    """Where an identity provider lists a symmetric key, whoever knows the list could sign with it: nothing is."""
    provider, secret = Provider(tmp_path), b"known to whoever reads the list of keys"
    symmetric = {"kty": "oct", "kid": "shared", "alg": "HS256", "k": base64.urlsafe_b64encode(secret).decode()}
    keys = json.loads(provider.key_file.read_bytes())["keys"]
    mixed = tmp_path / "mixed.json"
    mixed.write_text(json.dumps({"keys": [*keys, symmetric]}))
    forged = provider.token(key=secret, headers={"alg": "HS256", "kid": "shared"})
    with pytest.raises(Problem) as refused:
        await TokenVerifier(service_settings(mixed)).caller(forged)
    assert refused.value.body.type == "urn:por-desk:problem:invalid-token"


def test_the_development_key_is_for_the_local_stack_only(tmp_path: Path) -> None:
    """A service does not start with the development key outside the local profile."""
    development = Provider(tmp_path, key_id="development")
    with pytest.raises(ConfigurationError, match="development key"):
        verifier(development)
    verifier(development, profile="local")


async def test_a_token_of_the_development_key_is_refused_elsewhere(tmp_path: Path) -> None:
    """A token that names the development key is 401 outside the local profile."""
    with pytest.raises(Problem) as refused:
        await verifier(Provider(tmp_path)).caller(Provider(tmp_path, key_id="development").token())
    assert refused.value.status == 401


def test_there_is_exactly_one_source_of_keys(tmp_path: Path) -> None:
    """Neither a key URL nor a key file, or both, is a wrong configuration that names the variables."""
    url = "https://idp.example/jwks"
    for key_file, jwks_url in ((None, None), (Provider(tmp_path).key_file, url)):
        with pytest.raises(ConfigurationError, match="POR_JWT_JWKS_URL and POR_JWT_KEY_FILE"):
            TokenVerifier(service_settings(key_file, jwt_jwks_url=jwks_url))


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"keys": []}', '{"keys": 1}', "no json"])
def test_a_key_file_that_holds_no_keys_stops_the_start(tmp_path: Path, content: str | None) -> None:
    """A key file that is missing, empty or something else is a wrong configuration."""
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match="POR_JWT_KEY_FILE"):
        TokenVerifier(service_settings(path))


async def test_keys_that_cannot_be_fetched_are_503(tmp_path: Path) -> None:
    """Where the identity provider is away, nobody is told that his token is bad."""
    verifier_by_url = TokenVerifier(service_settings(None, jwt_jwks_url="http://127.0.0.1:1/jwks"))
    with pytest.raises(Problem) as refused:
        await verifier_by_url.caller(Provider(tmp_path).token())
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"]
