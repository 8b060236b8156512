"""Who sees which tickets: by scope, and by the producer id without which nothing is his."""

from typing import Any

import pytest

from tests.flow.world import World


async def test_who_may_only_post_learns_which_ticket_his_request_became(world: World) -> None:
    """With requests:write alone the number of one's own request can be asked for, and nothing else of any ticket."""
    only_posts = world.provider.token(scope="requests:write")
    first = await world.post(token=only_posts)
    again = await world.post(token=only_posts)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    request_id, number = first.json()["request_id"], first.json()["ticket_number"]
    async with world.client(only_posts) as owner:
        state = (await owner.get(f"/v1/requests/{request_id}")).json()
        assert (state["state"], state["ticket_number"]) == ("opened", number)
        asked = (await owner.get(f"/v1/tickets?state=all&request_id={request_id}")).json()
        assert [row["ticket_number"] for row in asked["items"]] == [number]
        for path in ("tickets", "tickets?state=all", f"tickets/{number}"):
            refused = await owner.get(f"/v1/{path}")
            assert (refused.status_code, refused.json()["type"]) == (403, "urn:por-desk:problem:not-allowed")
    async with world.client(world.provider.token(sub="P2", producer_id="P2", scope="requests:write")) as stranger:
        assert (await stranger.get(f"/v1/tickets?state=all&request_id={request_id}")).json()["total"] == 0
        assert (await stranger.get(f"/v1/requests/{request_id}")).status_code == 404


@pytest.mark.parametrize("scope", ["tickets:read", "requests:write", "requests:write tickets:read"])
@pytest.mark.parametrize("producer_id", [None, ""])
async def test_who_is_neither_staff_nor_a_producer_sees_no_ticket(
    world: World, scope: str, producer_id: str | None
) -> None:
    """A token without a producer id is 403 in every route of tickets: it bounds nothing, and must not mean all."""
    state = (await world.post()).json()
    claims: dict[str, Any] = {} if producer_id is None else {"producer_id": producer_id}
    nobody = world.provider.token(scope=scope, drop="" if claims else "producer_id", **claims)
    async with world.client(nobody) as client:
        for path in ("", f"?request_id={state['request_id']}", "?state=all", f"/{state['ticket_number']}"):
            refused = await client.get(f"/v1/tickets{path}")
            assert (path, refused.status_code) == (path, 403)
            assert refused.json()["type"] == "urn:por-desk:problem:not-allowed"
