"""Request Assistance: the list of requests, and each one's form with the tickets below it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from portal.answers import NoSuchPage, filled_of, status_of
from portal.forms import Filled, entry_of, fields_of, tables_of
from portal.gateway import Away, Gateway, Json, Refused
from portal.grid import NEWEST, Asked, Grid, asked_for
from portal.parts import Parts
from portal.sessions import Session
from portal.submitted import MOST_BYTES, Submitted, read_submitted

# The papers that a type of request is asked with, as the desk gives them.
FORMS = {"group-por-change": ("group-por-transfer", "Download the Group POR Transfer Form")}


def router(parts: Parts) -> APIRouter:
    """The producer's requests."""
    routes = APIRouter(prefix="/assistance")
    producer = Depends(parts.producer)
    gateway = parts.gateway

    @routes.get("")
    async def list_request_types(session: Annotated[Session, producer]) -> Response:
        return parts.views.page("assistance.html", session, types=await gateway.request_types())

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
        files = [each["part"] for each in entry["documents"]]
        async with read_submitted(request, session, parts.kept, files, tables_of(entry)) as submitted:
            fields = {"request_type": request_type, **submitted.fields}
            try:
                state = await gateway.post_request(session.token, fields, submitted.letters, submitted.key)
            except (Refused, Away) as problem:
                submitted.keep(parts.kept, session, problem)
                filled = filled_of(submitted.fields, problem)
                return await _form_page(session, entry, submitted, filled, status=status_of(problem))
        parts.kept.drop(submitted.kept)
        sent = state.get("ticket_number") or "accepted"
        return RedirectResponse(f"/assistance/{request_type}?sent={sent}", HTTPStatus.SEE_OTHER)

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
        fields = fields_of(entry, filled)
        words = {
            "entry": entry,
            "form": FORMS.get(entry["request_type"]),
            "fields": fields,
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
        raise NoSuchPage
    return entry


async def _grid(gateway: Gateway, session: Session, asked: Asked) -> Grid | None:
    """The list below the form; None: it cannot be had now, and the form must not suffer for that."""
    try:
        return Grid(asked, await gateway.tickets(session.token, asked.query))
    except Away:
        return None
