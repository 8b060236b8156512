"""Limits at the door, on a gateway whose limits are low: who asks too often, sends too slowly or keeps too much."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from httpx import codes

from ops.gateway import Gateway
from ops.stack.services import Service
from tests.fixtures.desk import FORM, LETTER, Desk, Producer
from tests.fixtures.gateways import gateway_beside, spooled
from tests.fixtures.raw_http import Line, line, problem_of, request, status_of
from tests.fixtures.remains import await_quiet, remains
from tests.fixtures.wait import eventually

BOUNDARY = "limit"
LOW = {
    "POR_RATE_PER_SECOND": "0.25",
    "POR_RATE_BURST": "10",
    "POR_MAX_UPLOADS": "4",
    "POR_HEAD_SECONDS": "1",
    "POR_STALL_SECONDS": "1.5",
    "POR_MIN_BYTES_PER_SECOND": "200000",
}
LARGE = LETTER + bytes(300_000)  # too large to lie in memory while it comes
SOON = 9.0  # seconds, in which each of the times above is over and has been noticed


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    """One part of a form."""
    file = f'; filename="{filename}"' if filename else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def form(letter: bytes = LETTER) -> bytes:
    """A correct form."""
    fields = b"".join(part(name, value.encode()) for name, value in FORM.items())
    return fields + part("por_documentation", letter, "letter.pdf") + f"--{BOUNDARY}--\r\n".encode()


def post(producer: Producer, *headers: str, body: bytes = b"") -> bytes:
    """A post of a form, with these headers for its length."""
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
    return request("POST", "/v1/requests", producer.token, kind, *headers, body=body)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the gateway spools."""
    return tmp_path_factory.mktemp("gateway")


@pytest.fixture(scope="module")
def gateway(desk: Desk, folder: Path) -> Iterator[Service]:
    """A gateway with low limits."""
    with gateway_beside(desk, folder, **LOW) as service:
        yield service


@pytest.fixture
def nothing_left(desk: Desk, gateway: Service, folder: Path) -> Iterator[None]:
    """After the test there is nothing that was not there before, in the spool neither, and the gateway is alive."""
    before = await_quiet(desk)
    yield
    eventually(lambda: spooled(gateway, folder), lambda files: files == 0)
    assert remains(desk) == before
    assert gateway.answers()


def test_each_caller_has_an_allowance(desk: Desk, gateway: Service) -> None:
    """Who asks too often is told 429 and when to come back; another is not, and a bad token is bad however often."""
    hasty, other = (Gateway(gateway.url, desk.producer().token) for _ in range(2))
    answers = [hasty.tickets() for _ in range(12)]
    assert [each.status_code for each in answers[:10]] == [codes.OK] * 10
    refused = answers[-1]
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert refused.json()["type"] == "urn:por-desk:problem:too-many-requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 4
    assert hasty.post_request(FORM, LETTER).status_code == codes.TOO_MANY_REQUESTS
    assert other.tickets().status_code == codes.OK
    stranger = Gateway(gateway.url, "nonsense")
    assert {stranger.tickets().status_code for _ in range(12)} == {codes.UNAUTHORIZED}
    time.sleep(int(refused.headers["retry-after"]))
    assert hasty.tickets().status_code == codes.OK


def begin_upload(stack: ExitStack, url: str, producer: Producer) -> Line:
    """An upload that has come half of its way."""
    opened = stack.enter_context(line(url))
    whole = form(LARGE)
    assert opened.send(post(producer, f"Content-Length: {len(whole)}", body=whole[:-100]))
    return opened


@pytest.fixture
def patient(desk: Desk, tmp_path: Path) -> Iterator[Service]:
    """A gateway with as few places, which waits longer for what does not come."""
    with gateway_beside(desk, tmp_path, **{**LOW, "POR_STALL_SECONDS": "60"}) as service:
        yield service


