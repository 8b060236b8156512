"""The HTTP door of tickets: the grid, one ticket, and staff's moves."""

import re
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from services.tickets.desk import Desk, detail_of, summary_of
from services.tickets.store import TicketStore
from shared.contracts import refusals
from shared.contracts.grid import Sort, State
from shared.contracts.tickets import StatusMove, TicketDetail, TicketPage
from shared.runtime.auth import (
    TICKETS_READ,
    TICKETS_WORK,
    Caller,
    TokenVerifier,
    caller_with,
)
from shared.runtime.problems import Problem, documented

_ETAG = re.compile(r'"([0-9]+)"')


def router(desk: Desk, store: TicketStore, verifier: TokenVerifier) -> APIRouter:
    """The routes over one desk."""
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"])
    reader = Depends(caller_with(verifier, TICKETS_READ, TICKETS_WORK))
    worker = Depends(caller_with(verifier, TICKETS_WORK))

    @routes.get(
        "",
        summary="Existing Request Tickets",
        responses=documented(*refusals.LIST_TICKETS),
    )
    async def list_tickets(
        caller: Annotated[Caller, reader],
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
        responses=documented(*refusals.SHOW_TICKET),
    )
    async def show_ticket(number: str, caller: Annotated[Caller, reader], response: Response) -> TicketDetail:
        return _answer(detail_of(await desk.find(number, caller)), response)

    @routes.post(
        "/{number}/status",
        summary="Move a ticket (staff)",
        responses=documented(*refusals.MOVE_TICKET),
    )
    async def move_ticket(
        number: str,
        move: StatusMove,
        caller: Annotated[Caller, worker],
        response: Response,
        if_match: Annotated[str | None, Header()] = None,
    ) -> TicketDetail:
        changed = await desk.move(number, move, caller, _version(if_match))
        return _answer(detail_of(changed), response)

    return routes


def _answer(ticket: TicketDetail, response: Response) -> TicketDetail:
    response.headers["ETag"] = f'"{ticket.version}"'
    return ticket


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "bad-if-match",
            "Send the ETag of the ticket as If-Match.",
        )
    return int(match[1])
