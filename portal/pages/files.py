"""Files to download or to look at: letters, and the forms to fill in."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from portal.downloads import hand_on
from portal.guards import LETTER_HEADERS
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

    @routes.get("/forms/{form}")
    async def download_form(form: str, request: Request, session: Annotated[Session, somebody]) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return await hand_on(parts.gateway, session.token, _path("forms", form) + query, {})

    return routes


def _path(kind: str, name: str) -> str:
    return f"/v1/{kind}/{quote(name, safe='')}"
