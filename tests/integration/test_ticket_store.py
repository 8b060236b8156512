"""The ticket database on a real MongoDB: one ticket per request, changes that cannot be lost, a grid without scans."""

import asyncio
from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from ops.stack import Connection
from services.tickets.numbers import ticket_number
from services.tickets.store import LEASE, Document, TicketStore
from shared.contracts.envelope import now
from shared.contracts.grid import Sort, State
from shared.contracts.tickets import Status
from tests.fixtures.tickets import document, next_entry, opened

TICKETS, PRODUCERS, PAGE = 240, 6, 10


@pytest.fixture
async def store(mongodb: Connection) -> AsyncIterator[TicketStore]:
    """A store with a database of its own."""
    made = TicketStore(mongodb.url, f"test-{uuid4().hex}")
    await made.prepare()
    yield made
    await made._client.drop_database(made._db.name)
    made.close()


async def test_one_ticket_however_often_a_request_is_opened(store: TicketStore) -> None:
    """Of many who open the same request at once one wins, and there is one ticket, with the winner's number."""
    request_id = uuid4()
    tickets = [document(request_id, ticket_number(n)) for n in range(1, 21)]
    won = await asyncio.gather(*(store.open(ticket, uuid4()) for ticket in tickets))
    assert won.count(True) == 1
    kept = await store.get(request_id)
    assert kept is not None
    assert kept["number"] == tickets[won.index(True)]["number"]
    assert await store._tickets.count_documents({}) == 1


async def test_counts_are_never_given_twice(store: TicketStore) -> None:
    """However many ask at once, each gets a count of its own, from 1."""
    assert sorted(await asyncio.gather(*(store.next_count() for _ in range(50)))) == list(range(1, 51))


async def test_change_of_a_stale_version_changes_nothing(store: TicketStore) -> None:
    """Who has read an older version is refused, and sees nothing of his change on the ticket."""
    ticket = await opened(store)
    changed = await store.change(ticket["_id"], 1, next_entry(ticket), status="in-review")
    assert changed is not None
    assert (changed["version"], changed["status"], len(changed["history"])) == (2, "in-review", 2)
    assert await store.change(ticket["_id"], 1, next_entry(ticket), status="on-hold") is None
    assert await store.get(ticket["_id"]) == changed


async def test_of_many_changes_at_once_one_wins(store: TicketStore) -> None:
    """Changes that start from the same version are not merged: one is made, the others know that theirs was not."""
    ticket = await opened(store)
    outcomes = await asyncio.gather(*(store.change(ticket["_id"], 1, next_entry(ticket)) for _ in range(10)))
    assert sum(outcome is not None for outcome in outcomes) == 1
    kept = await store.get(ticket["_id"])
    assert kept is not None
    assert [entry["sequence"] for entry in kept["history"]] == [1, 2]


async def test_mark_of_what_has_grown_meanwhile_keeps_the_rest_due(store: TicketStore) -> None:
    """A change between lease and mark is not marked as out: the ticket stays due, and its lease is free again."""
    ticket, holder = await opened(store), uuid4()
    assert await store.lease(ticket["_id"], holder)
    assert await store.change(ticket["_id"], 1, next_entry(ticket))
    assert await store.mark_published(ticket["_id"], holder, 1) is False
    again = await store.lease(ticket["_id"], uuid4())
    assert again is not None
    assert (again["published"], len(again["history"]), "due_at" in again) == (1, 2, True)


async def test_release_waits_longer_each_time_and_never_for_ever(store: TicketStore) -> None:
    """The sweeper comes back after 1, 2, 4 … seconds, at most five minutes, however often it has failed."""
    ticket = await opened(store)
    for sweeps, seconds in ((0, 1), (1, 2), (8, 256), (9, 300), (1_024, 300), (1_000_000, 300)):
        holder, before = uuid4(), now()
        assert await store.lease(ticket["_id"], holder)
        await store.release(ticket["_id"], holder, sweeps)
        kept = await store.get(ticket["_id"])
        assert kept is not None
        assert 0 <= (kept["due_at"] - before).total_seconds() - seconds + 0.001 < 1


async def test_number_belongs_to_one_ticket(store: TicketStore) -> None:
    """Another request cannot get a number that is taken, not even from a counter that was set back."""
    ticket = await opened(store)
    assert await store.open(document(uuid4(), ticket["number"]), uuid4()) is False
    assert await store._tickets.count_documents({"number": ticket["number"]}) == 1


def test_writes_are_acknowledged_by_the_majority_and_journaled(store: TicketStore) -> None:
    """What the store says is done is on disk at more than half of the servers, for tickets and counter alike."""
    for collection in (store._tickets, store._counters):
        assert collection.write_concern.document == {"w": "majority", "j": True}


