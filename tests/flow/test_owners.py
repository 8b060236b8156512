"""What the gateway makes of addresses and answers on the way to an owner and back."""

import pytest

from services.intake.owners import MAX_ADDRESS
from tests.builders import pdf
from tests.flow.world import World

# Each is below what a request line may have, and trebled by the escapes.
LONG = "!" * 23_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/v1/tickets/{LONG}"),
        ("GET", f"/v1/letters/{LONG}"),
        ("GET", f"/v1/tickets?zz={LONG}"),
        ("POST", f"/v1/tickets/{LONG}/claim"),
        ("POST", f"/v1/tickets/{LONG}/letters"),
        ("GET", f"/v1/letters/{'!' * (MAX_ADDRESS // 3)}"),
    ],
    ids=["ticket", "letter", "query", "act", "further letter", "not by much"],
)
async def test_an_address_too_long_to_be_asked_for_is_refused(world: World, method: str, path: str) -> None:
    """What no owner would read is told to be too long, whichever route it is for; nothing breaks."""
    files = {"por_documentation": ("letter.pdf", pdf())} if path.endswith("/letters") else None
    async with world.client(world.provider.token(scope="requests:write tickets:read tickets:work")) as client:
        answer = await client.request(method, path, files=files)
    assert (answer.status_code, answer.json()["type"]) == (414, "urn:por-desk:problem:address-too-long")


async def test_an_odd_address_reaches_its_owner_as_it_was_meant(world: World) -> None:
    """A query is passed on value by value, and what is escaped in a path stays one part of it."""
    number = (await world.post()).json()["ticket_number"]
    async with world.client(world.provider.token()) as client:
        page = await client.get("/v1/tickets", params={"search": number, "size": "1", "zz": "a+b &é"})
        assert [each["ticket_number"] for each in page.raise_for_status().json()["items"]] == [number]
        for odd in ("..%3Fa=b", "é&%25"):
            answer = await client.get(f"/v1/tickets/{odd}")
            assert answer.json()["type"] == "urn:por-desk:problem:mistyped-ticket-number", odd
