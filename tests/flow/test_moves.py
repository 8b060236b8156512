"""Moves that meet: what becomes of one whose ticket changes between reading and writing."""

from uuid import UUID

import httpx
import pytest

from services.tickets.store import Document
from shared.contracts.tickets import Status
from tests.fixtures.tickets import next_entry
from tests.flow.world import World


def overtake(world: World, patch: pytest.MonkeyPatch, *statuses: str) -> None:
    """Let somebody else make these moves, each between the reading and the writing of one that is tried."""
    change, waiting = world.tickets.change, [Status(status) for status in statuses]

    async def overtaken(request_id: UUID, version: int, entry: Document, **fields: object) -> Document | None:
        if waiting:
            ticket, status = await world.kept(request_id), waiting.pop(0)
            assert await change(
                request_id, ticket["version"], next_entry(ticket, status), status=status.value, open=status.is_open
            )
        return await change(request_id, version, entry, **fields)

    patch.setattr(world.tickets, "change", overtaken)


async def move(world: World, number: str, status: str, if_match: str | None = None) -> httpx.Response:
    """A move by staff."""
    async with world.client(world.provider.staff()) as staff:
        return await staff.post(
            f"/v1/tickets/{number}/status",
            json={"status": status, "reason": "other"},
            headers={"If-Match": if_match} if if_match else {},
        )


@pytest.mark.parametrize("if_match", [None, "*"])
async def test_a_move_without_a_condition_is_made_on_what_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch, if_match: str | None
) -> None:
    """However the ticket changes under a move, it is made on the new state; only five times in a row is too often."""
    ticket = await world.open_ticket()
    overtake(world, monkeypatch, "in-review", "on-hold", "in-review", "on-hold")
    moved = await move(world, ticket["number"], "action-needed", if_match)
    assert (moved.status_code, moved.json()["version"], moved.json()["status"]) == (200, 6, "action-needed")
    assert [item.get("previous_status") for item in moved.json()["history"][-2:]] == ["in-review", "on-hold"]
    assert [item["sequence"] for item in moved.json()["history"]] == [1, 2, 3, 4, 5, 6]
    overtake(world, monkeypatch, *("in-review", "on-hold") * 2, "in-review")
    refused = await move(world, ticket["number"], "withdrawn", if_match)
    assert (refused.status_code, refused.json()["type"]) == (412, "urn:por-desk:problem:changed-meanwhile")


async def test_a_move_that_is_illegal_by_now_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was legal when it was read, and is not on what is there now, is 409 and not made."""
    ticket = await world.open_ticket()
    overtake(world, monkeypatch, "rejected")
    refused = await move(world, ticket["number"], "in-review")
    assert (refused.status_code, refused.json()["allowed_moves"]) == (409, [])
    assert (await world.kept(ticket["_id"]))["status"] == "rejected"


async def test_a_move_with_a_condition_is_not_made_on_another_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With If-Match, a change between reading and writing is 412, and what the other did stands."""
    ticket = await world.open_ticket()
    overtake(world, monkeypatch, "on-hold")
    refused = await move(world, ticket["number"], "in-review", '"1"')
    assert (refused.status_code, refused.json()["type"]) == (412, "urn:por-desk:problem:changed-meanwhile")
    assert refused.json()["version"] == 2
    assert (await world.kept(ticket["_id"]))["status"] == "on-hold"
