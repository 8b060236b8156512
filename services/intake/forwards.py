"""The typed routes for reading that the gateway forwards to tickets and documents.

Parameters are checked by their owner; here they are declared, so that one OpenAPI describes all.
"""

import re
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.intake.owners import Owner
from services.intake.places import Places
from shared.contracts import refusals
from shared.contracts.grid import TicketQuery
from shared.contracts.ticket_acts import ReasonTexts, TicketCounts
from shared.contracts.ticket_views import TicketDetail, TicketPage
from shared.runtime.auth import Caller, Verifier, signed_in
from shared.runtime.event_streams import EventStream
from shared.runtime.json_bodies import StrictJsonRoute
from shared.runtime.openapi import EVENTS, LETTER, TICKET, documented

_NUMBER = re.compile(r"SR-[0-9]{8}-[0-9]")


def router(tickets: Owner, documents: Owner, verifier: Verifier, downloads: Places) -> APIRouter:
    """Every forwarded route that reads; nobody without a valid token gets as far as the owner, who checks the rest."""
    anybody = Depends(signed_in(verifier))
    routes = APIRouter(prefix="/v1", dependencies=[anybody], route_class=StrictJsonRoute)

    @routes.get(
        "/tickets",
        tags=["tickets"],
        summary="List tickets",
        response_model=TicketPage,
        responses=limited(*refusals.LIST_TICKETS),
    )
    async def list_tickets(request: Request, asked: Annotated[TicketQuery, Query()]) -> Response:
        return await tickets.forward(request)

    @routes.get(
        "/tickets/counts",
        tags=["tickets"],
        summary="Open tickets by status and assignee (staff)",
        response_model=TicketCounts,
        responses=limited(*refusals.STAFF_READS),
    )
    async def count_tickets(request: Request) -> Response:
        return await tickets.forward(request)

    @routes.get(
        "/tickets/reasons",
        tags=["tickets"],
        summary="List the reasons for a move, with their texts (staff)",
        response_model=ReasonTexts,
        responses=limited(*refusals.STAFF_READS),
    )
    async def list_reasons(request: Request) -> Response:
        return await tickets.forward(request)

    @routes.get(
        "/tickets/stream",
        tags=["tickets"],
        summary="Stream ticket events as they happen (server-sent events)",
        response_class=EventStream,
        status_code=HTTPStatus.OK,
        responses={**EVENTS, **limited(*refusals.LISTEN)},
    )
    async def stream_events(request: Request, last_event_id: Annotated[str | None, Header()] = None) -> Response:
        return await tickets.forward_stream(request)

    @routes.get(
        "/tickets/{number}",
        tags=["tickets"],
        summary="Show a ticket with its history and letters",
        response_model=TicketDetail,
        responses={**TICKET, **limited(*refusals.SHOW_TICKET)},
    )
    async def show_ticket(number: str, request: Request) -> Response:
        note_number(number)
        return await tickets.forward(request)

    @routes.get(
        "/letters/{letter_id}",
        tags=["letters"],
        summary="Download a letter",
        response_class=Response,
        responses={**LETTER, **limited(*refusals.SHOW_LETTER)},
    )
    async def show_letter(letter_id: str, request: Request, caller: Annotated[Caller, anybody]) -> Response:
        return await documents.forward(request, downloads.place(caller.subject))

    return routes


def limited(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """What the owner refuses, and what the gateway itself does."""
    return documented(*statuses, HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.TOO_MANY_REQUESTS)


def note_number(number: str) -> None:
    """Put the ticket number on the log line, if it is one: what else was typed is nobody's business."""
    if _NUMBER.fullmatch(number):
        structlog.contextvars.bind_contextvars(ticket_number=number)
