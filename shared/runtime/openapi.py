"""What the OpenAPI says of errors: each is a problem document, with an example and its headers, and nothing else."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from shared.contracts.media import EXTENSIONS
from shared.contracts.problems import ProblemDetails
from shared.runtime.problems import MEDIA_TYPE, RETRY_AFTER

_TEXT = {"type": "string"}

# Of each status: what it means, and one of its problems as an example (code, detail, more).
_MEANINGS: dict[HTTPStatus, tuple[str, str, str, dict[str, Any]]] = {
    HTTPStatus.BAD_REQUEST: (
        "The request cannot be read: its body, a header or the number in its path.",
        "mistyped-ticket-number",
        "No ticket can have this number; check it for a mistyped digit.",
        {},
    ),
    HTTPStatus.UNAUTHORIZED: (
        "There is no access token, or not one that is valid here.",
        "invalid-token",
        "The access token is not valid here.",
        {},
    ),
    HTTPStatus.FORBIDDEN: (
        "The token is valid and does not allow this.",
        "not-allowed",
        "This needs the scope tickets:work, and a producer_id unless staff.",
        {},
    ),
    HTTPStatus.NOT_FOUND: (
        "There is none, or it is somebody else's.",
        "unknown-ticket",
        "There is no such ticket.",
        {},
    ),
    HTTPStatus.CONFLICT: (
        "The state of the ticket, or a hold on such requests, does not allow this.",
        "illegal-move",
        "A ticket in Received may go to: in-review, action-needed, on-hold, rejected, withdrawn.",
        {"allowed_moves": ["in-review", "action-needed", "on-hold", "rejected", "withdrawn"]},
    ),
    HTTPStatus.PRECONDITION_FAILED: (
        "The ticket was changed since the ETag in If-Match.",
        "changed-meanwhile",
        "The ticket was changed by somebody else; read it again.",
        {"version": 4},
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "A letter, a field or the body is larger than what is taken.",
        "too-large",
        "A letter may have 26214400 bytes.",
        {},
    ),
    HTTPStatus.REQUEST_URI_TOO_LONG: (
        "The address is longer than any that means something.",
        "address-too-long",
        "An address may have 8192 characters, with its query and escaped.",
        {},
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "This is no form, or a letter is of another type than those taken.",
        "wrong-file-type",
        "A letter must be a PDF, PNG, JPEG or TIFF by its content; save it as one.",
        {
            "errors": [
                {
                    "pointer": "#/por_documentation/0",
                    "code": "wrong-file-type",
                    "detail": "The file is not a PDF, PNG, JPEG or TIFF, whatever its name says.",
                }
            ]
        },
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "Fields or parameters are wrong, and `errors` names each; or an Idempotency-Key was used for something else.",
        "invalid-fields",
        "Correct these fields and send the request again: account_number.",
        {
            "errors": [
                {
                    "pointer": "#/account_number",
                    "code": "string-pattern-mismatch",
                    "detail": "String should match pattern '^[0-9]{6}$'",
                }
            ]
        },
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "The caller asks more often than he may, or has too many uploads under way.",
        "too-many-requests",
        "You ask too often; wait as long as Retry-After says.",
        {},
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "A part that is needed is away.",
        "unavailable",
        "A part that is needed for this is away; try again soon.",
        {},
    ),
}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "The challenge of RFC 6750."},
    HTTPStatus.FORBIDDEN: {"WWW-Authenticate": "Names the scopes that would do, where a scope is missing."},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "Seconds to wait, rounded up."},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": f"Seconds to wait, for instance {RETRY_AFTER['Retry-After']}."},
}


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` for these problem statuses."""
    return {status.value: {"model": ProblemDetails} for status in statuses}


def headers(described: Mapping[str, str]) -> dict[str, Any]:
    """The OpenAPI of an answer's headers, given as name and what it says."""
    return {name: {"description": says, "schema": _TEXT} for name, says in described.items()}


# What the routes answer that the gateway forwards to their owners: said once, for both.
TICKET: dict[int | str, dict[str, Any]] = {200: {"headers": headers({"ETag": "The ticket's version, for If-Match."})}}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "One event per change, for as long as both sides and the token last. `event` is its kind, `data` the "
            "public event, `id` opaque: sent back as `Last-Event-ID` it brings what came since; events may come twice "
            "then, with the same id. `ready` says that from here on everything comes as it happens, and `reload` that "
            "some events may be missing: read the tickets again. Comments are signs of life."
        ),
        "content": {
            "text/event-stream": {
                "example": (
                    'event: ticket.status-changed\ndata: {"type":"por.ticket.status-changed.v1","subject":'
                    '"SR-00000001-3","sequence":"2","data":{"status":"in-review","previous_status":"received"}}\n'
                    "id: e2a\n\n"
                )
            }
        },
    }
}
LETTER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The letter as it was sent.",
        "content": {kind: {} for kind in EXTENSIONS},
        "headers": headers(
            {
                "Content-Disposition": "Always an attachment; the name is safe and fits the type.",
                "Content-Length": "Bytes.",
                "ETag": "The letter's SHA-256.",
            }
        ),
    }
}


def document_problems(app: FastAPI) -> None:
    """Let the OpenAPI of ``app`` show every error as a problem document, and as nothing else."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        # FastAPI documents its own form of errors, and each model also under the success's media type.
        document = plain()
        for operation in (each for item in document["paths"].values() for each in item.values()):
            for status, answer in operation["responses"].items():
                if status >= "400":
                    answer.update(_problem(HTTPStatus(int(status))))
        for unused in ("HTTPValidationError", "ValidationError"):
            document.get("components", {}).get("schemas", {}).pop(unused, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI's documentation extends it


def _problem(status: HTTPStatus) -> dict[str, Any]:
    meaning, code, detail, more = _MEANINGS[status]
    example = {
        "type": f"urn:por-desk:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status.value,
        "detail": detail,
        **more,
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}, "example": example}}
    described = {"headers": headers(_HEADERS[status])} if status in _HEADERS else {}
    return {"description": meaning, "content": content, **described}
