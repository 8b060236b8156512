"""The tickets as a list: what a caller may ask for, what staff sees beside each, and how much there is."""

from collections.abc import Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeAlias

from services.tickets.comparison import comparisons_of
from services.tickets.desk import mistyped
from services.tickets.indexes import ANSWERED, BY_ASSIGNEE, BY_STATUS, RIVALRY
from services.tickets.numbers import is_well_formed
from services.tickets.store import Document, TicketStore
from services.tickets.views import summary_of
from services.tickets.workflow import CONTESTABLE
from shared.contracts.envelope import now
from shared.contracts.grid import ME, NOBODY, TicketQuery
from shared.contracts.ticket_acts import TicketCounts
from shared.contracts.ticket_views import StaffView, TicketPage
from shared.runtime.auth import Caller
from shared.runtime.problems import Problem
from shared.runtime.together import together

Subject: TypeAlias = tuple[str, str]

_NUMBER_LENGTH = len("SR-00000001-3")


class Queue:
    """Reads of many tickets, over one store.

    Who contests whom is never written down: it is read off the open tickets, so that it is true of two that are opened
    at the same moment, and over when one of them closes.
    """

    def __init__(self, store: TicketStore) -> None:
        self._store = store

    async def page(self, asked: TicketQuery, caller: Caller) -> TicketPage:
        """A page of what this caller may see.

        Raises:
            Problem: 400 for a number that no ticket can have, 403 for a filter that is staff's.
        """
        where = _where(asked, caller)
        if asked.contested is not None:
            where["$and"] = [{"number": {"$in" if asked.contested else "$nin": await self._contested()}}]
        skip = (asked.page - 1) * asked.size
        found, total = await self._store.page(
            sees_only=caller.sees_only,
            is_open=asked.state.is_open,
            where=where,
            sort=asked.sort.column,
            descending=asked.sort.descending,
            skip=skip,
            limit=asked.size,
        )
        staffs = await self.staff_views(found) if caller.is_staff else [None] * len(found)
        return TicketPage(
            items=[summary_of(ticket, staff) for ticket, staff in zip(found, staffs, strict=True)],
            first=skip + 1 if found else 0,
            last=skip + len(found) if found else 0,
            total=total,
        )

    async def staff_views(self, tickets: list[Document]) -> list[StaffView]:
        """What staff sees beside each of these tickets."""
        subjects = [_subject(ticket) for ticket in tickets]
        rivals = await self._rivals(subject[0] for subject in subjects if subject)
        return [
            StaffView(
                producer_name=ticket.get("producer_name"),
                producer_email=ticket.get("producer_email"),
                assignee=ticket.get("assignee"),
                answered=ticket.get("answered", False),
                contested_with=[
                    number for number in (rivals.get(subject, []) if subject else []) if number != ticket["number"]
                ],
                forms=comparisons_of(ticket),
                fingerprint=ticket["fingerprint"],
            )
            for ticket, subject in zip(tickets, subjects, strict=True)
        ]

    async def counts(self) -> TicketCounts:
        """How much is open, by status and by who works it."""
        (statuses, assignees, answered), contested = await together(
            together(
                self._count("status", BY_STATUS),
                self._count("assignee", BY_ASSIGNEE),
                self._store.aggregate([{"$match": {"answered": True}}, {"$count": "count"}], ANSWERED),
            ),
            self._contested(),
        )
        return TicketCounts.model_validate(
            {
                "open": sum(each["count"] for each in statuses),
                "answered": answered[0]["count"] if answered else 0,
                "contested": len(contested),
                "statuses": [{"status": each["_id"], "count": each["count"]} for each in statuses],
                "assignees": [{"assignee": each["_id"], "count": each["count"]} for each in assignees],
            }
        )

    async def _count(self, column: str, index: tuple[str, ...]) -> list[Document]:
        group = {"_id": {"$ifNull": [f"${column}", None]}, "count": {"$sum": 1}}
        return await self._store.aggregate(
            [{"$match": {"open": True}}, {"$group": group}, {"$sort": {"_id": 1}}], index
        )

    async def _contested(self) -> list[str]:
        """The numbers of all open tickets that contest each other."""
        found = await self._by_subject({"$gt": ""}, {"$match": {"numbers.1": {"$exists": True}}})
        return [number for numbers in found.values() for number in numbers]

    async def _rivals(self, accounts: Iterable[str]) -> dict[Subject, list[str]]:
        """Who asks for these accounts, by account and line."""
        asked = sorted({*accounts})
        return await self._by_subject({"$in": asked}) if asked else {}

    async def _by_subject(self, account: Document, *more: Document) -> dict[Subject, list[str]]:
        group = {
            "_id": {"account": "$form.account_number", "line": "$form.line_of_business"},
            "numbers": {"$push": "$number"},
        }
        match = {"request_type": CONTESTABLE, "open": True, "form.account_number": account}
        found = await self._store.aggregate([{"$match": match}, {"$group": group}, *more], RIVALRY)
        return {(each["_id"]["account"], each["_id"].get("line", "")): sorted(each["numbers"]) for each in found}


def _subject(ticket: Document) -> Subject | None:
    """What an open request contests with others; None: nothing."""
    account = ticket["form"].get("account_number")
    if ticket["request_type"] != CONTESTABLE or not ticket["open"] or not account:
        return None
    return account, ticket["form"].get("line_of_business", "")


def _where(asked: TicketQuery, caller: Caller) -> Document:
    """The question as the database takes it, but for what hangs on other tickets."""
    if asked.asks_as_staff and not caller.is_staff:
        raise Problem(
            HTTPStatus.FORBIDDEN, "not-allowed", f"Only staff may filter by: {', '.join(asked.asks_as_staff)}."
        )
    wanted: dict[str, Any] = {
        "_id": asked.request_id,
        "status": asked.status.value if asked.status else None,
        "request_type": asked.request_type,
        "form.line_of_business": asked.line_of_business,
        "answered": asked.answered if asked.answered is not False else {"$ne": True},
        "assignee": {ME: caller.subject}.get(asked.assignee or "", asked.assignee),
    }
    where = {name: value for name, value in wanted.items() if value is not None}
    if asked.assignee == NOBODY:
        where["assignee"] = None
    if asked.older_than is not None:
        where["opened_at"] = {"$lt": now() - timedelta(days=asked.older_than)}
    if asked.search and len(asked.search) == _NUMBER_LENGTH:
        if not is_well_formed(asked.search):
            raise mistyped()
        where["number"] = asked.search
    elif asked.search:
        where["form.account_number"] = asked.search
    return where
