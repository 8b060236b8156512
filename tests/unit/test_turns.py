"""Changing a ticket that others change at the same moment."""

import asyncio
from typing import Any, cast

import pytest

from services.tickets import turns
from services.tickets.desk import Desk
from services.tickets.outbox import Outbox
from services.tickets.store import Document, TicketStore
from services.tickets.turns import ATTEMPTS, in_turn
from shared.contracts.requests import LetterReply
from shared.runtime.failures import Deferred
from tests.builders import MOMENT, NUMBER, REQUEST_ID, checked, letter
from tests.fixtures.tickets import document


@pytest.fixture(autouse=True)
def _hardly_pausing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PAUSE_SECONDS", 0.0001)


class Contested:
    """A ticket that others change ``faster`` times just before we do."""

    def __init__(self, faster: int) -> None:
        self.faster, self.version, self.reads = faster, 1, 0

    async def get(self, _: object) -> Document:
        """The ticket as it is now."""
        self.reads += 1
        return {**document(REQUEST_ID, NUMBER), "version": self.version}

    async def change(self, _: object, version: int, *entries: Document, **fields: Any) -> Document | None:
        """Change it, unless it was changed since it was read."""
        if self.faster:
            self.faster -= 1
            self.version += 1
        return {"version": version + 1, **fields} if version == self.version else None


async def add_letter(ticket: Contested) -> None:
    """A further letter for the ticket."""
    reply = LetterReply(
        request_id=REQUEST_ID, reply_id=REQUEST_ID, producer_id="P1001", letters=(letter(),), received_at=MOMENT
    )

    class Nothing:
        async def publish_pending(self, _: object) -> None:
            """Nothing is due."""

    await Desk(cast("TicketStore", ticket), cast("Outbox", Nothing())).add_letters(reply, (checked(),), ())


async def test_who_was_too_slow_reads_again_at_once() -> None:
    """A letter finds its place on the ticket as it is by then, as often as it takes, within bounds."""
    ticket = Contested(faster=ATTEMPTS - 1)
    await add_letter(ticket)
    assert ticket.reads == ATTEMPTS


async def test_who_is_too_slow_again_and_again_comes_back_later() -> None:
    """It is nobody's failure and costs the message no attempt: others are at work on the ticket."""
    ticket = Contested(faster=ATTEMPTS)
    with pytest.raises(Deferred, match="ticket-changed-meanwhile"):
        await add_letter(ticket)
    assert ticket.reads == ATTEMPTS


async def test_nobody_waits_who_does_not_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a pause between two tries, and none before the first or after the last."""
    done: list[str] = []

    async def pause(_: float) -> None:
        done.append("pause")

    async def slower() -> None:
        done.append("try")

    monkeypatch.setattr(asyncio, "sleep", pause)
    assert await in_turn(slower) is None
    assert done == ["try", *["pause", "try"] * (ATTEMPTS - 1)]


async def test_an_error_is_not_tried_again() -> None:
    """What fails in itself fails at once."""

    async def broken() -> Document | None:
        raise KeyError("who?")

    with pytest.raises(KeyError):
        await in_turn(broken)
