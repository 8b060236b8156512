"""An answer that goes on ends cleanly, whoever ends it."""

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from types import SimpleNamespace
from typing import Any

from shared.runtime.event_streams import EventStream


class Pieces:
    """Sends one piece and then waits for ever; notes that it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    async def __call__(self) -> AsyncGenerator[bytes, None]:
        """The pieces."""
        try:
            yield b": hello\n\n"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # as one that gives a connection back
            self.is_closed = True


async def run(pieces: Pieces, stopping: asyncio.Event, gone: asyncio.Event) -> list[MutableMapping[str, Any]]:
    """What an application sends for a stream, until the service stops or the listener has gone."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "app": SimpleNamespace(state=SimpleNamespace(stopping=stopping))}
    async with asyncio.timeout(5):
        await EventStream(pieces())(scope, receive, send)
    return sent


async def test_a_listener_who_goes_is_no_error() -> None:
    """When the listener hangs up the pieces are closed, and nothing is raised."""
    pieces, gone = Pieces(), asyncio.Event()
    running = asyncio.create_task(run(pieces, asyncio.Event(), gone))
    await asyncio.sleep(0.05)
    gone.set()
    sent = await running
    assert pieces.is_closed
    assert sent[1]["body"] == b": hello\n\n"


async def test_a_service_that_stops_ends_the_stream() -> None:
    """When the service stops the answer ends as one that is whole."""
    pieces, stopping = Pieces(), asyncio.Event()
    running = asyncio.create_task(run(pieces, stopping, asyncio.Event()))
    await asyncio.sleep(0.05)
    stopping.set()
    sent = await running
    assert pieces.is_closed
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
