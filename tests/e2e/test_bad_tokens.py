"""Who is nobody gets nowhere: every route of every service checks the token itself."""

import base64
import hmac
import json
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from httpx import codes

from ops.tokens import Mint
from services.tickets.numbers import ticket_number
from tests.fixtures.desk import FORM, LETTER, Desk
from tests.fixtures.remains import await_quiet

PRODUCER = {"sub": "P1", "producer_id": "P1", "name": "n", "email": "p1@agency.example"}
SCOPE = {"scope": "requests:write tickets:read"}
ROUTES = [
    ("intake", "/v1/requests/7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11"),
    ("intake", "/v1/tickets"),
    ("tickets", "/v1/tickets"),
    ("tickets", f"/v1/tickets/{ticket_number(1)}"),
    ("intake", "/v1/letters/any"),
    ("documents", "/v1/letters/any"),
]


def forged(claims: dict[str, object], secret: bytes) -> str:
    """An HS256 token, made by hand because the library refuses to make one with such a secret."""

    def encoded(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    header = {"alg": "HS256", "typ": "JWT", "kid": "development"}
    signed = b".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return b".".join((signed, encoded(hmac.digest(secret, signed, "sha256")))).decode()


def tokens(mint: Mint, jwks: str) -> dict[str, str]:
    """Tokens that are not valid here, by what is wrong with them."""
    now = int(time.time())
    claims = {"iss": "https://desk.local/", "aud": "por-desk", "iat": now, "exp": now + 60, **PRODUCER, **SCOPE}
    stranger, development = rsa.generate_private_key(public_exponent=65537, key_size=2048), {"kid": "development"}
    return {
        "nonsense": "nonsense",
        "expired": mint.token(**PRODUCER, **SCOPE, exp=now - 3600),
        "other issuer": mint.token(**PRODUCER, **SCOPE, iss="https://elsewhere.example/"),
        "other audience": mint.token(**PRODUCER, **SCOPE, aud="elsewhere"),
        "not yet": mint.token(**PRODUCER, **SCOPE, nbf=now + 3600),
        "no subject": mint.token(producer_id="P1", **SCOPE),
        "other key": jwt.encode(claims, stranger, "RS256", headers=development),
        "unknown key id": jwt.encode(claims, stranger, "RS256", headers={"kid": "another"}),
        "no key id": jwt.encode(claims, mint.signing_key.read_bytes(), "RS256"),
        "not signed": jwt.encode(claims, "", "none", headers=development),
        # The classic: the public key, which everybody has, taken as the secret of another algorithm.
        "public key as secret": forged(claims, Path(jwks).read_bytes()),
        "scope that is no text": mint.token(**PRODUCER, scope=["requests:write", "tickets:work"]),
    }


@pytest.mark.parametrize(("service", "path"), ROUTES)
def test_without_a_valid_token_every_route_is_401(desk: Desk, service: str, path: str) -> None:
    """Without a token, and with each that is not valid here, the answer is 401 with a challenge."""
    url = desk.stack.info.services[service]
    missing = desk.anybody(None).http.get(url + path)
    assert (missing.status_code, missing.headers["www-authenticate"]) == (codes.UNAUTHORIZED, "Bearer")
    assert missing.json()["type"] == "urn:por-desk:problem:missing-token"
    for wrong, token in tokens(desk.mint, desk.stack.info.jwks).items():
        answer = desk.anybody(token).http.get(url + path)
        assert (wrong, answer.status_code) == (wrong, codes.UNAUTHORIZED)
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:por-desk:problem:invalid-token"
        assert token not in answer.text


def test_post_without_rights_leaves_nothing(desk: Desk) -> None:
    """A request by nobody, by staff, by an operator or by one who has only a scope or only an id is not accepted."""
    before = await_quiet(desk)
    refused: dict[int, list[str | None]] = {
        codes.UNAUTHORIZED: [None, *tokens(desk.mint, desk.stack.info.jwks).values()],
        codes.FORBIDDEN: [
            desk.mint.staff(),
            desk.mint.ops(),
            desk.mint.token(**PRODUCER, scope="tickets:read"),
            desk.mint.token(**PRODUCER, scope=""),
            desk.mint.token(sub="P1", email="p1@agency.example", **SCOPE),
            desk.mint.token(sub="P1", producer_id="P1", **SCOPE),
        ],
    }
    for status, whose in refused.items():
        for token in whose:
            answer = desk.anybody(token).post_request(FORM, LETTER)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert await_quiet(desk) == before


def test_without_a_producer_id_nothing_is_seen(desk: Desk) -> None:
    """A reader who is neither staff nor a producer is refused, and does not by accident see the tickets of all."""
    desk.producer().open_ticket()
    for claims in ({}, {"producer_id": ""}):
        answer = desk.anybody(desk.mint.token(sub="x", scope="tickets:read", **claims)).tickets(state="all")
        assert answer.status_code == codes.FORBIDDEN


@pytest.mark.parametrize(
    ("if_match", "status", "code"),
    [
        *((wrong, codes.BAD_REQUEST, "bad-if-match") for wrong in ("1", "W/1", '"1" "2"', '*, "1"')),
        *((other, codes.PRECONDITION_FAILED, "changed-meanwhile") for other in ('"x"', 'W/"1"', '"2", "3"')),
    ],
)
def test_wrong_if_match_moves_nothing(desk: Desk, if_match: str, status: int, code: str) -> None:
    """An If-Match that is no list of ETags is 400, one without the ticket's is 412, and neither moves it."""
    number = desk.producer().open_ticket()
    answer = desk.staff.move(number, "in-review", if_match=if_match)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:por-desk:problem:{code}")
    unmoved = desk.staff.ticket(number).json()
    assert (unmoved["version"], unmoved["status"]) == (1, "received")


def test_ill_formed_move_names_its_fields(desk: Desk) -> None:
    """A move to a status or for a reason that there is not is 422 with pointers, and moves nothing."""
    number = desk.producer().open_ticket()
    answer = desk.staff.move(number, "lost", reason="mood")
    assert answer.status_code == codes.UNPROCESSABLE_ENTITY
    assert {each["pointer"].split("/")[1] for each in answer.json()["errors"]} == {"status", "reason"}
    assert desk.staff.ticket(number).json()["version"] == 1
