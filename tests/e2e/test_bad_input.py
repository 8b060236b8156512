"""Bad input: each gets a clear problem document, and leaves nothing behind."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from httpx import Response, codes

from services.tickets.numbers import ticket_number
from tests.fixtures.desk import CANARIES, FORM, LETTER, Desk, Producer
from tests.fixtures.remains import await_quiet, remains

PART = "por_documentation"
MIB = 1024 * 1024
NOBODYS = ticket_number(99_999_999)
MISTYPED = re.sub(r".$", lambda digit: str((int(digit[0]) + 1) % 10), NOBODYS)
BOUNDARY = "limit"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def body(*, letter: bytes = LETTER, closed: bool = True) -> bytes:
    """A form as bytes."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in FORM.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{PART}"; filename="letter.pdf"\r\n\r\n'.encode()
    return b"".join([*parts, head, letter, f"\r\n--{BOUNDARY}--\r\n".encode() if closed else b""])


@pytest.fixture(scope="module")
def quiet(desk: Desk) -> Iterator[dict[str, int]]:
    """What there is before all this, which is also what there is after all this, when all has settled."""
    before = await_quiet(desk)
    yield before
    assert await_quiet(desk) == before


@pytest.fixture(scope="module")
def somebody(desk: Desk) -> Producer:
    """A producer."""
    return desk.producer()


def check(answer: Response, status: int, code: str) -> dict[str, Any]:
    """The answer is this problem; what was sent is not repeated in it, and it says what to do."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"urn:por-desk:problem:{code}"
    assert problem["status"] == status
    assert problem["instance"] == answer.request.url.path
    assert all(problem[name] for name in ("title", "detail"))
    assert [canary for canary in CANARIES if canary in answer.text] == []
    return problem


LETTERS = {
    "no file": (None, codes.UNPROCESSABLE_ENTITY, "invalid-fields", "missing"),
    "empty file": (b"", codes.UNPROCESSABLE_ENTITY, "invalid-fields", "empty-file"),
    "text named .pdf": (b"Dear desk,\n", codes.UNSUPPORTED_MEDIA_TYPE, "wrong-file-type", "wrong-file-type"),
    "program named .pdf": (b"MZ\x90" + bytes(200), codes.UNSUPPORTED_MEDIA_TYPE, "wrong-file-type", "wrong-file-type"),
    "archive named .pdf": (
        b"PK\x03\x04" + bytes(99),
        codes.UNSUPPORTED_MEDIA_TYPE,
        "wrong-file-type",
        "wrong-file-type",
    ),
    "page named .pdf": (b"<html><body>", codes.UNSUPPORTED_MEDIA_TYPE, "wrong-file-type", "wrong-file-type"),
}


@pytest.mark.parametrize("case", LETTERS, ids=str)
def test_wrong_letter(desk: Desk, somebody: Producer, quiet: dict[str, int], case: str) -> None:
    """A letter that is none is told apart by its bytes, pointed at, and not kept."""
    letter, status, code, error = LETTERS[case]
    problem = check(somebody.post(letter, key=case), status, code)
    assert [each["code"] for each in problem["errors"]] == [error]
    assert problem["errors"][0]["pointer"].startswith(f"#/{PART}")
    assert remains(desk) == quiet


@pytest.mark.parametrize("chunked", [False, True], ids=["with-length", "chunked"])
def test_letter_of_26_mib(desk: Desk, somebody: Producer, quiet: dict[str, int], chunked: bool) -> None:
    """What is too large is 413, counted on what arrives and not on what is announced, and not kept."""
    whole = body(letter=LETTER + bytes(26 * MIB))
    content = (whole[at : at + MIB] for at in range(0, len(whole), MIB)) if chunked else whole
    answer = somebody.gateway.http.post("/v1/requests", content=content, headers=MULTIPART)
    assert ("content-length" in answer.request.headers) is not chunked
    check(answer, codes.REQUEST_ENTITY_TOO_LARGE, "too-large")
    assert remains(desk) == quiet


FIELDS = {
    "line of business": ({"line_of_business": "pets"}, {"line_of_business"}),
    "five digits": ({"account_number": "41872"}, {"account_number"}),
    "digits of another script": ({"account_number": "٠٤١٨٧٢"}, {"account_number"}),
    "a line feed after": ({"account_number": "041872\n"}, {"account_number"}),
    "no name": ({"account_name": ""}, {"account_name"}),
    "blank name": ({"account_name": "   "}, {"account_name"}),
    "long name": ({"account_name": "x" * 121}, {"account_name"}),
    "a number for a date": ({"effective_date": "0"}, {"effective_date"}),
    "no date": ({"effective_date": "2027-02-30"}, {"effective_date"}),
    "long comment": ({"comments": "x" * 2001}, {"comments"}),
    "unknown field": ({"colour": "blue"}, {"colour"}),
    "unknown type": ({"request_type": "individual-por-change"}, {"request_type"}),
    "no type": ({"request_type": ""}, {"request_type"}),
    "all at once": (
        {"line_of_business": "y", "account_number": "z", "account_name": "", "effective_date": "w"},
        {"line_of_business", "account_number", "account_name", "effective_date"},
    ),
}


@pytest.mark.parametrize("case", FIELDS, ids=str)
def test_wrong_fields(desk: Desk, somebody: Producer, quiet: dict[str, int], case: str) -> None:
    """Every field that is wrong is named at once, with a pointer, and the letter's fault beside them."""
    changes, wrong = FIELDS[case]
    answer = somebody.gateway.post_request({**FORM, **changes}, LETTER, key=case)
    problem = check(answer, codes.UNPROCESSABLE_ENTITY, "invalid-fields")
    assert {each["pointer"] for each in problem["errors"]} == {f"#/{name}" for name in wrong}
    without_letter = somebody.gateway.post_request({**FORM, **changes}, None, key=case)
    found = check(without_letter, codes.UNPROCESSABLE_ENTITY, "invalid-fields")["errors"]
    # Which file is missing hangs on the type, as all fields do.
    missing = set() if wrong == {"request_type"} else {PART}
    assert {each["pointer"] for each in found} == {f"#/{name}" for name in wrong | missing}
    assert remains(desk) == quiet


