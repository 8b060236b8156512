"""The HTTP door for who reads tickets: the grid, one ticket, and what staff chooses from."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from services.tickets.desk import Desk
from services.tickets.live import Live
from services.tickets.queue import Queue
from services.tickets.store import Document
from services.tickets.views import detail_of, reason_texts
from shared.contracts import refusals
from shared.contracts.grid import TicketQuery
from shared.contracts.ticket_acts import ReasonTexts, TicketCounts
from shared.contracts.ticket_views import TicketDetail, TicketPage
from shared.runtime.auth import (
    REQUESTS_WRITE,
    TICKETS_READ,
    TICKETS_WORK,
    Caller,
    TokenVerifier,
    caller_with,
    signed_in,
)
from shared.runtime.event_streams import EventStream
from shared.runtime.openapi import EVENTS, TICKET, documented


def router(desk: Desk, queue: Queue, live: Live, verifier: TokenVerifier) -> APIRouter:
    """The routes over one desk."""
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"])
    may_read = caller_with(verifier, TICKETS_READ, TICKETS_WORK)
    may_ask = caller_with(verifier, REQUESTS_WRITE, TICKETS_READ, TICKETS_WORK)
    worker = Depends(caller_with(verifier, TICKETS_WORK))

    async def lister(
        caller: Annotated[Caller, Depends(signed_in(verifier))],
        request_id: Annotated[UUID | None, Query()] = None,
    ) -> Caller:
        # Who may only post requests may still learn which ticket one of them became.
        return await (may_read if request_id is None else may_ask)(caller)

    @routes.get(
        "",
        summary="List tickets",
        response_model_exclude_none=True,
        responses=documented(*refusals.LIST_TICKETS),
    )
    async def list_tickets(
        caller: Annotated[Caller, Depends(lister)], asked: Annotated[TicketQuery, Query()]
    ) -> TicketPage:
        return await queue.page(asked, caller)

    @routes.get(
        "/counts",
        summary="Open tickets by status and assignee (staff)",
        dependencies=[worker],
        responses=documented(*refusals.STAFF_READS),
    )
    async def count_tickets() -> TicketCounts:
        return await queue.counts()

    @routes.get(
        "/reasons",
        summary="List the reasons for a move, with their texts (staff)",
        dependencies=[worker],
        responses=documented(*refusals.STAFF_READS),
    )
    async def list_reasons() -> ReasonTexts:
        return reason_texts()

    @routes.get(
        "/stream",
        summary="Stream ticket events as they happen (server-sent events)",
        response_class=EventStream,
        status_code=HTTPStatus.OK,
        responses={**EVENTS, **documented(*refusals.LISTEN)},
    )
    async def stream_events(
        caller: Annotated[Caller, Depends(may_read)], last_event_id: Annotated[str | None, Header()] = None
    ) -> EventStream:
        return EventStream(live.listen(live.admit(caller), last_event_id))

    @routes.get(
        "/{number}",
        summary="Show a ticket with its history and letters",
        responses={**TICKET, **documented(*refusals.SHOW_TICKET)},
    )
    async def show_ticket(
        number: str, caller: Annotated[Caller, Depends(may_read)], response: Response
    ) -> TicketDetail:
        return await shown(await desk.find(number, caller), queue, caller, response)

    return routes


async def shown(ticket: Document, queue: Queue, caller: Caller, response: Response) -> TicketDetail:
    """A ticket as this caller sees it, with its version as the answer's ETag."""
    response.headers["ETag"] = f'"{ticket["version"]}"'
    [staff] = await queue.staff_views([ticket]) if caller.is_staff else [None]
    return detail_of(ticket, staff)