def test_uploads_have_so_many_places(desk: Desk, patient: Service, tmp_path: Path) -> None:
    """One caller fills half of the places, two fill all; the next are told to come back, and may when one ends."""
    one, other, third = (desk.producer() for _ in range(3))
    with ExitStack() as under_way:
        for _ in range(2):
            begin_upload(under_way, patient.url, one)
        eventually(lambda: spooled(patient, tmp_path), lambda files: files == 2)
        his_own_fault = Gateway(patient.url, one.token).post_request(FORM, LETTER)
        assert (his_own_fault.status_code, his_own_fault.headers["retry-after"]) == (429, "5")
        for _ in range(2):
            begin_upload(under_way, patient.url, other)
        eventually(lambda: spooled(patient, tmp_path), lambda files: files == 4)
        full = Gateway(patient.url, third.token).post_request(FORM, LETTER)
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
    eventually(lambda: spooled(patient, tmp_path), lambda files: files == 0)
    for producer in (one, third):
        assert Gateway(patient.url, producer.token).post_request(FORM, LETTER, wait=20).status_code == codes.CREATED


@pytest.mark.parametrize("began", [b"", b"GET /v1/tickets HTTP/1.1\r\nHost: desk\r\nX: ", b"\r\n", b"POST /"])
def test_a_head_that_does_not_end_is_cut(gateway: Service, nothing_left: None, began: bytes) -> None:
    """A connection whose head does not come in time is closed, with 408 where a request had begun."""
    with line(gateway.url) as slow:
        assert slow.send(began)
        heard, hung_up = slow.hear(SOON)
    assert hung_up
    if began.strip():
        assert status_of(heard) == codes.REQUEST_TIMEOUT
        assert problem_of(heard)["type"] == "urn:por-desk:problem:too-slow"


def test_dripping_keeps_no_connection(desk: Desk, gateway: Service, nothing_left: None) -> None:
    """A header byte now and then does not help, nor do empty lines on a connection that was used before."""
    for first, drop in ((b"", b"x"), (request("GET", "/v1/request-types"), b"\r\n")):
        with line(gateway.url) as slow:
            slow.send(first or b"GET / HTTP/1.1\r\nX: ")
            began = time.monotonic()
            while slow.send(drop) and time.monotonic() < began + SOON:
                time.sleep(0.2)
            assert time.monotonic() < began + SOON


@pytest.mark.parametrize(
    ("length", "pace"),
    [("Content-Length: 9000000", 0.2), ("Content-Length: 9000000", None), ("Transfer-Encoding: chunked", None)],
    ids=["dripping", "silent", "silent-chunked"],
)
def test_a_body_that_comes_too_slowly_is_cut(
    desk: Desk, gateway: Service, folder: Path, nothing_left: None, length: str, pace: float | None
) -> None:
    """Silence in a body, and a byte now and then, are 408; the spool is freed and nothing kept."""
    # Who is silent has sent so much before that his speed on the whole is no reason.
    begun = form(LARGE if pace else LARGE + bytes(5_000_000))[:-100]
    body = begun if "Length" in length else f"{len(begun):x}\r\n".encode() + begun + b"\r\n"
    with line(gateway.url) as slow:
        slow.send(post(desk.producer(), length, body=body))
        eventually(lambda: spooled(gateway, folder), lambda files: files == 1)
        began = time.monotonic()
        while pace and time.monotonic() < began + 2 * SOON and spooled(gateway, folder):
            slow.send(b"x")
            time.sleep(pace)
        assert not pace or spooled(gateway, folder) == 0
        heard, hung_up = slow.hear(SOON)
    assert hung_up
    if not pace:  # to one that goes on sending, the answer may be lost with the connection
        assert status_of(heard) == codes.REQUEST_TIMEOUT
        assert problem_of(heard)["type"] == "urn:por-desk:problem:too-slow"


def test_a_slow_client_that_keeps_sending_is_served(desk: Desk, gateway: Service) -> None:
    """A form that takes longer than any silence may, at the least speed that is asked for, is accepted."""
    whole = form(LARGE + bytes(300_000))
    with line(gateway.url) as slow:
        slow.send(post(desk.producer(), f"Content-Length: {len(whole)}"))
        step = len(whole) // 20
        for at in range(0, len(whole), step):
            assert slow.send(whole[at : at + step])
            time.sleep(0.1)
        assert status_of(slow.answer()) == codes.ACCEPTED


