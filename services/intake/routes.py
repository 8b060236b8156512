"""The public HTTP door: post a request, ask for its state, see the catalogue."""

import re
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response

from services.intake import catalogue
from services.intake.catalogue import LETTER_PART, RequestTypes
from services.intake.reception import LetterReplyState, Progress, Reception, RequestState
from services.intake.settings import IntakeSettings
from services.intake.upload import Upload
from services.intake.waiting import wait_seconds
from shared.contracts.requests import GroupPorChange
from shared.runtime.auth import (
    REQUESTS_WRITE,
    TICKETS_READ,
    TICKETS_WORK,
    Caller,
    TokenVerifier,
    caller_with,
)
from shared.runtime.problems import Problem, documented

_KEY = re.compile(r'"([\x20-\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')


_LETTERS = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "description": "The signed letter: PDF, PNG, JPEG or TIFF, 25 MiB each.",
}


def _letters_schema() -> dict[str, Any]:
    """The OpenAPI of a form with letters alone."""
    schema = {"type": "object", "properties": {LETTER_PART: _LETTERS}, "required": [LETTER_PART]}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _form_schema() -> dict[str, Any]:
    """The OpenAPI of the form: the catalogue's fields and the letters."""
    schema = GroupPorChange.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    business = schema["properties"]["line_of_business"]
    business.pop("$ref", None)
    business |= {"type": "string", "enum": catalogue.lines_of_business()}
    properties = {
        "request_type": {"type": "string", "enum": catalogue.request_type_names()},
        **schema["properties"],
        LETTER_PART: _LETTERS,
    }
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": properties,
                        "required": ["request_type", *schema["required"], LETTER_PART],
                    },
                    "example": {
                        "request_type": "group-por-change",
                        "line_of_business": "group-medical",
                        "account_number": "041872",
                        "account_name": "Harbor & Pine Woodworks, Inc.",
                        "effective_date": "2027-01-01",
                        LETTER_PART: ["(the bytes of letter.pdf)"],
                    },
                }
            },
        }
    }


def router(reception: Reception, verifier: TokenVerifier, settings: IntakeSettings) -> APIRouter:
    """The gateway's own routes."""
    routes = APIRouter(prefix="/v1", tags=["requests"])
    writer = Depends(caller_with(verifier, REQUESTS_WRITE))
    reader = Depends(caller_with(verifier, REQUESTS_WRITE, TICKETS_READ, TICKETS_WORK))

    @routes.post(
        "/requests",
        summary="Ask for a change of the producer of record",
        description=(
            "202 and 201 both mean that request and letter are durable; 201 comes with the ticket "
            "number and needs `Prefer: wait=n`. With an `Idempotency-Key` a request may be sent "
            "again at any time and gives the same ticket; without one there is no protection "
            "against sending it twice."
        ),
        status_code=HTTPStatus.ACCEPTED,
        responses={
            201: {"model": RequestState, "description": "The ticket is open."},
            **documented(
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.UNAUTHORIZED,
                HTTPStatus.FORBIDDEN,
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                HTTPStatus.UNPROCESSABLE_ENTITY,
                HTTPStatus.SERVICE_UNAVAILABLE,
            ),
        },
        openapi_extra=_form_schema(),
    )
    async def post_request(
        request: Request,
        response: Response,
        caller: Annotated[Caller, writer],
        idempotency_key: Annotated[str | None, Header(examples=['"7f0c-41"'])] = None,
        prefer: Annotated[str | None, Header(examples=["wait=5"])] = None,
    ) -> RequestState:
        _require_producer(caller)
        wait = wait_seconds(prefer, settings.max_wait)
        with _upload(settings) as upload:
            await upload.read(request.headers.get("content-type", ""), request.stream())
            state = await reception.accept(upload, caller, _key(idempotency_key), wait)
        response.headers["Location"] = f"/v1/requests/{state.request_id}"
        if wait:
            response.headers["Preference-Applied"] = f"wait={wait:.0f}"
        if state.state is Progress.OPENED:
            response.status_code = HTTPStatus.CREATED
        return state

    @routes.post(
        "/tickets/{number}/letters",
        tags=["tickets"],
        summary="Send a further letter for an open ticket",
        status_code=HTTPStatus.ACCEPTED,
        responses=documented(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
        openapi_extra=_letters_schema(),
    )
    async def post_letters(
        number: str,
        request: Request,
        caller: Annotated[Caller, writer],
        idempotency_key: Annotated[str | None, Header(examples=['"7f0c-42"'])] = None,
    ) -> LetterReplyState:
        _require_producer(caller)
        with _upload(settings) as upload:
            await upload.read(request.headers.get("content-type", ""), request.stream())
            return await reception.add_letters(number, upload, caller, _key(idempotency_key))

    @routes.get(
        "/requests/{request_id}",
        summary="What has become of a request",
        responses=documented(
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )
    async def show_request(request_id: UUID, caller: Annotated[Caller, reader]) -> RequestState:
        return await reception.look_up(request_id, caller)

    @routes.get(
        "/request-types",
        summary="The kinds of request, with their fields as JSON Schema",
    )
    async def list_request_types() -> RequestTypes:
        return catalogue.request_types()

    return routes


def _upload(settings: IntakeSettings) -> Upload:
    return Upload(LETTER_PART, settings.max_letter_bytes, settings.max_letters)


def _require_producer(caller: Caller) -> None:
    if not (caller.producer_id and caller.email):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "not-a-producer",
            "Requests are made by producers: the token must name producer_id and email.",
        )


def _key(header: str | None) -> str | None:
    """The key in an Idempotency-Key header: a quoted string, or bare as most clients send it."""
    if header is None:
        return None
    match = _KEY.fullmatch(header.strip())
    if match is None:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "bad-idempotency-key",
            "An Idempotency-Key is 1 to 255 printable ASCII characters, best in double quotes.",
        )
    return match[1] or match[2]
