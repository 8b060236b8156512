"""The notifier's address book and ledger on a real MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from ops.stack import Connection
from services.notifier.ledger import Ledger
from shared.contracts.requests import Producer


@pytest.fixture
async def ledger(mongodb: Connection) -> AsyncIterator[Ledger]:
    """A ledger with a database of its own."""
    name = f"test-{uuid4().hex}"
    made = Ledger(mongodb.url, name)
    yield made
    await made._client.drop_database(name)
    made.close()


async def test_mail_that_is_out_is_not_begun_again(ledger: Ledger) -> None:
    """Until a mail is known to be out it is begun again, as after a crash; from then on never."""
    event_id = uuid4()
    assert await ledger.begin(event_id)
    assert await ledger.begin(event_id), "a crash before the server took it must not lose the mail"
    await ledger.finish(event_id)
    assert not await ledger.begin(event_id)
    assert await ledger.begin(uuid4())


async def test_address_is_learned_by_request(ledger: Ledger) -> None:
    """The address of a request is the one that came last, and unknown until one came."""
    request_id = uuid4()
    assert await ledger.producer_of(request_id) is None
    first = Producer(producer_id="P1", name="First", email="first@agency.example")
    last = Producer(producer_id="P1", name="Last", email="last@agency.example")
    await asyncio.gather(*(ledger.learn(request_id, first) for _ in range(5)))
    assert await ledger.producer_of(request_id) == first
    await ledger.learn(request_id, last)
    assert await ledger.producer_of(request_id) == last
    assert await ledger.producer_of(uuid4()) is None
