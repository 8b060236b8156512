"""Where the one-time link of the mail leads: a new password."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portal.guards import machine_of
from portal.identity import SHORTEST_PASSWORD
from portal.parts import Parts
from portal.routes import Line

TOO_SHORT = f"Use at least {SHORTEST_PASSWORD} characters."


def router(parts: Parts) -> APIRouter:
    """The page behind the link."""
    routes = APIRouter()
    views, identity = parts.views, parts.identity

    @routes.get("/new-password")
    async def ask_for_password(word: str = "") -> Response:
        if parts.links.user_of(word) is None:
            return views.page("link_over.html", status=HTTPStatus.GONE)
        return _form(word)

    @routes.post("/new-password")
    async def change_password(request: Request, word: Line = "", password: Line = "") -> Response:
        user = identity.find(parts.links.user_of(word) or "")
        if user is None:
            return views.page("link_over.html", status=HTTPStatus.GONE)
        if len(password) < SHORTEST_PASSWORD:
            return _form(word, TOO_SHORT, HTTPStatus.UNPROCESSABLE_ENTITY)
        parts.links.revoke(user.user_id)
        await identity.change_password(user, password)
        parts.sessions.end_all_of(user)
        parts.logins.forget(user.user_id, machine_of(request))
        return views.page("password_changed.html")

    def _form(word: str, problem: str = "", status: HTTPStatus = HTTPStatus.OK) -> Response:
        return views.page("new_password.html", status=status, word=word, problem=problem, shortest=SHORTEST_PASSWORD)

    return routes
