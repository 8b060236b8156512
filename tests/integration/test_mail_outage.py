"""Mails while the mail server is away, or while notifier stops: none loses a try by it, and none is sent twice."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from shared import topology
from shared.contracts.tickets import TicketEvent
from shared.runtime import breaker
from tests.builders import REQUEST_ID, message_added, moved, opened, worked
from tests.fixtures.post import Post
from tests.fixtures.proxy import door
from tests.fixtures.wait import eventually_async


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """What is logged."""
    with capture_logs(processors=[merge_contextvars]) as captured:
        yield captured


def another(event: TicketEvent) -> TicketEvent:
    """The same, as an event of its own."""
    return event.model_copy(update={"id": uuid4()})


@pytest.mark.parametrize("other", ["worked", "out already", "without its words"])
async def test_events_that_ask_no_mail_server_cost_the_mails_that_wait_for_it_nothing(
    post: Post, lines: list[Any], monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """What passes meanwhile without the mail server is no sign that it is back: no attempt of a held mail counts."""
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0.05)
    held = [another(moved()) for _ in range(4)]
    passing: dict[str, Callable[[], TicketEvent]] = {
        "worked": lambda: another(worked()),
        "out already": opened,
        "without its words": lambda: another(message_added()),
    }
    async with door("127.0.0.1", post.server.port) as way, post.notifier(smtp_port=way.port) as bus:
        await bus.publish(opened())
        await eventually_async(post.server.has_mails)
        await way.shut()
        for event in held:
            await bus.publish(event)
        await asyncio.sleep(0.5)
        for _ in range(2 * topology.RETRY_TIERS):
            await bus.publish(passing[other]())
            await asyncio.sleep(0.2)
        await way.open()
        await eventually_async(lambda: post.server.has_mails(1 + len(held)))
    mails = {str(event.id) for event in held}
    ends = [line["outcome"] for line in lines if line["event"] == "message" and line["message_id"] in mails]
    assert ends == ["done"] * len(held)


async def test_mail_that_is_under_way_when_notifier_stops_is_sent_once(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its event is given up in time, and notifier ends when it is noted that the mail server has the mail."""
    monkeypatch.setattr(breaker, "STOP_SECONDS", 0.2)
    post.server.silence = 1.5
    async with post.notifier() as bus:
        await bus.publish(opened())
        await eventually_async(post.server.has_mails)
    ledger = post.ledger()
    entry = await ledger.begin(REQUEST_ID, opened().id)
    ledger.close()
    assert entry is not None
    assert entry.is_out
    async with post.notifier():
        await eventually_async(post.is_idle)
        await asyncio.sleep(0.5)  # time for the second mail that must not come
    assert len(post.server.mails) == 1


async def test_mails_that_queue_when_notifier_stops_are_not_begun(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail whose event was given up before it had a connection is another notifier's."""
    monkeypatch.setattr(breaker, "STOP_SECONDS", 0.2)
    post.server.silence = 3.0  # longer than notifier takes to begin to stop
    async with post.notifier(smtp_connections=1) as bus:
        for _ in range(4):
            await bus.publish(another(moved()))
        await eventually_async(post.server.has_mails)
    assert len(post.server.mails) == 1
