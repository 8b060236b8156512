"""Logs: an unforeseen error is named by its type and place, and never by its text."""

import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import structlog
import uvicorn
from aio_pika import IncomingMessage
from fastapi import APIRouter, FastAPI
from faststream import ContextRepo
from prometheus_client import CollectorRegistry

from shared.runtime import failures
from shared.runtime.failures import FailureMiddleware, Pulse
from shared.runtime.logs import configure_logs, log
from shared.runtime.service import service_app

CANARY = "zebulon.quartermaine@canary.example"


class Message:
    """A message as the failure path sees it."""

    headers: dict[str, object] = {}  # noqa: RUF012  # never changed
    message_id, correlation_id, body = "m-1", "r-1", CANARY.encode()
    channel = SimpleNamespace(is_closed=False)


def quote_somebody() -> None:
    """Fail with personal data in the error, in what it came from, in what is in it and in its notes."""
    try:
        try:
            int(CANARY)
        except ValueError as error:
            raise LookupError(CANARY) from error
    except LookupError as error:
        unforeseen = ExceptionGroup(CANARY, [OSError(5, CANARY, CANARY)])
        unforeseen.add_note(CANARY)
        raise unforeseen from error


async def away(*_: object) -> None:
    """A broker that takes nothing."""
    raise ConnectionError(CANARY)


async def there(*_: object) -> None:
    """A broker that takes everything."""


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What a service writes to stdout and stderr, from now on."""
    both = io.StringIO()
    monkeypatch.setattr(sys, "stdout", both)
    monkeypatch.setattr(sys, "stderr", both)
    monkeypatch.setattr(logging.root, "handlers", [])
    configure_logs("test", getattr(request, "param", "json"))
    yield both
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    vars(log).pop("bind", None)  # it keeps the configuration of its first use


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    """The lines of a log in JSON."""
    return [json.loads(line) for line in written.getvalue().splitlines()]


async def handled(republish: Callable[..., Awaitable[None]]) -> None:
    """A message whose handler fails."""

    async def hold(_: object) -> None:
        pytest.fail("there is nothing to attempt")

    path = FailureMiddleware(Pulse("documents.check-letter"), republish, hold)(
        cast("IncomingMessage", Message()), context=ContextRepo()
    )
    await path.on_receive()
    try:
        quote_somebody()
    except ExceptionGroup as error:
        await path.after_processed(type(error), error, error.__traceback__)


async def asked() -> httpx.Response:
    """A request whose route fails."""
    router = APIRouter()

    @router.get("/letters/{name}")
    async def letters(name: str) -> None:
        quote_somebody()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = service_app(
        title="t", description="t", registry=CollectorRegistry(), lifespan=lifespan, checks={}, routers=(router,)
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        return await http.get(f"/letters/{CANARY}", params={"of": CANARY}, headers={"X-Of": CANARY})


def assert_only_type_and_place(exception: list[str]) -> None:
    """An error in a log, with what it came from."""
    assert [line for line in exception if not line.startswith("  ")] == ["ExceptionGroup", "LookupError", "ValueError"]
    assert any(__file__ in line and line.endswith(" quote_somebody") for line in exception)


async def test_a_failed_message_is_logged_by_type_and_place(written: io.StringIO) -> None:
    """A handler's unforeseen error is one line that says which message, what kind of error and where; no text of it."""
    await handled(there)
    [line] = lines(written)
    assert (line["outcome"], line["reason"], line["message_id"]) == ("retry", "ExceptionGroup", "m-1")
    assert_only_type_and_place(line["exception"])
    assert CANARY not in written.getvalue()


async def test_a_message_that_cannot_be_moved_is_logged_by_type_and_place(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of moving a failed message is logged like the handler's own."""
    monkeypatch.setattr(failures, "HOLD_SECONDS", 0)
    ways = iter((away, there))

    async def away_at_first(*args: object) -> None:
        await next(ways)(*args)

    await handled(away_at_first)
    held, moved = lines(written)
    assert (held["outcome"], held["exception"][0]) == ("held", "ConnectionError")
    assert moved["outcome"] == "retry"
    assert CANARY not in written.getvalue()


async def test_a_failed_request_is_logged_by_type_and_place(written: io.StringIO) -> None:
    """A route's unforeseen error says route, kind and place; neither log nor answer quotes it, or the address."""
    answer = await asked()
    assert answer.status_code == 500
    assert CANARY not in answer.json()["detail"]
    request, crash = lines(written)
    assert_only_type_and_place(crash["exception"])
    assert (crash["event"], crash["route"]) == ("unexpected error", "/letters/{name}")
    assert (request["event"], request["route"], request["status"]) == ("request", "/letters/{name}", 500)
    assert CANARY not in written.getvalue()


def test_an_error_that_a_library_logs_is_named_by_type_and_place(written: io.StringIO) -> None:
    """A library's line with an error, such as the HTTP server's when a route fails, shows its type and place only."""
    try:
        quote_somebody()
    except ExceptionGroup:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    [line] = lines(written)
    assert_only_type_and_place(line["exception"])
    assert CANARY not in written.getvalue()


@pytest.mark.parametrize("written", ["console"], indirect=True)
async def test_the_console_names_an_error_by_type_and_place(written: io.StringIO) -> None:
    """Logs for people hold the same as those for machines."""
    await handled(there)
    assert "quote_somebody" in written.getvalue()
    assert CANARY not in written.getvalue()


async def test_a_start_that_fails_is_logged_by_type_and_place(written: io.StringIO) -> None:
    """What ends a start is named by its type and place: its text may quote a password."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        quote_somebody()
        yield

    app = service_app(title="t", description="t", registry=CollectorRegistry(), lifespan=lifespan, checks={})
    config = uvicorn.Config(app, log_config=None)
    with pytest.raises(SystemExit):
        await uvicorn.Server(config).serve([])
    told, *server = lines(written)
    assert_only_type_and_place(told["exception"])
    assert server, "the server says it too"
    assert CANARY not in written.getvalue()
