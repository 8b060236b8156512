"""The typed routes that the gateway forwards to tickets and documents.

Parameters are checked by their owner; here they are declared, so that one OpenAPI describes all.
"""

import re
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.security import HTTPBearer

from services.intake.owners import Owner
from shared.contracts import refusals
from shared.contracts.grid import Sort, State
from shared.contracts.media import EXTENSIONS
from shared.contracts.tickets import StatusMove, TicketDetail, TicketPage
from shared.runtime.problems import documented

_NUMBER = re.compile(r"SR-[0-9]{8}-[0-9]")

# Documents that a token is needed; the owner checks it.
_token = Depends(HTTPBearer(auto_error=False))


def router(tickets: Owner, documents: Owner) -> APIRouter:
    """Every forwarded route."""
    routes = APIRouter(prefix="/v1", dependencies=[_token])

    @routes.get(
        "/tickets",
        tags=["tickets"],
        summary="Existing Request Tickets",
        response_model=TicketPage,
        responses=documented(*refusals.LIST_TICKETS),
    )
    async def list_tickets(
        request: Request,
        state: Annotated[State, Query()] = State.OPEN,
        sort: Annotated[Sort, Query()] = Sort.NEWEST_FIRST,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
        size: Annotated[int, Query(ge=1, le=100)] = 25,
        request_id: Annotated[UUID | None, Query()] = None,
    ) -> Response:
        return await tickets.forward(request)

    @routes.get(
        "/tickets/{number}",
        tags=["tickets"],
        summary="One ticket with its history and letters",
        response_model=TicketDetail,
        responses=documented(*refusals.SHOW_TICKET),
    )
    async def show_ticket(number: str, request: Request) -> Response:
        _note(number)
        return await tickets.forward(request)

    @routes.post(
        "/tickets/{number}/status",
        tags=["tickets"],
        summary="Move a ticket (staff)",
        response_model=TicketDetail,
        responses=documented(*refusals.MOVE_TICKET),
    )
    async def move_ticket(
        number: str,
        move: StatusMove,
        request: Request,
        if_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        _note(number)
        return await tickets.forward(request)

    @routes.get(
        "/letters/{letter_id}",
        tags=["letters"],
        summary="The letter's bytes, as an attachment",
        response_class=Response,
        responses={
            200: {
                "description": "The letter as it was sent.",
                "content": {kind: {} for kind in EXTENSIONS},
            },
            **documented(*refusals.SHOW_LETTER),
        },
    )
    async def show_letter(letter_id: str, request: Request) -> Response:
        return await documents.forward(request)

    return routes


def _note(number: str) -> None:
    """Put the ticket number on the log line, if it is one: what else was typed is nobody's business."""
    if _NUMBER.fullmatch(number):
        structlog.contextvars.bind_contextvars(ticket_number=number)
