"""The public HTTP door: post a request, ask for its state, see the catalogue."""

import re
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response

from services.intake.answers import LetterReplyState, Progress, RequestState
from services.intake.catalogue import Catalogue
from services.intake.forms import form_schema, letters_schema
from services.intake.places import Places
from services.intake.reception import Reception
from services.intake.replies import LETTER_PART, Replies
from services.intake.settings import IntakeSettings
from services.intake.upload import MAX_FIELDS, Upload
from services.intake.waiting import wait_seconds
from shared.contracts.addresses import in_ascii
from shared.runtime.auth import (
    REQUESTS_WRITE,
    TICKETS_READ,
    TICKETS_WORK,
    Caller,
    Verifier,
    caller_with,
)
from shared.runtime.openapi import documented, headers
from shared.runtime.problems import Problem
from shared.runtime.service import MAX_BODY

# A quoted string of RFC 8941, or bare as most clients send it.
_KEY = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"|([\x21\x23-\x7e]{1,255})')


_ACCEPTED = headers(
    {
        "Location": "Where to check the state of the request.",
        "Preference-Applied": "`wait=n`: the wait that was applied, in seconds.",
    }
)


def router(
    reception: Reception, replies: Replies, verifier: Verifier, uploads: Places, settings: IntakeSettings
) -> APIRouter:
    """The gateway's own routes."""
    routes = APIRouter(prefix="/v1", tags=["requests"])
    writer = Depends(caller_with(verifier, REQUESTS_WRITE))
    reader = Depends(caller_with(verifier, REQUESTS_WRITE, TICKETS_READ, TICKETS_WORK))
    max_upload = settings.max_letters * settings.max_letter_bytes + MAX_BODY * (MAX_FIELDS + settings.max_letters)

    @routes.post(
        "/requests",
        summary="Submit a request",
        description=(
            "The fields depend on the `request_type`: see `GET /v1/request-types`. "
            "201 and 202 both mean that the request and its letter are durable. 201 includes the ticket number: "
            "with `Prefer: wait=n`, or when a request that already has a ticket is sent again. With an "
            "`Idempotency-Key` a request can be sent again at any time and gets the same ticket; without "
            "one, sending it twice creates two tickets."
        ),
        status_code=HTTPStatus.ACCEPTED,
        responses={
            201: {"model": RequestState, "description": "The ticket is open.", "headers": _ACCEPTED},
            202: {"headers": _ACCEPTED},
            **documented(
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.UNAUTHORIZED,
                HTTPStatus.FORBIDDEN,
                HTTPStatus.CONFLICT,
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                HTTPStatus.UNPROCESSABLE_ENTITY,
                HTTPStatus.TOO_MANY_REQUESTS,
                HTTPStatus.INTERNAL_SERVER_ERROR,
                HTTPStatus.SERVICE_UNAVAILABLE,
            ),
        },
        openapi_extra=form_schema(reception.counter.catalogue, settings),
        max_body_size=max_upload,
    )
    async def post_request(
        request: Request,
        response: Response,
        caller: Annotated[Caller, writer],
        idempotency_key: Annotated[str | None, Header(examples=['"7f0c-41"'])] = None,  # noqa: ARG001  # documented here
        prefer: Annotated[str | None, Header(examples=["wait=5"])] = None,  # noqa: ARG001  # documented here
    ) -> RequestState:
        _require_producer(caller)
        # RFC 7240: the header may come in several lines, of which the parameter holds one.
        wait = wait_seconds(", ".join(request.headers.getlist("prefer")), settings.max_wait)
        with _upload(reception.counter.catalogue, settings, uploads.place(caller.subject)) as upload:
            await upload.read(request.headers.get("content-type", ""), request.stream())
            state = await reception.accept(upload, caller, _key(request), wait)
        response.headers["Location"] = f"/v1/requests/{state.request_id}"
        if wait:
            response.headers["Preference-Applied"] = f"wait={wait:.0f}"
        if state.state is Progress.OPENED:
            response.status_code = HTTPStatus.CREATED
        return state

    @routes.post(
        "/tickets/{number}/letters",
        tags=["tickets"],
        summary="Send an additional letter for an open ticket",
        status_code=HTTPStatus.ACCEPTED,
        responses=documented(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.REQUEST_URI_TOO_LONG,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
        openapi_extra=letters_schema(reception.counter.catalogue, settings),
        max_body_size=max_upload,
    )
    async def post_letters(
        number: str,
        request: Request,
        caller: Annotated[Caller, writer],
        idempotency_key: Annotated[str | None, Header(examples=['"7f0c-42"'])] = None,  # noqa: ARG001  # as above
    ) -> LetterReplyState:
        _require_producer(caller)
        with _upload(reception.counter.catalogue, settings, uploads.place(caller.subject)) as upload:
            await upload.read(request.headers.get("content-type", ""), request.stream())
            return await replies.accept(number, upload, caller, _key(request))

    @routes.get(
        "/requests/{request_id}",
        summary="Show the state of a request",
        responses=documented(
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )
    async def show_request(request_id: UUID, caller: Annotated[Caller, reader]) -> RequestState:
        return await reception.look_up(request_id, caller)

    return routes


def _upload(catalogue: Catalogue, settings: IntakeSettings, place: AbstractContextManager[None]) -> Upload:
    """A form to be read, which gives its place back when its letters need no room any more."""
    upload = Upload(catalogue.parts | {LETTER_PART}, catalogue.tables, settings.max_letter_bytes, settings.max_letters)
    upload.enter_context(place)
    return upload


def _require_producer(caller: Caller) -> None:
    if not (caller.producer_id and _can_be_mailed(caller.email)):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "not-a-producer",
            "Only producers can make requests: the token must contain a producer_id and a valid email address.",
        )


def _can_be_mailed(email: str) -> bool:
    """Whether the producer can be told of his ticket."""
    try:
        return bool(in_ascii(email))
    except ValueError:
        return False


def _key(request: Request) -> str | None:
    """The key in the Idempotency-Key header: a quoted string, or bare as most clients send it."""
    sent = request.headers.getlist("idempotency-key")
    if not sent:
        return None
    match = _KEY.fullmatch(sent[0].strip()) if len(sent) == 1 else None
    if match is None:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "bad-idempotency-key",
            "Send one Idempotency-Key: 1 to 255 printable ASCII characters, preferably in double quotes.",
        )
    return re.sub(r"\\(.)", r"\1", match[1]) if match[1] else match[2]
