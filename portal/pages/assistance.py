"""Request Assistance: the list of requests, and each one's form with the tickets below it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response

from portal.answers import filled_of, status_of
from portal.forms import Filled, around_documents, entry_of, fields_of
from portal.gateway import Away, Gateway, Json, Refused
from portal.grid import NEWEST, Asked, Grid, asked_for, read_grid
from portal.parts import Parts
from portal.routes import see_other
from portal.sessions import Session
from portal.submitted import MOST_BYTES, Submitted, read_submitted

# Where else in this portal a producer is helped with a type of request.
LINKS = {
    "group-por-change": ("/forms/group-por-transfer", "Download the Group POR Transfer Form"),
    "portal-password": ("/forgot-password", "Forgot Password"),
}


def router(parts: Parts) -> APIRouter:
    """The producer's requests."""
    routes = APIRouter(prefix="/assistance")
    producer = Depends(parts.producer)
    gateway = parts.gateway

    @routes.get("")
    async def list_request_types(
        session: Annotated[Session, producer], asked: Annotated[Asked, Depends(asked_for("open"))]
    ) -> Response:
        types = await gateway.request_types()
        return parts.views.page("assistance.html", session, types=types, grid=await _grid(gateway, session, asked))

    @routes.get("/{request_type}")
    async def show_form(
        request_type: str,
        session: Annotated[Session, producer],
        asked: Annotated[Asked, Depends(asked_for("open"))],
        sent: Annotated[str, Query(pattern=r"^(SR-[0-9]{8}-[0-9]|accepted)?$")] = "",
    ) -> Response:
        entry = _entry(await gateway.request_types(), request_type)
        return await _form_page(session, entry, Submitted(), Filled(), asked=asked, sent=sent)

    @routes.post("/{request_type}", max_body_size=MOST_BYTES)
    async def send_form(request_type: str, request: Request, session: Annotated[Session, producer]) -> Response:
        entry = _entry(await gateway.request_types(), request_type)
        documents, schemas = entry["documents"], entry["fields"]["properties"]
        async with read_submitted(request, session, parts.kept, documents, schemas) as submitted:
            fields = {"request_type": request_type, **submitted.fields}
            try:
                with submitted.letters() as letters:
                    state = await gateway.post_request(session.token, fields, letters, submitted.key)
            except (Refused, Away) as problem:
                await submitted.keep(parts.kept, session, problem)
                filled = filled_of(submitted.fields, problem)
                return await _form_page(session, entry, submitted, filled, status=status_of(problem))
        parts.kept.drop(submitted.kept)
        sent = state.get("ticket_number") or "accepted"
        return see_other(f"/assistance/{request_type}?sent={sent}")

    async def _form_page(
        session: Session,
        entry: Json,
        submitted: Submitted,
        filled: Filled,
        *,
        asked: Asked = NEWEST,
        sent: str = "",
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        grid = await _grid(gateway, session, asked)
        above, below = around_documents(fields_of(entry, filled))
        words = {
            "entry": entry,
            "link": LINKS.get(entry["request_type"]),
            "above": above,
            "below": below,
            "filled": filled,
            "submitted": submitted,
            "sent": sent,
            "grid": grid,
        }
        return parts.views.page("request.html", session, status, **words)

    return routes


def _entry(types: list[Json], request_type: str) -> Json:
    entry = entry_of(types, request_type)
    if entry is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return entry


async def _grid(gateway: Gateway, session: Session, asked: Asked) -> Grid | None:
    """The list below the form; None: it cannot be had now, and the form must not suffer for that."""
    try:
        return await read_grid(gateway, session.token, asked)
    except (Away, Refused):
        return None
