"""Many further letters for one ticket at once, on a real broker and a real MongoDB: each finds its place."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from ops.stack import Connection
from services.tickets import handlers
from services.tickets.desk import Desk
from services.tickets.outbox import Outbox
from services.tickets.store import TicketStore
from shared import topology
from shared.contracts.letters import LetterChecked, LetterVerdicts, letter_id
from shared.contracts.requests import LetterReply
from tests.builders import MOMENT, checked, letter
from tests.fixtures.broker import Vhost
from tests.fixtures.tickets import opened
from tests.fixtures.wait import eventually_async

LETTERS = 60


@pytest.fixture
async def store(mongodb: Connection) -> AsyncIterator[TicketStore]:
    """A store with a database of its own."""
    made = TicketStore(mongodb.url, f"test-{uuid4().hex}")
    await made.prepare()
    yield made
    await made._client.drop_database(made._db.name)
    made.close()


def verdict(request_id: UUID, number: int) -> LetterChecked:
    """The verdict on a further letter, one of many."""
    sent = letter(str(number).encode())
    reply = LetterReply(
        request_id=request_id, reply_id=uuid4(), producer_id="P1001", letters=(sent,), received_at=MOMENT
    )
    found = checked(**sent.model_dump(), letter_id=letter_id(request_id, sent.sha256))
    data = LetterVerdicts(submission=reply, letters=(found,))
    return LetterChecked(id=uuid4(), source="/test", subject=str(request_id), time=MOMENT, data=data)


async def test_many_letters_for_one_ticket_at_once_all_find_their_place(vhost: Vhost, store: TicketStore) -> None:
    """Released together they are all on the ticket, each with its event, and none is parked for having been slower."""
    ticket = await opened(store)
    desks = [vhost.bus(prefetch=LETTERS // 2) for _ in range(2)]
    for bus in desks:
        handlers.register(bus, Desk(store, Outbox(store, bus, 60)))
    sender = vhost.bus()
    await sender.start()
    for number in range(LETTERS):
        await sender.publish(verdict(ticket["_id"], number))
    for bus in desks:
        await bus.start()

    async def letters() -> int:
        kept = await store.get(ticket["_id"])
        assert kept is not None
        return len(kept["letters"]) + await vhost.count(topology.PARKING)

    try:
        await eventually_async(letters, lambda count: count == LETTERS)
    finally:
        for bus in (*desks, sender):
            await bus.stop()
    assert await vhost.count(topology.PARKING) == 0
    kept = await store.get(ticket["_id"])
    assert kept is not None
    assert [item["sequence"] for item in kept["history"]] == list(range(1, LETTERS + 2))
    assert len({item["letter_id"] for item in kept["history"][1:]}) == LETTERS
