"""One service as a process: settings in, an ASGI application with health and metrics, served."""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from http import HTTPStatus
from types import FrameType
from typing import TypeAlias, TypeVar

import uvicorn
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.types import ASGIApp

from shared.runtime.connections import GuardedConnection
from shared.runtime.logs import configure_logs, log
from shared.runtime.metrics import HttpObserver
from shared.runtime.middlewares import HeadAsGet, LargeBodyAsProblem
from shared.runtime.openapi import document_problems
from shared.runtime.problems import install_problems
from shared.runtime.settings import ConfigurationError, ServiceSettings, read_settings

CHECK_SECONDS = 2.0
LOOK_TICKS = 5  # of the server, which are a tenth of a second each
# Together with the time of the bus: less than the 30 s that a container is given to stop in.
DRAIN_SECONDS = 15
MAX_BODY = 64 * 1024  # bytes; a route that takes letters says how much more

S = TypeVar("S", bound=ServiceSettings)

Check: TypeAlias = Callable[[], Awaitable[bool]]
Lifespan: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class _Application(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        # Outside of everything, for the framework bounds the body before any middleware that can be added.
        return LargeBodyAsProblem(super().build_middleware_stack())


def service_app(
    *,
    title: str,
    description: str,
    registry: CollectorRegistry,
    lifespan: Lifespan,
    checks: Mapping[str, Check],
    routers: tuple[APIRouter, ...] = (),
    away: tuple[type[Exception], ...] = (),
) -> FastAPI:
    """The application of one service: its routers, health, metrics, problems and logs.

    Errors of kind ``away`` mean that a dependency does not answer: 503 wherever they come up.
    """
    app = _Application(
        title=title,
        description=description,
        version="1.0.0",
        lifespan=_told(lifespan),
        docs_url="/docs",
        redoc_url=None,
        separate_input_output_schemas=False,
        max_body_size=MAX_BODY,
    )
    app.state.stopping = asyncio.Event()  # set when the service begins to stop: what goes on for ever ends then
    install_problems(app, away)
    document_problems(app)
    app.add_middleware(HttpObserver, registry=registry)
    app.add_middleware(HeadAsGet)
    for router in (*routers, _health(registry, checks)):
        app.include_router(router)
    return app


class _StartFailed(Exception):
    """Says no more than that: the server logs the text of what ends a start, and an error may quote a password."""


def _told(lifespan: Lifespan) -> Lifespan:
    @asynccontextmanager
    async def told(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as started:
            try:
                await started.enter_async_context(lifespan(app))
            except Exception as error:  # noqa: BLE001  # whatever ends a start, it ends it
                log.error("start failed", exc_info=error)
                raise _StartFailed from None
            yield

    return told


def _health(registry: CollectorRegistry, checks: Mapping[str, Check]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        found = await asyncio.gather(*(_answers(check) for check in checks.values()))
        results = dict(zip(checks, found, strict=True))
        ready = all(results.values())
        return JSONResponse(
            {"status": "ready" if ready else "not ready", "checks": results},
            HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


async def _answers(check: Check) -> bool:
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except Exception:  # noqa: BLE001  # whatever keeps a dependency from answering: it is not ready
        return False


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, settings: ServiceSettings, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._settings, self._stopping = settings, stopping

    async def on_tick(self, counter: int) -> bool:
        if counter % LOOK_TICKS == 0:
            for connection in tuple(self.server_state.connections):
                assert isinstance(connection, GuardedConnection)
                connection.look(LOOK_TICKS / 10, self._settings)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.started:
            # Still waiting for a broker that is away: nothing is in work, and nobody would look at a wish to stop.
            # Not by SystemExit: a connection attempt under way takes no cancellation, and would be waited for.
            with suppress(RuntimeError):  # in the middle of a line that is being written: it is out, or nobody's loss
                sys.stdout.flush()
            os._exit(0)
        super().handle_exit(sig, frame)


def serve(service: str, kind: type[S], build: Callable[[S], FastAPI]) -> None:
    """Run a service until SIGTERM; exits 2 where it cannot run as it is configured."""
    try:
        settings = read_settings(kind)
        configure_logs(service, settings.log_format)
        app = build(settings)
    except ConfigurationError as error:
        print(f"{service}: {error}", file=sys.stderr)
        sys.exit(2)
    # What start-up made stays; without this each full collection walks through all of it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=GuardedConnection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    with suppress(KeyboardInterrupt):  # Ctrl-C has been obeyed by then
        _Server(config, settings, app.state.stopping).run()
