"""What the gateway makes of an owner that does not answer."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import Request
from starlette.types import Message

from services.intake.owners import Owner, OwnerAway
from services.intake.places import Places
from shared.contracts.ticket_views import TicketPage
from shared.runtime.auth import Caller
from shared.runtime.problems import Problem

CALLER = Caller("P1001", "P1001", "Dana Whitfield", "dana@agency.example", frozenset(), "token", 0)
PAGE = "<html>Please come back later.</html>"
SCOPE = {"type": "http", "method": "GET", "path": "/v1/tickets", "query_string": b"", "headers": []}


async def owner_that(answers: Callable[[httpx.Request], httpx.Response]) -> Owner:
    """An owner whose every answer is made up."""
    made = Owner("tickets", "http://tickets", 1)
    await made.close()
    made._client = httpx.AsyncClient(base_url="http://tickets", transport=httpx.MockTransport(answers))
    return made


@pytest.fixture(params=[httpx.ConnectError("refused"), AttributeError("family")], ids=["refused", "broken at once"])
async def owner(request: pytest.FixtureRequest) -> AsyncIterator[Owner]:
    """An owner whose every connection fails: it is refused, or breaks in the moment it stands."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise request.param

    made = await owner_that(fail)
    yield made
    await made.close()


async def nothing() -> dict[str, object]:
    """A request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def test_a_forwarded_request_is_503(owner: Owner) -> None:
    """Who asks for a ticket while its owner is away is told to come back, however the connection failed."""
    with pytest.raises(Problem) as refused:
        await owner.forward(Request(SCOPE, nothing))
    assert refused.value.status == 503


async def test_what_the_gateway_itself_asks_says_that_the_owner_is_away(owner: Owner) -> None:
    """Accepting can tell an owner that is away from anything else."""
    with pytest.raises(OwnerAway):
        await owner.get(TicketPage, "/v1/tickets", CALLER, {})


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, html=PAGE),
        httpx.Response(499, html=PAGE),
        httpx.Response(302, headers={"location": "https://login.example"}),
        httpx.Response(200, html=PAGE),
    ],
    ids=lambda answer: str(answer.status_code),
)
async def test_what_a_balancer_says_is_not_what_the_owner_says(answer: httpx.Response) -> None:
    """A page or a redirect in place of an owner's answer means that he is away: nobody is shown it, nothing breaks."""
    owner = await owner_that(lambda _: answer)
    with pytest.raises(Problem) as refused:
        await owner.forward(Request(SCOPE, nothing))
    assert refused.value.status == 503
    with pytest.raises(OwnerAway) as away:
        await owner.get(TicketPage, "/v1/tickets", CALLER, {})
    assert str(away.value) == "not-understood"
    await owner.close()


class Letter(httpx.AsyncByteStream):
    """A letter that comes without an end, until it is hung up on."""

    def __init__(self) -> None:
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b"%PDF-1.7"

    async def aclose(self) -> None:
        self.is_closed = True


async def test_a_download_holds_its_place_until_it_ends() -> None:
    """Who reads, or has hung up, holds what he reads by; then his place and the owner's connection are free."""
    letter, places = Letter(), Places(1, "downloads")
    owner = await owner_that(lambda _: httpx.Response(200, stream=letter, headers={"content-type": "application/pdf"}))
    answer = await owner.forward(Request(SCOPE, nothing), places.place("a"))
    with pytest.raises(Problem), places.place("a"):
        pass

    began = asyncio.Event()

    async def hang_up() -> Message:
        await began.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            began.set()

    await asyncio.wait_for(answer(SCOPE, hang_up, send), 5)
    assert letter.is_closed
    with places.place("a"):
        pass
    await owner.close()


async def test_a_download_that_does_not_begin_holds_no_place(owner: Owner) -> None:
    """Where the owner is away, his caller's place is free at once."""
    places = Places(1, "downloads")
    with pytest.raises(Problem):
        await owner.forward(Request(SCOPE, nothing), places.place("a"))
    with places.place("a"):
        pass


async def test_json_that_is_none_of_ours_is_not_understood() -> None:
    """What the gateway itself asks for is another version's answer, or another service's: then its owner is away."""
    owner = await owner_that(lambda _: httpx.Response(200, json={"items": "none"}))
    with pytest.raises(OwnerAway):
        await owner.get(TicketPage, "/v1/tickets", CALLER, {})
    await owner.close()
