"""Every error as a page that says what to do next."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.datastructures import URL
from starlette.exceptions import HTTPException

from portal.answers import Unsent, status_of
from portal.gateway import Away, Refused
from portal.guards import Forged
from portal.parts import Parts, SignInFirst, WrongDoor
from portal.routes import see_other

# What a person reads: what happened, and what to do.
WORDS: dict[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: ("We could not read that", "Go back and check what you typed."),
    HTTPStatus.FORBIDDEN: ("You do not have access to this page", "Go back to Home."),
    HTTPStatus.NOT_FOUND: ("There is no such page", "Check the address, or start at Home."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("That is too large", "Choose smaller files, and submit them again."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Temporarily unavailable", "Nothing is lost. Try again in a moment."),
}
OTHER = ("That did not work", "Go back and try again.")
FORGED = ("This form has expired", "Go back, reload the page, and submit the form again.")


def install_problems(app: FastAPI, parts: Parts) -> None:
    """Let ``app`` answer every error with a page, and whoever must sign in first with the way there."""

    def error_page(
        request: Request, status: HTTPStatus, words: tuple[str, str] | None = None, typed: Sequence[str] = ()
    ) -> Response:
        title, advice = words or WORDS.get(status, OTHER)
        session = parts.sessions.find(request.cookies, is_seen=False)
        return parts.views.page("error.html", session, status, title=title, advice=advice, typed=typed)

    def desk_page(request: Request, problem: Refused | Away, typed: Sequence[str] = ()) -> Response:
        status = status_of(problem)
        title, advice = WORDS.get(status, OTHER)
        said = problem.detail if isinstance(problem, Refused) else ""
        return error_page(request, status, (title, said or advice), typed)

    async def on_sign_in_first(request: Request, _: Exception) -> Response:
        # A form leads back to the page that it was on: its own address may have none.
        asked = request.url if request.method == "GET" else URL(request.headers.get("referer", "/"))
        onward = str(asked.replace(scheme="", netloc=""))
        return see_other(str(URL("/login").include_query_params(next=onward)))

    async def on_wrong_door(_: Request, __: Exception) -> Response:
        return see_other("/")

    async def on_forged(request: Request, _: Exception) -> Response:
        return error_page(request, HTTPStatus.FORBIDDEN, FORGED)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        is_address = any(each["loc"][0] == "path" for each in error.errors())
        return error_page(request, HTTPStatus.NOT_FOUND if is_address else HTTPStatus.BAD_REQUEST)

    async def on_desk(request: Request, error: Exception) -> Response:
        assert isinstance(error, (Refused, Away))
        return desk_page(request, error)

    async def on_unsent(request: Request, error: Exception) -> Response:
        assert isinstance(error, Unsent)
        return desk_page(request, error.problem, [each for each in error.words if each.strip()])

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return error_page(request, HTTPStatus(error.status_code))

    app.add_exception_handler(SignInFirst, on_sign_in_first)
    app.add_exception_handler(WrongDoor, on_wrong_door)
    app.add_exception_handler(Forged, on_forged)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Away, on_desk)
    app.add_exception_handler(Refused, on_desk)
    app.add_exception_handler(Unsent, on_unsent)
    app.add_exception_handler(HTTPException, on_http)
