"""The typed routes that the gateway forwards to tickets and documents.

Parameters are checked by their owner; here they are declared, so that one OpenAPI describes all.
"""

import re
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.intake.owners import Owner
from shared.contracts import refusals
from shared.contracts.grid import Sort, State
from shared.contracts.ticket_views import StatusMove, TicketDetail, TicketPage
from shared.runtime.auth import Verifier, signed_in
from shared.runtime.json_bodies import StrictJsonRoute
from shared.runtime.openapi import LETTER, TICKET, documented

_NUMBER = re.compile(r"SR-[0-9]{8}-[0-9]")


def router(tickets: Owner, documents: Owner, verifier: Verifier) -> APIRouter:
    """Every forwarded route; nobody without a valid token gets as far as the owner, who checks the rest."""
    routes = APIRouter(prefix="/v1", dependencies=[Depends(signed_in(verifier))], route_class=StrictJsonRoute)

    @routes.get(
        "/tickets",
        tags=["tickets"],
        summary="Existing Request Tickets",
        response_model=TicketPage,
        responses=_documented(*refusals.LIST_TICKETS),
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
        responses={**TICKET, **_documented(*refusals.SHOW_TICKET)},
    )
    async def show_ticket(number: str, request: Request) -> Response:
        _note(number)
        return await tickets.forward(request)

    @routes.post(
        "/tickets/{number}/status",
        tags=["tickets"],
        summary="Move a ticket (staff)",
        response_model=TicketDetail,
        responses={**TICKET, **_documented(*refusals.MOVE_TICKET)},
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
        responses={**LETTER, **_documented(*refusals.SHOW_LETTER)},
    )
    async def show_letter(letter_id: str, request: Request) -> Response:
        return await documents.forward(request)

    return routes


def _documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """What the owner refuses, and what the gateway itself does."""
    return documented(*statuses, HTTPStatus.TOO_MANY_REQUESTS)


def _note(number: str) -> None:
    """Put the ticket number on the log line, if it is one: what else was typed is nobody's business."""
    if _NUMBER.fullmatch(number):
        structlog.contextvars.bind_contextvars(ticket_number=number)
