"""Staff's queue, by its filters."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from portal.forms import worded
from portal.gateway import Json, Refused
from portal.grid import Asked, Grid, read_grid
from portal.parts import Parts
from portal.queue import AGES, FLAGS, STATES, STATUSES, asked_by_staff, lines_of, shortcuts_of
from portal.sessions import Session

NOTHING: Json = {"items": [], "first": 0, "last": 0, "total": 0}


def router(parts: Parts) -> APIRouter:
    """The list of all tickets."""
    routes = APIRouter()

    @routes.get("/desk")
    async def show_queue(
        session: Annotated[Session, Depends(parts.staff)], asked: Annotated[Asked, Depends(asked_by_staff)]
    ) -> Response:
        counts = await parts.gateway.counts(session.token)
        grid, problem, status = Grid(asked, NOTHING), "", HTTPStatus.OK
        try:
            grid = await read_grid(parts.gateway, session.token, asked)
        except Refused as refused:
            problem, status = _words(refused), HTTPStatus(refused.status)
        types = await parts.gateway.request_types()
        return parts.views.page(
            "queue.html",
            session,
            status,
            grid=grid,
            filters=asked.filters,
            problem=problem,
            shortcuts=shortcuts_of(counts, asked, session.user.user_id),
            choices={
                "state": STATES,
                "status": {status: worded(status) for status in STATUSES},
                "request_type": {entry["request_type"]: entry["title"] for entry in types},
                "line_of_business": lines_of(types),
                "assignee": {"me": "Me", "nobody": "Nobody"}
                | {user.user_id: user.name for user in parts.identity.staff() if user != session.user},
                "older_than": AGES,
            },
            flags=FLAGS,
        )

    return routes


def _words(refused: Refused) -> str:
    """What the desk says of the filters."""
    return " ".join(dict.fromkeys([refused.detail, *(str(error["detail"]) for error in refused.errors)]))
