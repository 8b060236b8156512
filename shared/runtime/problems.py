"""Every error an HTTP caller sees, as RFC 9457 problem details."""

import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.contracts.problems import FieldProblem, ProblemDetails
from shared.runtime.logs import log

MEDIA_TYPE = "application/problem+json"
BACK_SOON = 5  # seconds
RETRY_AFTER = {"Retry-After": str(BACK_SOON)}

# What a person reads of the commonest findings, which pydantic words for programmers.
_SAID = {
    "missing": "Fill this in.",
    "string_too_short": "Fill this in.",  # of all that have a least length it is one
    "string_too_long": "At most {max_length} characters.",
    "extra_forbidden": "There is no such field.",
}


class Problem(Exception):
    """An error with an answer: raised anywhere below a route, it becomes that answer.

    ``code`` is the stable last part of the problem's type; ``more`` are extension members.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        errors: list[FieldProblem] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.headers = dict(headers or {})
        self.body = ProblemDetails(
            type=f"urn:por-desk:problem:{code}",
            title=code.replace("-", " ").capitalize(),
            status=status.value,
            detail=detail,
            errors=errors,
            **more,
        )


def unavailable(detail: str, **more: Any) -> Problem:
    """A part that is needed is away: 503, and when to come back."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        detail,
        headers=RETRY_AFTER,
        **more,
    )


def too_many(detail: str, wait: float = BACK_SOON) -> Problem:
    """The caller has used up what is his: 429, and in how many seconds to come back."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-requests",
        detail,
        headers={"Retry-After": str(math.ceil(wait))},
    )


def too_large(detail: str = "The request body is too large.") -> Problem:
    """More was sent than is read: 413."""
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)


def field_problems(errors: Iterable[ErrorDetails]) -> list[FieldProblem]:
    """Pydantic's findings as field errors with JSON pointers; the input is never repeated."""
    return [
        FieldProblem(
            pointer=pointer_to(*error["loc"]),
            code=error["type"].replace("_", "-"),
            detail=_SAID[error["type"]].format(**error.get("ctx", {})) if error["type"] in _SAID else error["msg"],
        )
        for error in errors
    ]


def pointer_to(*parts: str | int) -> str:
    """The JSON pointer (RFC 6901) to a field, as a URI fragment; what an attacker named it stays one name."""
    return "#/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def invalid_fields(errors: list[FieldProblem]) -> Problem:
    """All that is wrong with a form, at once."""
    names = ", ".join(sorted({error.pointer.removeprefix("#/") for error in errors}))
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-fields",
        f"Correct these fields and send the request again: {names}.",
        errors=errors,
    )


def problem_response(problem: Problem, request: Request) -> JSONResponse:
    """The answer that says ``problem``."""
    body = problem.body.model_copy(update={"instance": request.url.path})
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True),
        problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def install_problems(app: FastAPI, away: tuple[type[Exception], ...] = ()) -> None:
    """Let ``app`` answer every error as problem details, and those of kind ``away`` as 503."""

    async def on_problem(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return problem_response(error, request)

    async def on_invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        if any(each["type"] == "json_invalid" or each["loc"] == ("body",) for each in error.errors()):
            return problem_response(
                Problem(
                    HTTPStatus.BAD_REQUEST,
                    "ill-formed-body",
                    "The body must be a single JSON object, sent with Content-Type: application/json.",
                ),
                request,
            )
        found = [{**each, "loc": each["loc"][1:]} for each in error.errors()]
        return problem_response(invalid_fields(field_problems(found)), request)  # type: ignore[arg-type]  # FastAPI's errors are pydantic's, untyped

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return problem_response(too_large(), request)
        code = status.phrase.lower().replace(" ", "-")
        problem = Problem(status, code, status.description or code, headers=error.headers)
        return problem_response(problem, request)

    async def on_cut_off(request: Request, _: Exception) -> JSONResponse:
        # Nobody hears it; the log and the metrics do, for which this is no failure of ours.
        return problem_response(
            Problem(HTTPStatus.BAD_REQUEST, "ill-formed-body", "The request body is incomplete."), request
        )

    async def on_crash(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected error", exc_info=error, route=getattr(request.scope.get("route"), "path", "unmatched"))
        return problem_response(
            Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal-error",
                "An unexpected error occurred. Try again, with the same Idempotency-Key if you sent one.",
            ),
            request,
        )

    async def on_away(request: Request, error: Exception) -> JSONResponse:
        log.warning("dependency away", reason=type(error).__name__)
        return problem_response(
            unavailable("A required service is temporarily unavailable; try again shortly."), request
        )

    for kind in away:
        app.add_exception_handler(kind, on_away)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(ClientDisconnect, on_cut_off)
    app.add_exception_handler(Exception, on_crash)
