"""What the gateway makes of an owner that does not answer."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Request

from services.intake.owners import Owner, OwnerAway
from shared.runtime.auth import Caller
from shared.runtime.problems import Problem

CALLER = Caller("P1001", "P1001", "Dana Whitfield", "dana@agency.example", frozenset(), "token", 0)


@pytest.fixture(params=[httpx.ConnectError("refused"), AttributeError("family")], ids=["refused", "broken at once"])
async def owner(request: pytest.FixtureRequest) -> AsyncIterator[Owner]:
    """An owner whose every connection fails: it is refused, or breaks in the moment it stands."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise request.param

    made = Owner("tickets", "http://tickets", 1)
    await made.close()
    made._client = httpx.AsyncClient(base_url="http://tickets", transport=httpx.MockTransport(fail))
    yield made
    await made.close()


async def nothing() -> dict[str, object]:
    """A request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def test_a_forwarded_request_is_503(owner: Owner) -> None:
    """Who asks for a ticket while its owner is away is told to come back, however the connection failed."""
    scope = {"type": "http", "method": "GET", "path": "/v1/tickets", "query_string": b"", "headers": []}
    with pytest.raises(Problem) as refused:
        await owner.forward(Request(scope, nothing))
    assert refused.value.status == 503


async def test_what_the_gateway_itself_asks_says_that_the_owner_is_away(owner: Owner) -> None:
    """Accepting can tell an owner that is away from anything else."""
    with pytest.raises(OwnerAway):
        await owner.get("/v1/tickets", CALLER, {})
