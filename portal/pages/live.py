"""What changes while a page is open: the desk's stream of events, handed on to the page's script."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from portal.downloads import hand_on
from portal.parts import Parts
from portal.sessions import Session


def router(parts: Parts) -> APIRouter:
    """The stream; where the desk has none, the script asks again by itself."""
    routes = APIRouter()

    @routes.get("/live")
    async def listen(session: Annotated[Session, Depends(parts.anybody)]) -> Response:
        return await hand_on(parts.gateway, session.token, "/v1/tickets/stream", {})

    return routes
