"""Accepting a request: letter kept, form kept, event confirmed, and only then an answer."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import httpx
import structlog
from aio_pika.exceptions import AMQPError

from services.intake import catalogue
from services.intake.letterbox import Letterbox
from services.intake.owners import Owner, ticket_of
from services.intake.upload import Upload
from services.intake.waiting import WaitingRoom
from shared.contracts.envelope import Contract, event_id, now
from shared.contracts.requests import (
    Producer,
    RequestSubmitted,
    RequestType,
    Submission,
)
from shared.contracts.tickets import TicketNumber
from shared.runtime.auth import Caller
from shared.runtime.bus import Bus
from shared.runtime.logs import log
from shared.runtime.problems import Problem, invalid_fields, unavailable

SOURCE = "/por-desk/intake"
ROUTE = "POST /v1/requests"


class Progress(StrEnum):
    """How far a request has come."""

    ACCEPTED = "accepted"
    OPENED = "opened"


class RequestState(Contract):
    """What is true of a request now; ``accepted`` means durable and under way."""

    request_id: UUID
    state: Progress
    ticket_number: TicketNumber | None = None


@dataclass(frozen=True)
class Reception:
    """Takes requests in; holds no state of its own."""

    letterbox: Letterbox
    bus: Bus
    waiting: WaitingRoom
    tickets: Owner

    async def accept(
        self, upload: Upload, caller: Caller, key: str | None, wait: float
    ) -> RequestState:
        """Accept a form, and wait for its ticket for at most ``wait`` seconds.

        Raises:
            Problem: 415 wrong file, 422 fields or reused key, 503 when a part is away.
        """
        submission = self._submission(upload, caller, key)
        structlog.contextvars.bind_contextvars(request_id=str(submission.request_id))
        known = await self.letterbox.form(submission.request_id) if key else None
        if known is not None:
            if known.fingerprint != submission.fingerprint:
                raise Problem(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    "key-reused",
                    "This Idempotency-Key was used for another request; make a new key.",
                    request_id=str(known.request_id),
                )
            if (state := await self._opened(known.request_id, caller)) is not None:
                return state
            submission = known
        else:
            await asyncio.gather(
                *(
                    self.letterbox.keep_letter(submission.request_id, each)
                    for each in upload.letters
                )
            )
            await self.letterbox.keep_form(submission)
        return await self._submit(submission, caller, wait)

    async def look_up(self, request_id: UUID, caller: Caller) -> RequestState:
        """What is true of a request: opened, accepted and under way, or unknown.

        Raises:
            Problem: 404, also where it is somebody else's.
        """
        if (state := await self._opened(request_id, caller)) is not None:
            return state
        form = await self.letterbox.form(request_id)
        if form is None or caller.sees_only not in {None, form.producer.producer_id}:
            raise Problem(
                HTTPStatus.NOT_FOUND, "unknown-request", "There is no such request."
            )
        return RequestState(request_id=request_id, state=Progress.ACCEPTED)

    def _submission(
        self, upload: Upload, caller: Caller, key: str | None
    ) -> Submission:
        form, errors = catalogue.read_form(upload.fields)
        file_errors = upload.check_letters()
        if any(error.code == "wrong-file-type" for error in file_errors) and not errors:
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "wrong-file-type",
                "A letter must be a PDF, PNG, JPEG or TIFF by its content; save it as one.",
                errors=file_errors,
            )
        if form is None or file_errors:
            raise invalid_fields(errors + file_errors)
        letters = tuple(
            {each.letter.sha256: each.letter for each in upload.letters}.values()
        )
        assert caller.producer_id is not None
        return Submission(
            request_id=request_id_of(caller.producer_id, key) if key else uuid4(),
            request_type=RequestType(upload.fields[catalogue.TYPE_FIELD]),
            producer=Producer(
                producer_id=caller.producer_id, name=caller.name, email=caller.email
            ),
            form=form,
            letters=letters,
            fingerprint=catalogue.fingerprint(form, letters),
            received_at=now(),
        )

    async def _submit(
        self, submission: Submission, caller: Caller, wait: float
    ) -> RequestState:
        with self.waiting.waiter(submission.request_id) as opened:
            await self._publish(submission)
            done, _ = await asyncio.wait([opened], timeout=wait)
        if done:
            number = opened.result().data.ticket_number
            structlog.contextvars.bind_contextvars(ticket_number=number)
            return RequestState(
                request_id=submission.request_id,
                state=Progress.OPENED,
                ticket_number=number,
            )
        state = await self._opened(submission.request_id, caller) if wait else None
        return state or RequestState(
            request_id=submission.request_id, state=Progress.ACCEPTED
        )

    async def _publish(self, submission: Submission) -> None:
        kind = "por.request.submitted.v1"
        event = RequestSubmitted(
            id=event_id(submission.request_id, kind),
            source=SOURCE,
            subject=str(submission.request_id),
            time=submission.received_at,
            data=submission,
        )
        try:
            await self.bus.publish(event)
        except (AMQPError, OSError, TimeoutError) as error:
            log.warning("publish failed", reason=type(error).__name__)
            raise unavailable(
                "It is not known whether the request was accepted. Send it again with the same "
                "Idempotency-Key.",
                request_id=str(submission.request_id),
            ) from error

    async def _opened(self, request_id: UUID, caller: Caller) -> RequestState | None:
        try:
            ticket = await ticket_of(self.tickets, request_id, caller)
        except httpx.HTTPError as error:
            # Accepting must not need tickets; the answer is then "accepted", which is true too.
            log.warning("tickets not asked", reason=type(error).__name__)
            return None
        if ticket is None:
            return None
        return RequestState(
            request_id=request_id,
            state=Progress.OPENED,
            ticket_number=ticket.ticket_number,
        )


def request_id_of(producer_id: str, key: str) -> UUID:
    """The id of the request under an Idempotency-Key: same route, producer and key, same id."""
    return uuid5(NAMESPACE_URL, f"urn:por-desk:request:{ROUTE}\n{producer_id}\n{key}")
