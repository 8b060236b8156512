"""Every error as a page that says what to do next."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import URL
from starlette.exceptions import HTTPException

from portal.answers import NoSuchPage
from portal.gateway import Away, Refused
from portal.guards import Forged
from portal.parts import Parts, SignInFirst, WrongDoor

# What a person reads: what happened, and what to do.
WORDS: dict[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: ("We could not read that", "Go back and check what you typed."),
    HTTPStatus.FORBIDDEN: ("You do not have access to this page", "Go back to Home."),
    HTTPStatus.NOT_FOUND: ("There is no such page", "Check the address, or start at Home."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("That is too large", "Go back and choose smaller files."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Temporarily unavailable", "Nothing is lost. Try again in a moment."),
}
OTHER = ("That did not work", "Go back and try again.")
FORGED = ("This form has expired", "Go back, reload the page, and submit the form again.")


def install_problems(app: FastAPI, parts: Parts) -> None:
    """Let ``app`` answer every error with a page, and whoever must sign in first with the way there."""

    def error_page(request: Request, status: HTTPStatus, words: tuple[str, str] | None = None) -> Response:
        title, advice = words or WORDS.get(status, OTHER)
        session = parts.sessions.find(request.cookies, is_seen=False)
        return parts.views.page("error.html", session, status, title=title, advice=advice)

    async def on_sign_in_first(request: Request, _: Exception) -> Response:
        asked = str(request.url.replace(scheme="", netloc="")) if request.method == "GET" else "/"
        return RedirectResponse(str(URL("/login").include_query_params(next=asked)), HTTPStatus.SEE_OTHER)

    async def on_wrong_door(_: Request, __: Exception) -> Response:
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)

    async def on_forged(request: Request, _: Exception) -> Response:
        return error_page(request, HTTPStatus.FORBIDDEN, FORGED)

    async def on_no_such_page(request: Request, _: Exception) -> Response:
        return error_page(request, HTTPStatus.NOT_FOUND)

    async def on_invalid(request: Request, _: Exception) -> Response:
        return error_page(request, HTTPStatus.BAD_REQUEST)

    async def on_away(request: Request, _: Exception) -> Response:
        return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE)

    async def on_refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        status = HTTPStatus(error.status)
        title, advice = WORDS.get(status, OTHER)
        return error_page(request, status, (title, error.detail or advice))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return error_page(request, HTTPStatus(error.status_code))

    app.add_exception_handler(SignInFirst, on_sign_in_first)
    app.add_exception_handler(WrongDoor, on_wrong_door)
    app.add_exception_handler(Forged, on_forged)
    app.add_exception_handler(NoSuchPage, on_no_such_page)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Away, on_away)
    app.add_exception_handler(Refused, on_refused)
    app.add_exception_handler(HTTPException, on_http)
