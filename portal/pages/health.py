"""For whoever watches this process: whether it answers, and whether the desk answers it."""

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from portal.gateway import Away, Refused
from portal.parts import Parts


def router(parts: Parts) -> APIRouter:
    """Liveness and readiness."""
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        try:
            await parts.gateway.ping()
        except (Away, Refused):
            return JSONResponse({"status": "not ready"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"status": "ready"})

    return routes
