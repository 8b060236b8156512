"""What each HTTP request cost: Prometheus metrics and one canonical log line."""

import time
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.logs import log

QUIET = {"/healthz", "/readyz", "/metrics"}


class HttpObserver:
    """ASGI middleware around a whole service."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._seconds = Histogram(
            "http_server_request_duration_seconds",
            "Time to answer, by route template; never by the path, which holds ids.",
            ("method", "route", "status"),
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Time and log one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        structlog.contextvars.bind_contextvars(trace=uuid4().hex)

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "unmatched")
            self._seconds.labels(scope["method"], route, status).observe(seconds)
            if route not in QUIET:
                log.info(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status,
                    outcome="done" if status < 400 else "refused" if status < 500 else "failed",
                    ms=round(seconds * 1000, 1),
                )
