"""The notifier's ledger on a real MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from ops.stack import Connection
from services.notifier.ledger import Entry, Ledger
from shared.contracts.requests import Producer


@pytest.fixture
async def ledger(mongodb: Connection) -> AsyncIterator[Ledger]:
    """A ledger with a database of its own."""
    name = f"test-{uuid4().hex}"
    made = Ledger(mongodb.url, name)
    yield made
    await made._client.drop_database(name)
    made.close()


def producer(name: str) -> Producer:
    """A producer to write to."""
    return Producer(producer_id="P1", name=name, email=f"{name.lower()}@agency.example")


async def test_mail_that_is_out_is_not_begun_again(ledger: Ledger) -> None:
    """Until a mail is known to be out it is begun again, as after a crash; from then on never."""
    request_id, event_id, next_event_id = uuid4(), uuid4(), uuid4()
    await ledger.learn(request_id, producer("Dana"))
    due, out = Entry(producer("Dana"), is_out=False), Entry(producer("Dana"), is_out=True)
    assert await ledger.begin(request_id, event_id) == due
    assert await ledger.begin(request_id, event_id) == due, "a crash before the server took it must not lose the mail"
    await ledger.finish(request_id, event_id)
    assert await ledger.begin(request_id, event_id) == out
    assert await ledger.begin(request_id, next_event_id) == due


async def test_no_mail_is_begun_before_its_address_is_known(ledger: Ledger) -> None:
    """Whom to write to about a request is who was learned last, and unknown until somebody was."""
    request_id, event_id = uuid4(), uuid4()
    assert await ledger.begin(request_id, event_id) is None
    await asyncio.gather(*(ledger.learn(request_id, producer("First")) for _ in range(5)))
    assert await ledger.begin(request_id, event_id) == Entry(producer("First"), is_out=False)
    await ledger.learn(request_id, producer("Last"))
    assert await ledger.begin(request_id, event_id) == Entry(producer("Last"), is_out=False)
    assert await ledger.begin(uuid4(), event_id) is None


async def test_address_that_is_learned_again_sends_no_second_mail(ledger: Ledger) -> None:
    """A redelivered request does not forget which mails are out."""
    request_id, event_id = uuid4(), uuid4()
    await ledger.learn(request_id, producer("Dana"))
    await ledger.begin(request_id, event_id)
    await ledger.finish(request_id, event_id)
    await ledger.learn(request_id, producer("Dana"))
    assert await ledger.begin(request_id, event_id) == Entry(producer("Dana"), is_out=True)
