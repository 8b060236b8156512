"""The sweeper as a task: what it outlives, what it says, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog

from services.tickets import main
from services.tickets.outbox import Outbox
from services.tickets.store import Document
from shared.contracts.envelope import now
from tests.fixtures.tickets import RecordingBus, document
from tests.fixtures.wait import eventually_async
from tests.flow.doubles import MemoryTickets
from tests.identity import Provider, tickets_settings

NUMBER = "SR-00000001-3"


class Tickets(MemoryTickets):
    """The database, which first fails as nobody foresaw, and notes how it is left."""

    def __init__(self, *unforeseen: Exception) -> None:
        super().__init__()
        self.unforeseen, self.rounds, self.done = list(unforeseen), 0, list[str]()

    async def due(self, moment: datetime, limit: int) -> list[UUID]:
        """Those that should have been published."""
        self.rounds += 1
        if self.unforeseen:
            raise self.unforeseen.pop(0)
        return await super().due(moment, limit)

    async def release(self, request_id: UUID, holder: UUID, sweeps: int) -> None:
        """Give the lease back, which takes a while."""
        await asyncio.sleep(0.05)
        await super().release(request_id, holder, sweeps)
        self.done.append("released")

    async def prepare(self) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Close."""
        self.done.append("closed")


async def due_ticket(store: MemoryTickets) -> Document:
    """A ticket whose first event should be out."""
    request_id = uuid4()
    assert await store.open(document(request_id, NUMBER), uuid4())
    ticket = store.tickets[request_id]
    ticket["due_at"] = now()
    del ticket["lease"]
    return ticket


@asynccontextmanager
async def sweeping(store: MemoryTickets, bus: RecordingBus) -> AsyncIterator[list[Any]]:
    """A sweeper at work, and what it says."""
    outbox = Outbox(store, bus, sweep_seconds=0.01)  # type: ignore[arg-type]
    with structlog.testing.capture_logs() as said:
        sweeper = asyncio.create_task(outbox.sweep_forever())
        yield said
        assert not sweeper.done()
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper


async def test_sweeper_outlives_what_nobody_foresaw() -> None:
    """An error that no list of errors names ends a round and not the sweeper, and is logged with its place."""
    store, bus = Tickets(KeyError("x"), RuntimeError("y")), RecordingBus()
    await due_ticket(store)

    async def out() -> list[int]:
        return bus.sequences(NUMBER)

    async with sweeping(store, bus) as said:
        await eventually_async(out, lambda sequences: sequences == [1], patience=5)
    failed = [line for line in said if line["event"] == "outbox sweep failed"]
    assert [(line["reason"], line["log_level"]) for line in failed] == [
        ("KeyError", "error"),
        ("RuntimeError", "error"),
    ]
    assert [type(line["exc_info"]) for line in failed] == [KeyError, RuntimeError]


async def test_sweeper_speaks_of_what_it_has_published_only() -> None:
    """A ticket in another's hands is no line in the log in any round; once it is published, it is one."""
    store, bus = Tickets(), RecordingBus()
    ticket = await due_ticket(store)
    assert await store.lease(ticket["_id"], uuid4())

    async def rounds() -> int:
        return store.rounds

    async with sweeping(store, bus) as said:
        await eventually_async(rounds, lambda count: count >= 3, patience=5)
        assert said == []
        del ticket["lease"]
        before = store.rounds
        await eventually_async(rounds, lambda count: count >= before + 3, patience=5)
    request_id = str(ticket["_id"])
    assert said == [{"event": "outbox swept", "log_level": "info", "request_id": request_id, "events": 1}]


class StuckBus:
    """A broker that never confirms."""

    def __init__(self, *_: object) -> None:
        self.publishing = asyncio.Event()

    async def publish(self, _: object) -> None:
        """Wait for a confirmation, for ever."""
        self.publishing.set()
        await asyncio.Event().wait()

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def ready(self) -> bool:
        """There."""
        return True

    def subscribe(self, *_: object) -> None:
        """Nothing to hear."""


async def test_service_that_stops_lets_its_sweeper_give_back_the_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle of a publish, the sweeper releases the ticket before the database is closed."""
    store, bus = Tickets(), StuckBus()
    monkeypatch.setattr(main, "TicketStore", lambda *_: store)
    monkeypatch.setattr(main, "Bus", lambda *_: bus)
    settings = tickets_settings(Provider(tmp_path).key_file).model_copy(update={"sweep_seconds": 0.01})
    app = main.build(settings)
    ticket = await due_ticket(store)
    async with app.router.lifespan_context(app):
        await asyncio.wait_for(bus.publishing.wait(), 5)
    assert store.done == ["released", "closed"]
    assert "lease" not in ticket
