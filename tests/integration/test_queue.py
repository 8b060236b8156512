"""Staff's queue on a real MongoDB: filters and counts read off indexes, and who contests whom."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from ops.stack import Connection
from services.tickets.desk import Desk
from services.tickets.numbers import ticket_number
from services.tickets.outbox import Outbox
from services.tickets.queue import Queue
from services.tickets.store import Document, TicketStore
from services.tickets.work import Work
from shared.contracts.envelope import now
from shared.contracts.grid import State, TicketQuery
from shared.contracts.ticket_acts import StatusMove
from shared.contracts.tickets import Status
from shared.runtime.auth import TICKETS_WORK, Caller
from shared.runtime.problems import Problem
from tests.fixtures.tickets import RecordingBus, document

TICKETS, PAGE = 400, 5
OPEN = [status for status in Status if status.is_open]


def staff(subject: str = "joan") -> Caller:
    """A member of staff."""
    return Caller(subject, None, subject, f"{subject}@carrier.example", frozenset({TICKETS_WORK}), "token", 0)


def ticket(n: int, **changes: Any) -> Document:
    """The n-th ticket, with an account of its own; older than those that come after."""
    made = document(uuid4(), ticket_number(n), f"P{n % 7}", OPEN[n % len(OPEN)])
    form = {"account_number": f"{n:06d}", "line_of_business": ("group-dental", "medicare")[n % 20 == 0]}
    opened_at = now() - timedelta(days=TICKETS - n)
    return {**made, "form": form, "opened_at": opened_at, "assignee": None, **changes}


@pytest.fixture(scope="module")
async def store(mongodb: Connection) -> AsyncIterator[TicketStore]:
    """A store with tickets that differ in what staff asks for, two of which contest each other."""
    made = TicketStore(mongodb.url, f"test-{uuid4().hex}")
    await made.prepare()
    tickets = [ticket(n, version=1, published=1) for n in range(1, TICKETS + 1)]
    for each in tickets[::20]:
        each["assignee"] = "joan"
    for each in tickets[5::40]:
        each["answered"] = True
    tickets[11]["form"] = tickets[12]["form"]
    # A closed one contests nothing.
    tickets[13].update(form=tickets[14]["form"], open=False, status="resolved")
    await made._tickets.insert_many(tickets)
    yield made
    await made._client.drop_database(made._db.name)
    made.close()


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ({"status": "on-hold"}, 80),
        ({"request_type": "group-por-change"}, 399),
        ({"line_of_business": "medicare"}, 20),
        ({"assignee": "me"}, 20),
        ({"assignee": "joan"}, 20),
        ({"assignee": "nobody"}, 379),
        ({"answered": True}, 10),
        ({"contested": True}, 2),
        ({"search": "000100"}, 1),
        ({"search": ticket_number(7)}, 1),
        ({"older_than": 389}, 11),
        ({"status": "on-hold", "assignee": "me"}, 0),
        ({"answered": False}, 389),
        ({"contested": False}, 397),
    ],
    ids=str,
)
async def test_each_filter_finds_its_tickets_by_an_index(
    store: TicketStore, mongodb: Connection, asked: dict[str, Any], total: int
) -> None:
    """Each filter gives what it says, newest first, and reads little more than what it shows, unsorted."""
    with MongoClient[dict[str, Any]](mongodb.url) as client:
        database = client[store._db.name]
        database.command("profile", 2)
        page = await Queue(store).page(TicketQuery(size=PAGE, **asked), staff())
        database.command("profile", 0)
        [find] = database["system.profile"].find({"op": "query", "command.find": "tickets"})
        database["system.profile"].drop()
    assert (page.total, len(page.items)) == (total, min(total, PAGE))
    dates = [item.date for item in page.items]
    assert dates == sorted(dates, reverse=True)
    assert find["planSummary"].startswith("IXSCAN")
    assert not find.get("hasSortStage") or find["docsExamined"] == total < PAGE  # named by their numbers
    assert find["docsExamined"] <= PAGE + 1 + (20 if len(asked) > 1 else 0)


async def test_counts_say_how_much_is_open(store: TicketStore, mongodb: Connection) -> None:
    """By status, by who works it, answered and contested; read off indexes without reading a ticket."""
    with MongoClient[dict[str, Any]](mongodb.url) as client:
        database = client[store._db.name]
        database.command("profile", 2)
        counts = await Queue(store).counts()
        database.command("profile", 0)
        reads = list(database["system.profile"].find({"command.aggregate": "tickets"}))
        database["system.profile"].drop()
    assert (counts.open, counts.answered, counts.contested) == (399, 10, 2)
    assert sum(each.count for each in counts.statuses) == 399
    assert [(each.assignee, each.count) for each in counts.assignees] == [(None, 379), ("joan", 20)]
    assert len(reads) == 4
    assert all(each["planSummary"].startswith(("IXSCAN", "COUNT_SCAN")) for each in reads)
    # Only "nobody" cannot be told from an index alone: in it, null and absent are one.
    assert [each["docsExamined"] for each in reads].count(0) >= 3


async def test_who_asks_for_the_same_is_shown_to_staff_alone(store: TicketStore) -> None:
    """Each of two open requests for one account and line names the other, to staff; to its producer neither does."""
    queue, numbers = Queue(store), [ticket_number(12), ticket_number(13)]
    page = await queue.page(TicketQuery(contested=True), staff())
    seen = {item.ticket_number: item.staff.contested_with for item in page.items if item.staff}
    assert seen == {numbers[0]: [numbers[1]], numbers[1]: [numbers[0]]}
    producer = Caller("P5", "P5", "Dana", "dana@agency.example", frozenset({"tickets:read"}), "token", 0)
    mine = await queue.page(TicketQuery(search=numbers[0]), producer)
    assert [(item.ticket_number, item.staff) for item in mine.items] == [(numbers[0], None)]
    with pytest.raises(Problem):
        await queue.page(TicketQuery(contested=True), producer)


@pytest.fixture
async def work(mongodb: Connection) -> AsyncIterator[tuple[Work, TicketStore]]:
    """Acts on a database of their own, whose events go nowhere."""
    store = TicketStore(mongodb.url, f"test-{uuid4().hex}")
    await store.prepare()
    outbox = Outbox(store, RecordingBus(), 60)  # type: ignore[arg-type]  # as much of a bus as it needs
    yield Work(Desk(store, outbox), store, outbox), store
    await store._client.drop_database(store._db.name)
    store.close()


async def test_of_many_claims_at_once_one_is_made(work: tuple[Work, TicketStore]) -> None:
    """Ten reach for a ticket at the same moment: one has it, and each other is told who that is."""
    doing, store = work
    number = ticket_number(1)
    assert await store.open(ticket(1, status="received"), uuid4())
    outcomes = await asyncio.gather(
        *(doing.claim(number, staff(f"staff-{n}"), None) for n in range(10)), return_exceptions=True
    )
    [made] = [each for each in outcomes if isinstance(each, dict)]
    refused = [each for each in outcomes if isinstance(each, Problem)]
    assert len(refused) == 9
    assert {(each.body.model_extra or {}).get("assignee") for each in refused} == {made["assignee"]}
    kept = await store.find(number, None)
    assert kept is not None
    assert [entry.get("act") for entry in kept["history"]] == [None, "claimed"]


async def test_two_opened_at_the_same_moment_contest_each_other_until_one_closes(
    work: tuple[Work, TicketStore],
) -> None:
    """Whatever the order in which they are opened, each names the other, and no longer once one of them is closed."""
    doing, store = work
    queue = Queue(store)
    rivals = [ticket(n, status="received", form=ticket(1)["form"]) for n in (1, 2)]
    assert await asyncio.gather(*(store.open(each, uuid4()) for each in rivals)) == [True, True]
    seen = await queue.staff_views(rivals)
    assert [view.contested_with for view in seen] == [[rivals[1]["number"]], [rivals[0]["number"]]]
    reject = StatusMove.model_validate({"status": "rejected", "reason": "duplicate-request"})
    closed = await doing.move(rivals[0]["number"], reject, staff(), None)
    assert [view.contested_with for view in await queue.staff_views([closed, rivals[1]])] == [[], []]
    assert (await queue.counts()).contested == 0
    everything = await queue.page(TicketQuery(state=State.ALL, contested=False), staff())
    assert everything.total == 2
