"""Staff's pages: the queue, and each ticket with its letter beside the request."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from portal.answers import filled_of, status_of
from portal.comparisons import comparisons_of
from portal.forms import Filled, entry_of, facts_of
from portal.gateway import Away, Refused
from portal.grid import Asked, Grid, asked_for
from portal.guards import check_csrf
from portal.parts import Parts
from portal.sessions import Session

LONGEST_COMMENT = 2000

Typed = Annotated[str, Form(max_length=LONGEST_COMMENT)]


def router(parts: Parts) -> APIRouter:
    """The work on tickets."""
    routes = APIRouter(prefix="/desk")
    staff = Depends(parts.staff)

    @routes.get("")
    async def show_queue(
        session: Annotated[Session, staff], asked: Annotated[Asked, Depends(asked_for("open"))]
    ) -> Response:
        found = await parts.gateway.tickets(session.token, asked.query)
        return parts.views.page("desk.html", session, grid=Grid(asked, found))

    @routes.get("/{number}")
    async def show_ticket(number: str, session: Annotated[Session, staff]) -> Response:
        return await _page(session, number, Filled())

    @routes.post("/{number}/moves")
    async def move_ticket(
        number: str,
        session: Annotated[Session, staff],
        csrf: Typed = "",
        etag: Typed = "",
        status: Typed = "",
        reason: Typed = "",
        comment: Typed = "",
    ) -> Response:
        check_csrf(session, csrf)
        typed = {"status": status, "reason": reason, "comment": comment}
        move = {name: value for name, value in typed.items() if value}
        try:
            await parts.gateway.move(session.token, number, etag, move)
        except (Refused, Away) as problem:
            return await _page(session, number, filled_of(typed, problem), status_of(problem))
        return RedirectResponse(f"/desk/{number}", HTTPStatus.SEE_OTHER)

    async def _page(session: Session, number: str, filled: Filled, status: HTTPStatus = HTTPStatus.OK) -> Response:
        ticket = await parts.gateway.ticket(session.token, number)
        entry = entry_of(await parts.gateway.request_types(), ticket.body["request_type"])
        return parts.views.page(
            "desk_ticket.html",
            session,
            status,
            ticket=ticket.body,
            etag=ticket.etag,
            facts=facts_of(entry, ticket.body["form"]),
            comparisons=comparisons_of(entry, ticket.body),
            filled=filled,
            reasons=await parts.gateway.reasons(),
        )

    return routes
