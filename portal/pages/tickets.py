"""A producer's tickets: the closed ones, and each with its timeline, its letters and the reply to it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from portal.answers import filled_of, keeping, status_of
from portal.forms import UNTOUCHED, Filled, entry_of, facts_of
from portal.gateway import Away, Gateway, Json, Refused
from portal.grid import Asked, asked_for, read_grid
from portal.guards import check_csrf
from portal.parts import Parts
from portal.routes import Number, Text, see_other
from portal.sessions import Session
from portal.submitted import MOST_BYTES, Submitted, read_submitted
from portal.timeline import timeline_of

# Of tickets whose type the catalogue does not have any more, and with it how large a letter may be.
ANY_LETTER: Json = {"part": "por_documentation", "max_bytes": 0}


def router(parts: Parts) -> APIRouter:
    """The tickets of whoever is signed in."""
    routes = APIRouter(prefix="/tickets")
    producer = Depends(parts.producer)

    @routes.get("")
    async def list_closed(
        session: Annotated[Session, producer], asked: Annotated[Asked, Depends(asked_for("closed"))]
    ) -> Response:
        return parts.views.page("closed.html", session, grid=await read_grid(parts.gateway, session.token, asked))

    @routes.get("/{number}")
    async def show_ticket(
        number: Number,
        session: Annotated[Session, Depends(parts.anybody)],
        sent: Annotated[str, Query(pattern="^(letters|answer)?$")] = "",
    ) -> Response:
        if session.user.is_staff:
            return RedirectResponse(f"/desk/{number}")
        return await _page(session, number, sent=sent)

    @routes.get("/{number}/{act}")
    async def show_again(number: Number, act: str) -> Response:
        # Where a form came back, the address is that of what was tried.
        return RedirectResponse(f"/tickets/{number}#{act}")

    @routes.post("/{number}/letters", max_body_size=MOST_BYTES)
    async def send_letters(number: Number, request: Request, session: Annotated[Session, producer]) -> Response:
        types = await parts.gateway.request_types()
        documents = [ANY_LETTER, *(document for each in types for document in each["documents"])]
        async with read_submitted(request, session, parts.kept, documents, {}) as submitted:
            with keeping(submitted.fields.get("comment", "")):
                try:
                    await _send(parts.gateway, session, number, submitted)
                except (Refused, Away) as problem:
                    await submitted.keep(parts.kept, session, problem)
                    filled = filled_of(submitted.fields, problem)
                    return await _page(session, number, status_of(problem), submitted=submitted, filled=filled)
        parts.kept.drop(submitted.kept)
        sent = "letters" if submitted.has_letters else "answer"
        return see_other(f"/tickets/{number}?sent={sent}")

    @routes.post("/{number}/withdrawal")
    async def withdraw(
        number: Number, session: Annotated[Session, producer], csrf: Text = "", etag: Text = "", comment: Text = ""
    ) -> Response:
        check_csrf(session, csrf)
        typed = {"comment": comment}
        body = {"comment": comment.strip() or None}
        with keeping(comment):
            try:
                await parts.gateway.act(session.token, number, "withdrawal", etag, body)
            except (Refused, Away) as problem:
                return await _page(session, number, status_of(problem), withdrawal=filled_of(typed, problem))
        return see_other(f"/tickets/{number}")

    async def _page(
        session: Session,
        number: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        submitted: Submitted | None = None,
        filled: Filled = UNTOUCHED,
        withdrawal: Filled = UNTOUCHED,
        sent: str = "",
    ) -> Response:
        found = await parts.gateway.ticket(session.token, number)
        ticket = found.body
        entry = entry_of(await parts.gateway.request_types(), ticket["request_type"])
        return parts.views.page(
            "ticket.html",
            session,
            status,
            ticket=ticket,
            etag=found.etag,
            facts=facts_of(entry, ticket["form"]),
            steps=timeline_of(ticket, session.user, parts.identity.name_of),
            document=_document(entry, ticket),
            submitted=submitted or Submitted(),
            filled=filled,
            withdrawal=withdrawal,
            sent=sent,
        )

    return routes


async def _send(gateway: Gateway, session: Session, number: str, submitted: Submitted) -> None:
    """Letters with what is said of them, or, where there is none, the words alone."""
    comment = submitted.fields.get("comment", "").strip()
    with submitted.letters() as letters:
        if comment and not letters:
            ticket = await gateway.ticket(session.token, number)
            await gateway.act(session.token, number, "answers", ticket.etag, {"comment": comment})
        else:
            await gateway.post_letters(session.token, number, letters, comment, submitted.key)


def _document(entry: Json | None, ticket: Json) -> Json:
    """How a further letter is asked for: as the type asks for its own document, where it does."""
    own: Json = next(iter((entry or {}).get("documents", ())), ANY_LETTER)
    return own | {"label": "New letter", "help": "", "required": ticket["status"] != "action-needed"}
