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
        "The request cannot be read: its body, a header, or the ticket number in its path.",
        "mistyped-ticket-number",
        "This is not a valid ticket number; check it for a mistyped digit.",
        {},
    ),
    HTTPStatus.UNAUTHORIZED: (
        "The access token is missing or not valid for this API.",
        "invalid-token",
        "The access token is not valid for this API.",
        {},
    ),
    HTTPStatus.FORBIDDEN: (
        "The token is valid but does not allow this.",
        "not-allowed",
        "This needs the scope tickets:work; callers who are not staff also need a producer_id.",
        {},
    ),
    HTTPStatus.NOT_FOUND: (
        "It does not exist, or it belongs to someone else.",
        "unknown-ticket",
        "There is no such ticket.",
        {},
    ),
    HTTPStatus.CONFLICT: (
        "The status of the ticket, or a hold on such requests, does not allow this.",
        "illegal-move",
        "A ticket in Received can move to: in-review, action-needed, on-hold, rejected, withdrawn.",
        {"allowed_moves": ["in-review", "action-needed", "on-hold", "rejected", "withdrawn"]},
    ),
    HTTPStatus.PRECONDITION_FAILED: (
        "The ticket has changed since the ETag in If-Match.",
        "changed-meanwhile",
        "The ticket was changed by someone else; read it again.",
        {"version": 4},
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "A letter, a field or the body is too large.",
        "too-large",
        "A letter may be at most 25 MiB.",
        {},
    ),
    HTTPStatus.REQUEST_URI_TOO_LONG: (
        "The address is longer than any that means something.",
        "address-too-long",
        "An address may have 8192 characters, with its query and escaped.",
        {},
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "The body is not a form, or a letter has a file type that is not accepted.",
        "wrong-file-type",
        "A letter must be a PDF, PNG, JPEG or TIFF by its content; save it as one.",
        {
            "errors": [
                {
                    "pointer": "#/por_documentation/0",
                    "code": "wrong-file-type",
                    "detail": "This file is not a PDF, PNG, JPEG or TIFF, even if its name says so.",
                }
            ]
        },
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "Fields or parameters are invalid (see `errors`), or the Idempotency-Key was used for something else.",
        "invalid-fields",
        "Correct these fields and send the request again: account_number.",
        {
            "errors": [
                {
                    "pointer": "#/account_number",
                    "code": "string-pattern-mismatch",
                    "detail": "An account number has six digits; leading zeros count.",
                }
            ]
        },
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "The caller sends too many requests, or has too many uploads, downloads or streams in progress.",
        "too-many-requests",
        "Too many requests; wait for the time in Retry-After.",
        {},
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "The key with which the request's private fields were encrypted is lost.",
        "field-key-missing",
        "The private fields of this request cannot be opened, now or later; please call the carrier.",
        {},
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "A required service is temporarily unavailable.",
        "unavailable",
        "A required service is temporarily unavailable; try again shortly.",
        {},
    ),
}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "The challenge of RFC 6750."},
    HTTPStatus.FORBIDDEN: {"WWW-Authenticate": "Lists the scopes that would be sufficient, if one is missing."},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "Seconds to wait, rounded up."},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": f"Seconds to wait, such as {RETRY_AFTER['Retry-After']}."},
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
            "One event per change, until either side closes the stream or the token expires. `event` is its kind, "
            "`data` the public event, and `id` an opaque ID: send the last one as `Last-Event-ID` to resume there; "
            "some events may then repeat, with the same ID. `ready` means that from here on events arrive as they "
            "happen; `reload` means that some may be missing: forget the IDs that you have, and read the tickets "
            "again. Comments are keep-alives."
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
                "Content-Disposition": "Always an attachment; the file name is safe and matches the type.",
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
