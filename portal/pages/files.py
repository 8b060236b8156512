"""Files to download or to look at: letters, and the forms to fill in."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from portal.downloads import hand_on
from portal.guards import LETTER_HEADERS
from portal.identity import User
from portal.parts import Parts
from portal.sessions import Session

SHOWN = {"application/pdf", "image/png", "image/jpeg"}  # what browsers show, and cannot be a page


def router(parts: Parts) -> APIRouter:
    """What the desk keeps for whoever is signed in."""
    routes = APIRouter()
    somebody = Depends(parts.anybody)

    @routes.get("/letters/{letter_id}")
    async def download_letter(letter_id: str, session: Annotated[Session, somebody]) -> Response:
        return await hand_on(parts.gateway, session.token, _path("letters", letter_id), LETTER_HEADERS)

    @routes.get("/letters/{letter_id}/shown")
    async def show_letter(letter_id: str, session: Annotated[Session, somebody]) -> Response:
        letter = await hand_on(parts.gateway, session.token, _path("letters", letter_id), LETTER_HEADERS)
        if letter.headers["content-type"] in SHOWN:
            letter.headers["content-disposition"] = "inline"
        return letter

    @routes.get("/forms/group-por-transfer")
    async def download_form(session: Annotated[Session, somebody]) -> Response:
        path = f"{_path('forms', 'group-por-transfer')}?{urlencode(_known_of(session.user))}"
        return await hand_on(parts.gateway, session.token, path, {})

    return routes


def _known_of(user: User) -> dict[str, str]:
    """What the form need not ask a producer for."""
    if user.producer_id is None:
        return {}
    return {"new_producer": user.name, "new_producer_id": user.producer_id, "agency": user.company}


def _path(kind: str, name: str) -> str:
    return f"/v1/{kind}/{quote(name, safe='')}"
