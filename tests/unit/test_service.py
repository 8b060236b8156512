"""What every service has beside its own routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from shared.runtime import service
from shared.runtime.service import Check, service_app


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Nothing to start."""
    yield


async def get(path: str, **checks: Check) -> httpx.Response:
    """What a service with these checks answers."""
    app = service_app(title="t", description="t", registry=CollectorRegistry(), lifespan=lifespan, checks=checks)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        return await http.get(path)


async def stands() -> bool:
    """A dependency that is there."""
    return True


async def falls() -> bool:
    """A dependency whose driver fails."""
    raise ConnectionRefusedError


async def hangs() -> bool:
    """A dependency that never answers."""
    return await asyncio.Event().wait()


async def test_a_check_that_hangs_is_not_ready_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness is answered within the time of one check, however many hang or fail, and names each."""
    monkeypatch.setattr(service, "CHECK_SECONDS", 1.0)
    async with asyncio.timeout(2.5):
        answer = await get("/readyz", store=hangs, bus=hangs, mail=hangs, database=falls, clock=stands)
    assert answer.status_code == 503
    checks = {"store": False, "bus": False, "mail": False, "database": False, "clock": True}
    assert answer.json() == {"status": "not ready", "checks": checks}


async def test_a_service_is_ready_when_every_check_says_so_and_alive_whatever_they_say() -> None:
    """One dependency that is away makes a service not ready; it is no reason to restart it."""
    assert (await get("/readyz", store=stands, bus=stands)).status_code == 200
    assert (await get("/readyz", store=stands, bus=falls)).status_code == 503
    assert (await get("/healthz", store=hangs, bus=falls)).status_code == 200
