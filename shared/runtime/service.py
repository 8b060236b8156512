"""One service as a process: settings in, an ASGI application with health and metrics, served."""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import TypeAlias, TypeVar

import uvicorn
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from shared.runtime.logs import configure_logs
from shared.runtime.metrics import HttpObserver
from shared.runtime.problems import install_problems
from shared.runtime.settings import ConfigurationError, ServiceSettings, read_settings

CHECK_SECONDS = 2.0

S = TypeVar("S", bound=ServiceSettings)

Check: TypeAlias = Callable[[], Awaitable[bool]]
Lifespan: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[None]]


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
    app = FastAPI(
        title=title,
        description=description,
        version="1.0.0",
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    install_problems(app, away)
    app.add_middleware(HttpObserver, registry=registry)
    for router in (*routers, _health(registry, checks)):
        app.include_router(router)
    return app


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
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )
