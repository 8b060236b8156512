"""A producer's tickets: the closed ones, and each with its timeline, its letters and the reply to it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from portal.answers import filled_of, status_of
from portal.forms import Filled, entry_of, facts_of
from portal.gateway import Away, Refused
from portal.grid import Asked, Grid, asked_for
from portal.parts import Parts
from portal.sessions import Session
from portal.submitted import MOST_BYTES, Submitted, read_submitted

LETTER_PART = "por_documentation"  # of tickets whose type the catalogue does not have any more


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
        return await _page(session, number, Submitted(), Filled())

    @routes.post("/{number}/letters", max_body_size=MOST_BYTES)
    async def send_letters(number: str, request: Request, session: Annotated[Session, producer]) -> Response:
        files = [document["part"] for each in await parts.gateway.request_types() for document in each["documents"]]
        async with read_submitted(request, session, parts.kept, files) as submitted:
            try:
                await parts.gateway.post_letters(session.token, number, submitted.letters, submitted.key)
            except (Refused, Away) as problem:
                submitted.keep(parts.kept, session, problem)
                return await _page(session, number, submitted, filled_of(submitted.fields, problem), status_of(problem))
        parts.kept.drop(submitted.kept)
        return RedirectResponse(f"/tickets/{number}?sent=letters", HTTPStatus.SEE_OTHER)

    async def _page(
        session: Session, number: str, submitted: Submitted, filled: Filled, status: HTTPStatus = HTTPStatus.OK
    ) -> Response:
        ticket = (await parts.gateway.ticket(session.token, number)).body
        entry = entry_of(await parts.gateway.request_types(), ticket["request_type"])
        return parts.views.page(
            "ticket.html",
            session,
            status,
            ticket=ticket,
            facts=facts_of(entry, ticket["form"]),
            part=(entry or {}).get("letter_part") or LETTER_PART,
            submitted=submitted,
            filled=filled,
        )

    return routes
