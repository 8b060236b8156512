"""Letters on their way out: nobody who reads slowly keeps the others from theirs."""

import asyncio
from pathlib import Path

import pytest
from starlette.types import Message

from services.intake import main as gateway
from tests.flow.world import desk


async def test_one_caller_has_half_of_the_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While he has not read to the end he is told to wait, and others get their letters; then he may have the next."""
    monkeypatch.setattr(gateway, "CONNECTIONS", 2)
    began, read_on = asyncio.Event(), asyncio.Event()

    received: list[Message] = [{"type": "http.request", "body": b""}]

    async def receive() -> Message:
        if not received:
            await read_on.wait()
            return {"type": "http.disconnect"}
        return received.pop()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            began.set()
            await read_on.wait()

    async with desk(tmp_path, monkeypatch) as world:
        [letter] = (await world.ticket((await world.post()).json()["ticket_number"]))["letters"]
        path, token = f"/v1/letters/{letter['letter_id']}", world.provider.token()
        slow = asyncio.create_task(world.apps["intake"](asked(path, token), receive, send))
        await asyncio.wait_for(began.wait(), 5)
        async with world.client(token) as producer, world.client(world.provider.staff()) as staff:
            refused = await producer.get(path)
            assert (refused.status_code, refused.json()["type"]) == (429, "urn:por-desk:problem:too-many-requests")
            assert (await staff.get(path)).status_code == 200
            read_on.set()
            await slow
            assert (await producer.get(path)).status_code == 200


def asked(path: str, token: str) -> dict[str, object]:
    """The request as a server hands it to the gateway."""
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
    }