def test_an_answer_that_nobody_reads_is_given_up(gateway: Service, nothing_left: None) -> None:
    """A client that asks and asks and never reads loses its connection."""
    with line(gateway.url) as deaf:
        deaf.socket.setblocking(False)
        port = deaf.socket.getsockname()[1]
        asked = request("GET", "/openapi.json") * 2000
        try:
            deaf.socket.send(asked)
        except BlockingIOError:
            pytest.fail("nothing was sent")

        def is_connected() -> bool:
            return any(each.raddr and each.raddr.port == port for each in psutil.Process(gateway.pid).net_connections())

        eventually(is_connected)
        eventually(is_connected, lambda connected: not connected, patience=2 * SOON)


def test_who_goes_on_sending_after_the_answer_is_cut(gateway: Service, nothing_left: None) -> None:
    """A stranger who was refused may not send for ever what nobody reads."""
    with line(gateway.url) as stranger:
        stranger.send(request("POST", "/v1/requests", None, "Content-Length: 100000000"))
        began = time.monotonic()
        while stranger.send(bytes(1000)) and time.monotonic() < began + 2 * SOON:
            time.sleep(0.05)
        assert time.monotonic() < began + SOON


def lies(whole: bytes) -> dict[str, bytes]:
    """Bodies whose length is not what is announced: the length's header, then the body."""
    chunk = f"{len(whole):x}\r\n".encode() + whole + b"\r\n"
    chunked, shorter = b"Transfer-Encoding: chunked", f"Content-Length: {len(whole) - 200}".encode()
    longer = f"Content-Length: {len(whole) + 200}".encode()
    return {
        "more is announced": longer + b"\n" + whole,
        "less is announced": shorter + b"\n" + whole,
        "both": chunked + b"\n" + shorter + b"\n" + chunk + b"0\r\n\r\n",
        "two lengths": longer + b"\n" + shorter + b"\n" + whole,
        "chunks that do not end": chunked + b"\n" + chunk,
        "a chunk that is no number": chunked + b"\n" + b"zz\r\n" + whole,
        "a chunk longer than it says": chunked + b"\n" + b"10\r\n" + whole + b"\r\n0\r\n\r\n",
    }


@pytest.mark.parametrize("case", lies(b""), ids=str)
def test_lengths_that_lie(desk: Desk, gateway: Service, nothing_left: None, case: str) -> None:
    """A body that is not as long as announced is refused or waited for in vain, and nothing of it is kept."""
    lie = lies(form())[case]
    headers: list[str] = []
    while lie.startswith((b"Content-Length", b"Transfer-Encoding")):
        header, _, lie = lie.partition(b"\n")
        headers.append(header.decode())
    with line(gateway.url) as liar:
        liar.send(post(desk.producer(), *headers, body=lie))
        heard, hung_up = liar.hear(SOON)
    assert hung_up
    assert status_of(heard) in {codes.BAD_REQUEST, codes.REQUEST_TIMEOUT}


MIB = 1024 * 1024
BIG = {
    "ten thousand parts": (b"".join(part(f"f{n}", b"") for n in range(10_000)), 400),
    "ten thousand files": (part("por_documentation", b"x", "a.pdf") * 10_000, 400),
    "a hundred MiB of files": (part("por_documentation", LETTER + bytes(20 * MIB), "a.pdf") * 5, 422),
    "a byte above the cap": (part("por_documentation", bytes(25 * MIB + 1), "a.pdf"), 413),
    "a field of a MiB": (part("comments", b"x" * MIB), 413),
    "a part's header of a MiB": (b"--limit\r\nX: " + b"y" * MIB + b"\r\n\r\n\r\n", 400),
}


@pytest.mark.parametrize("case", BIG, ids=str)
def test_memory_is_flat(desk: Desk, gateway: Service, nothing_left: None, case: str) -> None:
    """However much is sent, the process grows by a few MiB at most, and the answer says what is wrong."""
    body, status = BIG[case]
    before, highest = gateway.rss(), 0

    def chunks() -> Iterator[bytes]:
        nonlocal highest
        for at in range(0, len(body), MIB // 4):
            yield body[at : at + MIB // 4]
            highest = max(highest, gateway.rss())
        yield f"--{BOUNDARY}--\r\n".encode()

    http = Gateway(gateway.url, desk.producer().token).http
    answer = http.post(
        "/v1/requests", content=chunks(), headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )
    assert answer.status_code == status
    assert max(highest, gateway.rss()) - before < 12 * MIB
