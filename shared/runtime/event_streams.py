"""Answers that go on: server-sent events that end when the service stops.

Who reads nothing is cut off by :mod:`shared.runtime.connections`, like everybody else.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from anyio import CancelScope
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"
# No heartbeat for three times this means that the other side is gone.
HEARTBEAT_SECONDS = 15.0

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """Server-sent events, piece by piece. Its pieces end when the service begins to stop."""

    media_type = MEDIA_TYPE

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        super().__init__(pieces, headers=_HEADERS)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes, for as long as both sides go on."""
        async with aclosing(until(scope["app"].state.stopping, self._pieces)) as pieces:
            self.body_iterator = pieces
            await super().__call__(scope, receive, send)


async def until(stop: asyncio.Event, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The pieces as they come, up to their end or to ``stop``, whichever is first."""
    stopped = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            following = asyncio.ensure_future(anext(pieces, None))
            try:
                await asyncio.wait({stopped, following}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not following.done():
                    following.cancel()
                    # Where the listener has gone all here is cancelled, and a generator at work cannot be closed.
                    with CancelScope(shield=True):
                        await asyncio.wait({following})
            if following.cancelled() or (piece := following.result()) is None:
                return
            yield piece
    finally:
        stopped.cancel()
        with CancelScope(shield=True):
            await pieces.aclose()
