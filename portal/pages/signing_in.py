"""Log in and out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from portal.guards import check_csrf, machine_of
from portal.parts import Parts
from portal.routes import Line, see_other
from portal.sessions import Session

NOT_RIGHT = "The User ID or password is incorrect. Check both and try again."


def router(parts: Parts) -> APIRouter:
    """The page before all others."""
    routes = APIRouter()

    @routes.get("/login")
    async def show_login(request: Request, onward: Annotated[str, Query(alias="next")] = "/") -> Response:
        if parts.sessions.find(request.cookies):
            return see_other(_own_path(onward))
        return _page(onward)

    @routes.post("/login")
    async def log_in(
        request: Request, user_id: Line = "", password: Line = "", onward: Annotated[str, Form(alias="next")] = "/"
    ) -> Response:
        who = user_id, machine_of(request)
        if wait := parts.logins.wait(*who):
            return _page(onward, user_id, _wait_words(wait), HTTPStatus.TOO_MANY_REQUESTS)
        parts.logins.note(*who)  # before the slow part, so that many at once do not slip through
        user = await parts.identity.sign_in(user_id, password)
        if user is None:
            return _page(onward, user_id, NOT_RIGHT, HTTPStatus.UNPROCESSABLE_ENTITY)
        parts.logins.forget(*who)
        response = see_other(_own_path(onward))
        parts.sessions.begin(user, response)
        return response

    @routes.post("/logout")
    async def log_out(session: Annotated[Session, Depends(parts.anybody)], csrf: Line = "") -> Response:
        check_csrf(session, csrf)
        response = see_other("/login")
        parts.kept.drop_all_of(session.id)
        parts.sessions.end(session, response)
        return response

    def _page(onward: str, user_id: str = "", problem: str = "", status: HTTPStatus = HTTPStatus.OK) -> Response:
        return parts.views.page("login.html", status=status, onward=_own_path(onward), user_id=user_id, problem=problem)

    return routes


def _wait_words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"Too many attempts. Wait {minutes} minute{'s' * (minutes > 1)} and try again."


def _own_path(onward: str) -> str:
    """A path of this portal; what would lead elsewhere leads home."""
    is_own = onward.startswith("/") and not onward.startswith(("//", "/\\"))
    return onward if is_own and onward.isprintable() else "/"
