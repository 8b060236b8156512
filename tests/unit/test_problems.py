"""Errors on the wire: each is a problem document, whatever went wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.problems import FieldProblem, ProblemDetails
from shared.runtime.problems import Problem, install_problems, invalid_fields, pointer_to, unavailable


class Order(BaseModel):
    """Something that is posted."""

    model_config = ConfigDict(extra="forbid")

    count: int
    lines: list[int]
    name: str = Field(default="", max_length=3)
    title: str = Field(default="x", min_length=1)


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app in which everything goes wrong."""
    app = FastAPI()
    install_problems(app)

    @app.post("/orders")
    async def order(order: Order, page: int = 1) -> None:
        raise unavailable("The store is away.", request_id="r-1")

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("secret")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http


async def answer(method: str, path: str, **more: Any) -> tuple[httpx.Response, ProblemDetails]:
    """An answer, which must be a problem document."""
    async with client() as http:
        response = await http.request(method, path, **more)
    assert response.headers["content-type"] == "application/problem+json"
    problem = ProblemDetails.model_validate_json(response.content)
    assert problem.status == response.status_code
    assert problem.instance == path.partition("?")[0]
    return response, problem


async def test_every_bad_field_is_named_with_a_pointer() -> None:
    """All that is wrong with a body and a query is said at once, without repeating what was sent."""
    response, problem = await answer("POST", "/orders?page=secret", json={"count": "secret", "lines": [1, "secret"]})
    assert response.status_code == 422
    assert {error.pointer for error in problem.errors or []} == {"#/page", "#/count", "#/lines/1"}
    assert "secret" not in response.text


async def test_what_is_missing_or_too_long_is_said_for_people() -> None:
    """The commonest findings are sentences that a portal may show as they are."""
    _, problem = await answer("POST", "/orders", json={"lines": [], "name": "x" * 4, "title": "", "colour": "blue"})
    said = {error.pointer: (error.code, error.detail) for error in problem.errors or []}
    assert said == {
        "#/count": ("missing", "Fill this in."),
        "#/name": ("string-too-long", "At most 3 characters."),
        "#/title": ("string-too-short", "Fill this in."),
        "#/colour": ("extra-forbidden", "There is no such field."),
    }


async def test_a_part_that_is_away_says_when_to_come_back() -> None:
    """503 carries Retry-After and names the request where there is one."""
    response, problem = await answer("POST", "/orders", json={"count": 1, "lines": []})
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert problem.model_dump()["request_id"] == "r-1"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not-found"), ("GET", "/orders", 405, "method-not-allowed")],
)
async def test_the_frameworks_own_errors_are_problems_too(method: str, path: str, status: int, code: str) -> None:
    """An unknown path and a wrong method are answered in the same form."""
    response, problem = await answer(method, path)
    assert response.status_code == status
    assert problem.type == f"urn:por-desk:problem:{code}"


async def test_a_body_that_is_no_json_is_a_problem() -> None:
    """A body that cannot be read, or is no object, is 400, says what to send and is not repeated."""
    for body, kind in ((b"{secret", "application/json"), (b"", "application/json"), (b"count=secret", "text/plain")):
        response, problem = await answer("POST", "/orders", content=body, headers={"content-type": kind})
        assert (response.status_code, problem.type) == (400, "urn:por-desk:problem:ill-formed-body")
        assert "JSON object" in problem.detail
        assert problem.errors is None
        assert "secret" not in response.text


def test_a_pointer_names_one_field_whatever_the_field_is_called() -> None:
    """What a JSON pointer would read as its own signs is escaped as RFC 6901 says."""
    assert pointer_to("a/b~c", 0) == "#/a~1b~0c/0"


async def test_an_unexpected_error_tells_nothing() -> None:
    """What nobody foresaw is 500 in the same form, without its text."""
    response, problem = await answer("GET", "/crash")
    assert response.status_code == 500
    assert problem.type == "urn:por-desk:problem:internal-error"
    assert "secret" not in response.text


def test_a_problem_reads_as_its_code() -> None:
    """Type and title come from one stable code; further members stand beside them."""
    problem = Problem(HTTPStatus.CONFLICT, "illegal-move", "No.", allowed_moves=["on-hold"])
    assert problem.body.model_dump(exclude_none=True) == {
        "type": "urn:por-desk:problem:illegal-move",
        "title": "Illegal move",
        "status": 409,
        "detail": "No.",
        "allowed_moves": ["on-hold"],
    }


def test_the_detail_names_each_wrong_field_once() -> None:
    """A person reads the names of the fields to correct."""
    found = [FieldProblem(pointer=f"#/{name}", code="x", detail="x") for name in ("b", "a", "b")]
    assert "again: a, b." in invalid_fields(found).body.detail
