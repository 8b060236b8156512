"""The first page after the login: who one is, and what one can do here."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from portal.parts import Parts
from portal.sessions import Session


def router(parts: Parts) -> APIRouter:
    """Home, and the forms to download."""
    routes = APIRouter()

    @routes.get("/")
    async def show_home(session: Annotated[Session, Depends(parts.anybody)]) -> Response:
        if session.user.is_staff:
            return RedirectResponse("/desk")
        return parts.views.page("home.html", session, statements_url=parts.settings.statements_url)

    return routes
