"""Waiting for a ticket number."""

import asyncio
from uuid import uuid4

import pytest

from services.intake.waiting import WaitingRoom, wait_seconds
from tests.builders import REQUEST_ID, opened


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=5", 5),
        ("wait=0", 0),
        ("WAIT=5", 5),
        ('wait="5"', 5),
        ("wait = 5", 5),
        ("respond-async, wait=5", 5),
        ("wait=5, respond-async", 5),
        ("wait=5; foo=bar", 5),
        ("wait=9999", 30),
        ("wait=99999999", 30),
        ("wait=-1", 0),
        ("wait=soon", 0),
        ("wait=5.5", 0),
        ("await=5", 0),
        ("no-wait=5", 0),
        ("return=minimal", 0),
    ],
)
def test_prefer_is_read_as_rfc_7240_writes_it(prefer: str | None, seconds: float) -> None:
    """A preference to wait is read wherever it stands, bounded, and anything else is no wait."""
    assert wait_seconds(prefer, 30) == seconds


async def test_everybody_who_waits_for_a_ticket_is_told() -> None:
    """Two posts of the same request both get the number; the waiter of another does not."""
    room = WaitingRoom()
    with room.waiter(REQUEST_ID) as first, room.waiter(REQUEST_ID) as second, room.waiter(uuid4()) as other:
        await room.announce(opened())
        assert first.result() == second.result() == opened()
        assert not other.done()


async def test_a_second_announcement_changes_nothing() -> None:
    """A redelivered ticket.opened does no harm."""
    room = WaitingRoom()
    with room.waiter(REQUEST_ID) as waiter:
        await room.announce(opened())
        await room.announce(opened())
        assert waiter.done()


async def test_nothing_is_left_of_those_who_gave_up() -> None:
    """Whoever leaves, at the deadline or by an error, is forgotten; the others stay."""
    room = WaitingRoom()
    with room.waiter(REQUEST_ID) as stays:
        with pytest.raises(ConnectionError), room.waiter(REQUEST_ID):
            raise ConnectionError
        with room.waiter(uuid4()) as waiter:
            await asyncio.wait([waiter], timeout=0.01)
        await room.announce(opened())
        assert stays.done()
        assert len(room._waiters) == 1
    assert room._waiters == {}
    await room.announce(opened())
