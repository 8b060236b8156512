"""HTTP that no client library sends: each is answered 4xx or hung up on, and the service lives on."""

import pytest
from httpx import codes

from services.tickets.numbers import ticket_number
from tests.fixtures.desk import Desk
from tests.fixtures.raw_http import line, problem_of, request, status_of

MOVE = f"/v1/tickets/{ticket_number(99_999_997)}/status"
JSON, CHUNKED = "Content-Type: application/json", "Transfer-Encoding: chunked"
GARBAGE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)

# What follows a token in the head, and the body.
FRAMINGS: dict[str, tuple[list[str], bytes]] = {
    "both lengths": (["Content-Length: 4", CHUNKED], b"0\r\n\r\n"),
    "both lengths, the other way": ([CHUNKED, "Content-Length: 4"], b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    "two lengths": (["Content-Length: 2", "Content-Length: 3"], b"{} "),
    "a list of lengths": (["Content-Length: 2, 2"], b"{}"),
    "negative": (["Content-Length: -2"], b"{}"),
    "signed": (["Content-Length: +2"], b"{}"),
    "astronomic": (["Content-Length: 99999999999999999999999"], b"{}"),
    "unknown encoding": (["Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
    "chunked and then not": ([CHUNKED, "Transfer-Encoding: identity"], b"0\r\n\r\n"),
    "no chunk": ([CHUNKED], b"zz\r\n{}\r\n"),
    "blank before the colon": (["X : y"], b""),
    "folded": (["X: y\r\n z"], b""),
    "NUL": (["X: a\0b"], b""),
    "bare line feed": (["X: y\nContent-Length: 2"], b"{}"),
}


@pytest.mark.parametrize("case", FRAMINGS, ids=str)
def test_a_message_has_one_end(desk: Desk, case: str) -> None:
    """Where two readers could see two ends of a message it is refused, and the connection is closed."""
    headers, body = FRAMINGS[case]
    with line(desk.url) as raw:
        raw.send(request("POST", MOVE, desk.mint.staff(), JSON, *headers, body=body))
        heard, hung_up = raw.hear()
    assert (status_of(heard), hung_up) == (codes.BAD_REQUEST, True)
    assert problem_of(heard)["type"] == "urn:por-desk:problem:ill-formed-request"
    assert desk.is_ready("intake")


HEADS = {
    "long address": request("GET", f"/v1/tickets?q={'x' * 40_000}"),
    "long header": request("GET", "/v1/tickets", None, f"X: {'y' * 40_000}"),
    "many headers": request("GET", "/v1/tickets", None, *["X: y"] * 20_000),
    "no end": b"GET / HTTP/1.1\r\nX: " + b"y" * 40_000,
    "long trailer": request("GET", "/v1/request-types", None, CHUNKED, body=b"0\r\nX: " + b"y" * 40_000 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("pieces", [1, 50], ids=["at-once", "in-pieces"])
@pytest.mark.parametrize("case", HEADS, ids=str)
def test_a_head_has_a_largest_size(desk: Desk, case: str, pieces: int) -> None:
    """A request line and headers beyond 32 KiB are 431 and closed, however they come."""
    with line(desk.url) as raw:
        step = len(HEADS[case]) // pieces
        for at in range(0, len(HEADS[case]), step):
            raw.send(HEADS[case][at : at + step])
        heard, hung_up = raw.hear()
    assert hung_up
    # What is sent on after the refusal may cost the answer; a trailer comes when there is one already.
    assert status_of(heard) in {codes.REQUEST_HEADER_FIELDS_TOO_LARGE, *([0] if pieces > 1 else []), *trailed(case)}
    assert desk.is_ready("intake")


def trailed(case: str) -> list[int]:
    """The answer that may be there before a trailer is."""
    return [codes.OK] if case == "long trailer" else []


def test_a_large_body_is_no_large_head(desk: Desk) -> None:
    """A body beyond the head's limit, come together with its head, is judged as a body."""
    body = b'{"comment": "' + b"x" * 40_000 + b'"}'
    with line(desk.url) as raw:
        raw.send(request("POST", MOVE, desk.mint.staff(), JSON, f"Content-Length: {len(body)}", body=body))
        assert status_of(raw.answer()) == codes.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize(
    "sent",
    [
        GARBAGE,
        b"\x00\xff" * 50,
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        request("FOO", "/v1/tickets"),
        request("get", "/v1/tickets"),
        request("GET", "/v1/tickets/\xff"),
        request("GET", "/v1/tickets") + GARBAGE,
    ],
    ids=["tls", "noise", "no-path", "http2", "connect", "method", "lower-case", "no-ascii", "pipelined"],
)
def test_what_is_no_http_is_hung_up_on(desk: Desk, sent: bytes) -> None:
    """Noise, other protocols, odd methods and noise after a request are 4xx and closed."""
    with line(desk.url) as raw:
        raw.send(sent)
        heard, hung_up = raw.hear()
    assert hung_up
    assert 400 <= status_of(heard) < 500
    assert desk.is_ready("intake")


@pytest.mark.parametrize("service", ["intake", "tickets", "documents"])
def test_who_hangs_up_is_no_failure(desk: Desk, service: str) -> None:
    """A client that goes in the middle of its request is nothing that nobody foresaw."""
    before = desk.log(service).count('"unexpected error"')
    for begun in (request("GET", "/v1/tickets", desk.mint.staff()) + GARBAGE, request("POST", MOVE, desk.mint.staff())):
        with line(desk.stack.info.services[service]) as raw:
            raw.send(begun.replace(b"\r\n\r\n", b"\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n", 1))
            raw.hear(0.2)
    with line(desk.stack.info.services[service]) as raw:
        raw.send(request("GET", "/v1/tickets", desk.mint.staff()) + GARBAGE)
        raw.hear()
    assert desk.is_ready(service)
    assert desk.log(service).count('"unexpected error"') == before


def test_http_1_0_and_upgrades_are_plain_requests(desk: Desk) -> None:
    """Who speaks HTTP/1.0, or wants another protocol, gets the answer to his request."""
    token = desk.mint.staff()
    old = request("GET", "/v1/tickets", token).replace(b"HTTP/1.1", b"HTTP/1.0")
    websocket = request(
        "GET", "/v1/tickets", token, "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x"
    )
    h2c = request("GET", "/v1/tickets", token, "Connection: upgrade", "Upgrade: h2c")
    for sent in (old, websocket, h2c):
        with line(desk.url) as raw:
            raw.send(sent)
            assert status_of(raw.answer()) == codes.OK


def test_a_trailer_signs_nobody_in(desk: Desk) -> None:
    """A token after the body is not looked at, in however few pieces it comes."""
    trailer = f"0\r\nAuthorization: Bearer {desk.mint.staff()}\r\n\r\n".encode()
    with line(desk.url) as raw:
        raw.send(request("GET", "/v1/tickets", None, CHUNKED, body=trailer))
        assert status_of(raw.answer()) == codes.UNAUTHORIZED


@pytest.mark.parametrize("service", ["intake", "tickets"])
def test_two_tokens_are_none(desk: Desk, service: str) -> None:
    """Of two Authorization headers none counts, for the next program on the way might take the other."""
    first, second = desk.mint.staff(), desk.producer().token
    for one, other in ((first, second), (second, first), (first, first)):
        with line(desk.stack.info.services[service]) as raw:
            raw.send(request("GET", "/v1/tickets", one, f"Authorization: Bearer {other}", "Connection: close"))
            heard, _ = raw.hear()
        assert status_of(heard) == codes.UNAUTHORIZED
        assert problem_of(heard)["type"] == "urn:por-desk:problem:invalid-token"


@pytest.mark.parametrize("keys", [('"a"', '"b"'), ('"a"', '"a"'), ("a", "")])
def test_two_keys_are_none(desk: Desk, keys: tuple[str, str]) -> None:
    """Of two Idempotency-Keys none counts: the request is refused."""
    form = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n'
    headers = ["Content-Type: multipart/form-data; boundary=b", f"Content-Length: {len(form)}", "Connection: close"]
    with line(desk.url) as raw:
        sent = [f"Idempotency-Key: {key}" for key in keys]
        raw.send(request("POST", "/v1/requests", desk.producer().token, *headers, *sent, body=form))
        heard, _ = raw.hear()
    assert problem_of(heard)["type"] == "urn:por-desk:problem:bad-idempotency-key"


BODIES: dict[str, tuple[bytes, int]] = {
    "deep lists": (b"[" * 60_000, 400),
    "deep objects": (b'{"a":' * 10_000, 400),
    "NaN": (b'{"status": "in-review", "comment": NaN}', 400),
    "infinity": (b'{"status": "in-review", "comment": -Infinity}', 400),
    "a number of 60,000 digits": (b'{"status": ' + b"9" * 60_000 + b"}", 400),
    "a number beyond all": (b'{"status": 1e99999}', 422),
    "a member twice": (b'{"status": "in-review", "status": "rejected"}', 400),
    "a member twice, deep down": (b'{"status": "in-review", "x": [{"a": 1, "a": 1}]}', 400),
    "no UTF-8": (b'{"status": "\xff"}', 400),
    "half a pair": (b'{"status": "in-review", "comment": "\\ud800"}', 422),
    "byte order mark": (b'\xef\xbb\xbf{"status": "in-review"}', 400),
    "UTF-16": ('{"status": "in-review"}'.encode("utf-16"), 400),
    "compressed": (b"\x1f\x8b\x08\x00", 400),
    "a list": (b"[]", 400),
    "nothing": (b"null", 400),
    "two": (b"{}{}", 400),
}


@pytest.mark.parametrize("service", ["intake", "tickets"])
@pytest.mark.parametrize("case", BODIES, ids=str)
def test_odd_json_is_refused(desk: Desk, service: str, case: str) -> None:
    """JSON that two readers could read as two things, or that none can, is refused by the gateway and by the owner."""
    body, status = BODIES[case]
    http = desk.staff.http
    url = f"{desk.stack.info.services[service]}{MOVE}"
    answer = http.post(url, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"].endswith("ill-formed-body" if status == codes.BAD_REQUEST else "invalid-fields")


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "nonsense", '"'])
def test_json_is_utf_8_whatever_its_type_says(desk: Desk, charset: str) -> None:
    """A charset beside application/json changes nothing: the ticket is looked for, and there is none."""
    kind = {"Content-Type": f"application/json; charset={charset}"}
    answer = desk.staff.http.post(MOVE, content=b'{"status": "in-review"}', headers=kind)
    assert answer.status_code == codes.NOT_FOUND
