"""What stands around every route of every service, and has no place in the framework itself."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.problems import MEDIA_TYPE, problem_response, too_large


class HeadAsGet:
    """ASGI middleware: HEAD is answered as GET without its body (RFC 9110, 9.3.2), which FastAPI's routes do not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope.get("method") != "HEAD":
            await self._app(scope, receive, send)
            return

        async def head_alone(message: Message) -> None:
            # With its head the answer is over: a body that goes on, as events do, would keep the connection for ever.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})

        await self._app({**scope, "method": "GET"}, receive, head_alone)


class LargeBodyAsProblem:
    """ASGI middleware: the framework's plain refusal of a body beyond its limit becomes a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and the answer back."""
        replaced = False

        async def answer(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_plain_refusal(message):
                replaced = True
                await problem_response(too_large(), Request(scope))(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, answer)


def _is_plain_refusal(start: Message) -> bool:
    kind: bytes | None = dict(start["headers"]).get(b"content-type")
    return int(start["status"]) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and kind != MEDIA_TYPE.encode()
