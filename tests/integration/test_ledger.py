"""The notifier's ledger on a real MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from ops.stack import Connection
from services.notifier.ledger import Entry, Ledger
from shared.contracts.envelope import now
from shared.contracts.requests import Producer

LONG = timedelta(minutes=1)


@pytest.fixture
async def ledger(mongodb: Connection) -> AsyncIterator[Ledger]:
    """A ledger with a database of its own."""
    name = f"test-{uuid4().hex}"
    made = Ledger(mongodb.url, name, LONG)
    yield made
    await made._client.drop_database(name)
    made.close()


def producer(name: str) -> Producer:
    """A producer to write to."""
    return Producer(producer_id="P1", name=name, email=f"{name.lower()}@agency.example")


def is_ours(entry: Entry | None) -> bool:
    """Whether who began the mail is the one to send it."""
    return entry is not None and entry.claim is not None and not entry.is_out


async def test_mail_that_is_out_is_not_begun_again(ledger: Ledger) -> None:
    """A mail that is out is never claimed again; another mail about the same request is."""
    request_id, event_id, next_event_id = uuid4(), uuid4(), uuid4()
    await ledger.learn(request_id, producer("Dana"))
    assert is_ours(await ledger.begin(request_id, event_id))
    await ledger.finish(request_id, event_id, now())
    assert await ledger.begin(request_id, event_id) == Entry(producer("Dana"), is_out=True)
    assert is_ours(await ledger.begin(request_id, next_event_id))


async def test_of_many_at_once_one_gets_the_claim(ledger: Ledger) -> None:
    """Of twenty who begin one mail at the same time one may send it; the others see that it is in work."""
    request_id, event_id = uuid4(), uuid4()
    await ledger.learn(request_id, producer("Dana"))
    entries = await asyncio.gather(*(ledger.begin(request_id, event_id) for _ in range(20)))
    assert sum(map(is_ours, entries)) == 1
    assert [entry for entry in entries if not is_ours(entry)] == [Entry(producer("Dana"))] * 19


async def test_claim_of_one_who_died_runs_out(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that is never given back holds for its time, and then the mail is free, once."""
    request_id, event_id = uuid4(), uuid4()
    await ledger.learn(request_id, producer("Dana"))
    assert is_ours(await ledger.begin(request_id, event_id))
    assert not is_ours(await ledger.begin(request_id, event_id))
    monkeypatch.setattr("services.notifier.ledger.now", lambda: now() + LONG)
    entries = [await ledger.begin(request_id, event_id) for _ in range(2)]
    assert list(map(is_ours, entries)) == [True, False]


async def test_claim_is_given_back_by_its_holder_only(ledger: Ledger) -> None:
    """A claim that is given back is free at once; one who comes late with an old claim frees nobody else's."""
    request_id, event_id = uuid4(), uuid4()
    await ledger.learn(request_id, producer("Dana"))
    first = await ledger.begin(request_id, event_id)
    assert first is not None
    assert first.claim is not None
    await ledger.release(request_id, event_id, first.claim)
    await asyncio.sleep(0.01)  # a claim is told from the next by its milliseconds
    assert is_ours(await ledger.begin(request_id, event_id))
    await ledger.release(request_id, event_id, first.claim)
    assert not is_ours(await ledger.begin(request_id, event_id))


def test_writes_are_acknowledged_by_the_majority_and_journaled(ledger: Ledger) -> None:
    """A mark that is made is on disk at more than half of the servers: the loss of one sends no mail again."""
    assert ledger._ledger.write_concern.document == {"w": "majority", "j": True}


async def test_no_mail_is_begun_before_its_address_is_known(ledger: Ledger) -> None:
    """Whom to write to about a request is who was learned last, and unknown until somebody was."""
    request_id, event_id, next_event_id = uuid4(), uuid4(), uuid4()
    assert await ledger.begin(request_id, event_id) is None
    await asyncio.gather(*(ledger.learn(request_id, producer("First")) for _ in range(5)))
    first = await ledger.begin(request_id, event_id)
    await ledger.learn(request_id, producer("Last"))
    last = await ledger.begin(request_id, next_event_id)
    assert [entry.producer.name for entry in (first, last) if entry] == ["First", "Last"]
    assert await ledger.begin(uuid4(), event_id) is None


async def test_address_that_is_learned_again_sends_no_second_mail(ledger: Ledger) -> None:
    """A redelivered request does not forget which mails are out."""
    request_id, event_id = uuid4(), uuid4()
    await ledger.learn(request_id, producer("Dana"))
    await ledger.begin(request_id, event_id)
    await ledger.finish(request_id, event_id, now())
    await ledger.learn(request_id, producer("Dana"))
    assert await ledger.begin(request_id, event_id) == Entry(producer("Dana"), is_out=True)
