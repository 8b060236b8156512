"""An object store that misbehaves: requests go to the real one, and what comes back is as a scenario wants it."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HOP = {"connection", "transfer-encoding", "keep-alive"}
# What is kept under ``requests/``, by how its name ends.
KEPT = {"form": "/request.json", "receipt": ".receipt.json", "reply": ".json", "letter": ""}


class Storefront:
    """Stands before a store; slow by ``delay`` seconds, ``failing`` with 500, ``spoiling`` the bytes of some kinds.

    ``struck`` says how often it was slow or failed, ``spoilt`` how often it spoilt each kind.
    """

    def __init__(self, url: str) -> None:
        # The signature covers the Host header as the client wrote it, so it goes along.
        self._store = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)
        self.delay, self.failing = 0.0, False
        self.spoiling: frozenset[str] = frozenset()
        self.url = ""
        self.struck = 0
        self.spoilt = Counter(dict.fromkeys(KEPT, 0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        await asyncio.sleep(self.delay)
        self.struck += bool(self.delay)
        if self.failing:
            self.struck += 1
            return Response("<Error><Code>InternalError</Code></Error>", 500, media_type="application/xml")
        target = request.scope["raw_path"] + (
            b"?" + request.scope["query_string"] if request.scope["query_string"] else b""
        )
        answer = await self._store.request(request.method, target.decode(), headers=request.headers.raw, content=body)
        content = answer.content
        kind = _kind(request.url.path)
        if kind in self.spoiling and request.method == "GET" and answer.is_success:
            self.spoilt[kind] += 1
            content = content[:-1] + bytes([content[-1] ^ 1])
        headers = {name: value for name, value in answer.headers.items() if name not in _HOP}
        return Response(content, answer.status_code, headers)


def _kind(path: str) -> str:
    return next(kind for kind, end in KEPT.items() if path.endswith(end)) if "/requests/" in path else ""


@asynccontextmanager
async def storefront(url: str) -> AsyncIterator[Storefront]:
    """A front before the store at ``url``, which behaves until told otherwise."""
    front = Storefront(url)
    listening = socket.create_server(("127.0.0.1", 0))
    front.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(front, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield front
    finally:
        server.should_exit = True
        await serving
