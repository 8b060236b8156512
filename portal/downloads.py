"""Files of the desk, handed on as they come."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

from fastapi.responses import Response, StreamingResponse

from portal.gateway import Gateway
from portal.tokens import AccessToken

KEPT_HEADERS = ("content-type", "content-length", "content-disposition", "etag")


async def hand_on(
    gateway: Gateway,
    token: AccessToken,
    path: str,
    headers: Mapping[str, str],
    asked_with: Mapping[str, str] | None = None,
) -> Response:
    """The answer to ``path``, ``asked_with`` some headers, as our own; ``headers`` take the place of those it has."""
    async with AsyncExitStack() as opened:
        answer = await opened.enter_async_context(gateway.stream(token, path, asked_with))
        kept = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        still_open = opened.pop_all()

    async def content() -> AsyncIterator[bytes]:
        async with still_open:
            async for chunk in answer.aiter_raw():
                yield chunk

    return StreamingResponse(content(), headers={**kept, **headers})