BODIES: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "not multipart": (b"{}", {"Content-Type": "application/json"}, codes.UNSUPPORTED_MEDIA_TYPE, "not-a-form"),
    "no boundary": (body(), {"Content-Type": "multipart/form-data"}, codes.UNSUPPORTED_MEDIA_TYPE, "not-a-form"),
    "no type": (body(), {"Content-Type": ""}, codes.UNSUPPORTED_MEDIA_TYPE, "not-a-form"),
    "truncated": (body(closed=False), MULTIPART, codes.BAD_REQUEST, "ill-formed-body"),
    "cut in a field": (body()[:100], MULTIPART, codes.BAD_REQUEST, "ill-formed-body"),
    "nothing": (b"", MULTIPART, codes.BAD_REQUEST, "ill-formed-body"),
    "other boundary": (body().replace(b"--limit", b"--other"), MULTIPART, codes.BAD_REQUEST, "ill-formed-body"),
    "field twice": (body(closed=False) + b"\r\n" + body(), MULTIPART, codes.BAD_REQUEST, "ill-formed-body"),
    "huge field": (
        body().replace(b"group-medical", b"x" * MIB, 1), MULTIPART, codes.REQUEST_ENTITY_TOO_LARGE, "too-large"
    ),
    "no text": (body().replace(b"group-medical", b"\xff\xfe", 1), MULTIPART, codes.BAD_REQUEST, "ill-formed-body"),
    "no text in a name": (
        body().replace(b'name="comments"', b'name="\xff\xfe"', 1), MULTIPART, codes.BAD_REQUEST, "ill-formed-body"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BODIES, ids=str)
def test_wrong_body(desk: Desk, somebody: Producer, quiet: dict[str, int], case: str) -> None:
    """What is no form, or one that was cut off, is told so and not kept."""
    content, headers, status, code = BODIES[case]
    check(somebody.gateway.http.post("/v1/requests", content=content, headers=headers), status, code)
    assert remains(desk) == quiet


@pytest.mark.parametrize("key", ["", "x" * 256, "t\u00e4st", 'a"b'])
def test_wrong_key(desk: Desk, somebody: Producer, quiet: dict[str, int], key: str) -> None:
    """A key that none can be is refused rather than ignored: ignored it would protect nobody."""
    headers = {**MULTIPART, "Idempotency-Key": key.encode()}
    answer = somebody.gateway.http.post("/v1/requests", content=body(), headers=headers)  # type: ignore[arg-type]
    check(answer, codes.BAD_REQUEST, "bad-idempotency-key")
    assert remains(desk) == quiet


