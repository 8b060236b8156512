"""Mails while the mail server is away: none loses a try by it."""

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
from tests.builders import message_added, moved, opened, worked
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
