"""What changes while a page is open: the desk's stream of events, handed on to the page's script."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.responses import Response

from portal.downloads import hand_on
from portal.parts import Parts
from portal.sessions import Session

UNBUFFERED = {"X-Accel-Buffering": "no"}  # a proxy that collects answers would keep the events to itself


def router(parts: Parts) -> APIRouter:
    """The stream; where the desk has none, the script asks again by itself."""
    routes = APIRouter()

    @routes.get("/live")
    async def listen(
        session: Annotated[Session, Depends(parts.listener)], last_event_id: Annotated[str | None, Header()] = None
    ) -> Response:
        heard = {"Last-Event-ID": last_event_id} if last_event_id else {}
        return await hand_on(parts.gateway, session.token, "/v1/tickets/stream", UNBUFFERED, heard)

    return routes