ODD_HEADERS: dict[str, tuple[dict[str, bytes], int, str]] = {
    "no token": ({"Authorization": b"Bearer "}, codes.UNAUTHORIZED, "missing-token"),
    "token that is not ASCII": ({"Authorization": b"Bearer \xfc"}, codes.UNAUTHORIZED, "invalid-token"),
    "ETag that is not ASCII": ({"If-Match": b"\xfc"}, codes.BAD_REQUEST, "bad-if-match"),
    "padded": ({"If-Match": b'"1"  ', "Accept": b"application/json "}, codes.NOT_FOUND, "unknown-ticket"),
}


@pytest.mark.parametrize("case", ODD_HEADERS, ids=str)
def test_odd_header(desk: Desk, quiet: dict[str, int], case: str) -> None:
    """A header that cannot be right is the caller's fault, and said so, also where the owner of the route says it."""
    odd, status, code = ODD_HEADERS[case]
    token = f"Bearer {desk.mint.staff()}".encode()
    headers = {"Content-Type": b"application/json", "Authorization": token, **odd}
    # Other clients refuse to send such headers.
    connection = HTTPConnection(urlsplit(desk.url).netloc)
    with closing(connection):
        path = f"/v1/tickets/{NOBODYS}/status"
        connection.request("POST", path, b'{"status": "in-review"}', headers)
        answer = connection.getresponse()
        problem = json.loads(answer.read())
    assert (answer.status, problem["type"]) == (status, f"urn:por-desk:problem:{code}")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_body_beyond_what_a_route_needs(desk: Desk, somebody: Producer, quiet: dict[str, int], method: str) -> None:
    """A route that takes no letter reads no large body, whatever is announced; a stranger's least of all."""
    path = {"GET": "/v1/tickets", "POST": f"/v1/tickets/{NOBODYS}/status"}[method]
    for gateway in (somebody.gateway, desk.anybody(None)):
        for content in (bytes(MIB), (bytes(MIB // 8) for _ in range(8))):
            answer = gateway.http.request(method, path, content=content, headers={"Content-Type": "application/json"})
            refused_as_stranger = answer.status_code == codes.UNAUTHORIZED
            assert not refused_as_stranger or gateway is not somebody.gateway
            if not refused_as_stranger:
                check(answer, codes.REQUEST_ENTITY_TOO_LARGE, "too-large")


def test_who_is_nobody_learns_nothing_else(desk: Desk, quiet: dict[str, int]) -> None:
    """Without a token the answer is 401, whatever else is wrong with the question."""
    nobody = desk.anybody(None).http
    check(nobody.get("/v1/tickets?page=0"), codes.UNAUTHORIZED, "missing-token")
    check(nobody.post(f"/v1/tickets/{NOBODYS}/status", json={}), codes.UNAUTHORIZED, "missing-token")


GETS = {
    "NUL": ("/v1/tickets/%00", codes.BAD_REQUEST, "mistyped-ticket-number"),
    "way to the list": ("/v1/tickets/%2e", codes.BAD_REQUEST, "mistyped-ticket-number"),
    "more than a number": ("/v1/tickets/SR-1%3Bstate=all", codes.BAD_REQUEST, "mistyped-ticket-number"),
    "mistyped number": (f"/v1/tickets/{MISTYPED}", codes.BAD_REQUEST, "mistyped-ticket-number"),
    "no number": ("/v1/tickets/SR-1", codes.BAD_REQUEST, "mistyped-ticket-number"),
    "unknown number": (f"/v1/tickets/{NOBODYS}", codes.NOT_FOUND, "unknown-ticket"),
    "no uuid": ("/v1/requests/1", codes.UNPROCESSABLE_ENTITY, "invalid-fields"),
    "unknown request": ("/v1/requests/7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11", codes.NOT_FOUND, "unknown-request"),
    "no letter id": ("/v1/letters/letter.pdf", codes.NOT_FOUND, "unknown-letter"),
    "way out": ("/v1/letters/..%2F..%2Fetc%2Fpasswd", codes.NOT_FOUND, "not-found"),
    "nothing there": ("/v1/nothing", codes.NOT_FOUND, "not-found"),
    "other method": ("/v1/tickets/SR-1/status", codes.METHOD_NOT_ALLOWED, "method-not-allowed"),
}


@pytest.mark.parametrize("case", GETS, ids=str)
def test_wrong_question(somebody: Producer, quiet: dict[str, int], case: str) -> None:
    """A mistyped number is told apart from an unknown one, and what is nowhere is a problem document too."""
    path, status, code = GETS[case]
    check(somebody.gateway.http.get(path), status, code)
