"""The HTTP door of tickets: the grid, one ticket, and staff's moves."""

import re
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from services.tickets.desk import Desk
from services.tickets.store import TicketStore
from services.tickets.views import detail_of, summary_of
from shared.contracts import refusals
from shared.contracts.grid import Sort, State
from shared.contracts.ticket_views import StatusMove, TicketDetail, TicketPage
from shared.runtime.auth import (
    REQUESTS_WRITE,
    TICKETS_READ,
    TICKETS_WORK,
    Caller,
    TokenVerifier,
    caller_with,
    signed_in,
)
from shared.runtime.json_bodies import StrictJsonRoute
from shared.runtime.openapi import TICKET, documented
from shared.runtime.problems import Problem

# RFC 9110: entity tags, of which W/ marks the weak ones, and the lists of them, whose elements may be empty.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS = re.compile(rf"[ \t,]*(?:{_TAG.pattern}[ \t]*(?:,[ \t,]*|\Z))*")


def router(desk: Desk, store: TicketStore, verifier: TokenVerifier) -> APIRouter:
    """The routes over one desk."""
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"], route_class=StrictJsonRoute)
    may_read = caller_with(verifier, TICKETS_READ, TICKETS_WORK)
    may_ask = caller_with(verifier, REQUESTS_WRITE, TICKETS_READ, TICKETS_WORK)
    reader, worker = Depends(may_read), Depends(caller_with(verifier, TICKETS_WORK))

    async def lister(
        caller: Annotated[Caller, Depends(signed_in(verifier))],
        request_id: Annotated[UUID | None, Query()] = None,
    ) -> Caller:
        # Who may only post requests may still learn which ticket one of them became.
        return await (may_read if request_id is None else may_ask)(caller)

    @routes.get(
        "",
        summary="Existing Request Tickets",
        responses=documented(*refusals.LIST_TICKETS),
    )
    async def list_tickets(
        caller: Annotated[Caller, Depends(lister)],
        state: Annotated[State, Query()] = State.OPEN,
        sort: Annotated[Sort, Query()] = Sort.NEWEST_FIRST,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
        size: Annotated[int, Query(ge=1, le=100)] = 25,
        request_id: Annotated[UUID | None, Query()] = None,
    ) -> TicketPage:
        skip = (page - 1) * size
        found, total = await store.page(
            sees_only=caller.sees_only,
            is_open=state.is_open,
            request_id=request_id,
            sort=sort.column,
            descending=sort.descending,
            skip=skip,
            limit=size,
        )
        return TicketPage(
            items=[summary_of(ticket) for ticket in found],
            first=skip + 1 if found else 0,
            last=skip + len(found) if found else 0,
            total=total,
        )

    @routes.get(
        "/{number}",
        summary="One ticket with its history and letters",
        responses={**TICKET, **documented(*refusals.SHOW_TICKET)},
    )
    async def show_ticket(number: str, caller: Annotated[Caller, reader], response: Response) -> TicketDetail:
        return _answer(detail_of(await desk.find(number, caller)), response)

    @routes.post(
        "/{number}/status",
        summary="Move a ticket (staff)",
        responses={**TICKET, **documented(*refusals.MOVE_TICKET)},
    )
    async def move_ticket(
        number: str,
        move: StatusMove,
        caller: Annotated[Caller, worker],
        response: Response,
        if_match: Annotated[str | None, Header()] = None,
    ) -> TicketDetail:
        changed = await desk.move(number, move, caller, _versions(if_match))
        return _answer(detail_of(changed), response)

    return routes


def _answer(ticket: TicketDetail, response: Response) -> TicketDetail:
    response.headers["ETag"] = f'"{ticket.version}"'
    return ticket


def _versions(if_match: str | None) -> frozenset[str] | None:
    """What the strong entity tags of If-Match name, as a weak one never matches; None: any version will do."""
    if if_match is None or if_match.strip() == "*":
        return None
    if not _TAGS.fullmatch(if_match):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "bad-if-match",
            "Send the ETag of the ticket as If-Match.",
        )
    return frozenset(tag for weak, tag in _TAG.findall(if_match) if not weak)