async def test_ticket_of_another_producer_is_not_found(store: TicketStore) -> None:
    """What a caller may see is part of the query itself."""
    ticket = await opened(store)
    assert await store.find(ticket["number"], "P9999") is None
    for sees_only in ("P1001", None):
        found = await store.find(ticket["number"], sees_only)
        assert found is not None
        assert found["_id"] == ticket["_id"]


@pytest.fixture(scope="module")
async def full_store(mongodb: Connection) -> AsyncIterator[TicketStore]:
    """A store with tickets of several producers in every status, which notes how each query is done."""
    made = TicketStore(mongodb.url, f"test-{uuid4().hex}")
    await made.prepare()
    statuses = list(Status)
    await made._tickets.insert_many(
        [
            document(uuid4(), ticket_number(n), f"P{n % PRODUCERS}", statuses[n // PRODUCERS % len(statuses)])
            for n in range(1, TICKETS + 1)
        ]
    )
    await made._db.command("profile", 2)
    yield made
    await made._db.command("profile", 0)
    await made._client.drop_database(made._db.name)
    made.close()


def queries(mongodb: Connection, store: TicketStore) -> list[Document]:
    """How the server did the queries so far, and forget them."""
    with MongoClient[dict[str, Any]](mongodb.url) as client:
        database = client[store._db.name]
        database.command("profile", 0)
        found = list(database["system.profile"].find({"ns": f"{store._db.name}.tickets"}))
        database["system.profile"].drop()
        database.command("profile", 2)
    return found


@pytest.mark.parametrize(
    ("sort", "state", "sees_only"),
    list(product(Sort, State, ["P1", None])),
    ids=lambda value: "staff" if value is None else str(value),
)
async def test_grid_reads_only_the_rows_it_shows(
    full_store: TicketStore, mongodb: Connection, sort: Sort, state: State, sees_only: str | None
) -> None:
    """Every sort, state and caller is answered in the order of an index: no scan, no sorting, no row read in vain."""
    queries(mongodb, full_store)
    rows, total = await full_store.page(
        sees_only=sees_only,
        is_open=state.is_open,
        where={},
        sort=sort.column,
        descending=sort.descending,
        skip=0,
        limit=PAGE,
    )
    per_producer = {State.OPEN: 25, State.CLOSED: 15, State.ALL: 40}[state]
    assert (len(rows), total) == (PAGE, per_producer if sees_only else per_producer * PRODUCERS)
    column = {"date": "opened_at", "ticket_number": "number"}.get(sort.column, sort.column)
    shown = [(row[column], row["number"]) for row in rows]
    assert shown == sorted(shown, reverse=sort.descending)

    done = queries(mongodb, full_store)
    find = next(each for each in done if each["op"] == "query")
    assert find["planSummary"].startswith("IXSCAN")
    assert not find.get("hasSortStage")
    assert find["docsExamined"] == PAGE
    count = next(each for each in done if "aggregate" in each["command"])
    if (state, sees_only) != (State.ALL, None):  # all there is can only be counted by counting all
        assert "COLLSCAN" not in count["planSummary"]


async def test_ticket_of_a_request_is_found_by_its_key(full_store: TicketStore, mongodb: Connection) -> None:
    """Asked for one request, as the gateway asks at a deadline, the database reads one document."""
    wanted = await full_store._tickets.find_one({"producer_id": "P1"})
    assert wanted is not None
    queries(mongodb, full_store)
    rows, total = await full_store.page(
        sees_only="P1", is_open=None, where={"_id": wanted["_id"]}, sort="date", descending=True, skip=0, limit=25
    )
    assert ([row["number"] for row in rows], total) == ([wanted["number"]], 1)
    find = next(each for each in queries(mongodb, full_store) if each["op"] == "query")
    assert (find["docsExamined"], find["planSummary"]) == (1, "IDHACK") or find["docsExamined"] == 1


async def test_sweep_reads_only_what_is_due(full_store: TicketStore, mongodb: Connection) -> None:
    """Looking for unpublished history costs what is due, not what there is: published tickets are not in its index."""
    late = uuid4()
    assert await full_store.open(document(late, ticket_number(TICKETS + 1)), uuid4())
    queries(mongodb, full_store)
    assert await full_store.due(now() + LEASE, limit=100) == [late]
    find = next(each for each in queries(mongodb, full_store) if each["op"] == "query")
    assert (find["planSummary"], find["docsExamined"]) == ("IXSCAN { due_at: 1 }", 1)
    assert not find.get("hasSortStage")
    await full_store._tickets.delete_one({"_id": late})
