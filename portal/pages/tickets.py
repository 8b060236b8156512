"""A producer's tickets: the closed ones, and each with its timeline, its letters and the reply to it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from portal.answers import filled_of, status_of
from portal.forms import Filled
from portal.gateway import Away, Refused, Ticket
from portal.grid import Asked, Grid, asked_for
from portal.parts import Parts
from portal.sessions import Session
from portal.submitted import MOST_BYTES, Submitted, read_submitted

LETTER_PART = "por_documentation"


def router(parts: Parts) -> APIRouter:
    """The tickets of whoever is signed in."""
    routes = APIRouter(prefix="/tickets")
    producer = Depends(parts.producer)

    @routes.get("")
    async def list_closed(
        session: Annotated[Session, producer], asked: Annotated[Asked, Depends(asked_for("closed"))]
    ) -> Response:
        found = await parts.gateway.tickets(session.token, asked.query)
        return parts.views.page("closed.html", session, grid=Grid(asked, found))

    @routes.get("/{number}")
    async def show_ticket(number: str, session: Annotated[Session, Depends(parts.anybody)]) -> Response:
        if session.user.is_staff:
            return RedirectResponse(f"/desk/{number}")
        ticket = await parts.gateway.ticket(session.token, number)
        return _page(session, ticket, Submitted(), Filled())

    @routes.post("/{number}/letters", max_body_size=MOST_BYTES)
    async def send_letters(number: str, request: Request, session: Annotated[Session, producer]) -> Response:
        async with read_submitted(request, session, parts.kept, [LETTER_PART]) as submitted:
            try:
                await parts.gateway.post_letters(session.token, number, submitted.letters, submitted.key)
            except (Refused, Away) as problem:
                return await _again(session, number, submitted, problem)
        parts.kept.drop(submitted.kept)
        return RedirectResponse(f"/tickets/{number}?sent=letters", HTTPStatus.SEE_OTHER)

    async def _again(session: Session, number: str, submitted: Submitted, problem: Refused | Away) -> Response:
        ticket = await parts.gateway.ticket(session.token, number)
        submitted.keep(parts.kept, session, problem)
        return _page(session, ticket, submitted, filled_of({}, problem), status_of(problem))

    def _page(
        session: Session, ticket: Ticket, submitted: Submitted, filled: Filled, status: HTTPStatus = HTTPStatus.OK
    ) -> Response:
        return parts.views.page(
            "ticket.html", session, status, ticket=ticket.body, submitted=submitted, filled=filled, part=LETTER_PART
        )

    return routes
