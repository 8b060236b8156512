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
from services.intake.owners import Owner, open_ticket, ticket_of
from services.intake.upload import Upload
from services.intake.waiting import WaitingRoom
from shared.contracts.envelope import Contract, event_id, now
from shared.contracts.letters import letter_id
from shared.contracts.problems import FieldProblem
from shared.contracts.requests import (
    Letter,
    LetterReply,
    LetterSubmitted,
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
REQUEST_SUBMITTED = "por.request.submitted.v1"
LETTER_SUBMITTED = "por.letter.submitted.v1"


class LetterReplyState(Contract):
    """Further letters were accepted; their verdicts appear on the ticket."""

    ticket_number: TicketNumber
    letter_ids: list[str]


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

    async def accept(self, upload: Upload, caller: Caller, key: str | None, wait: float) -> RequestState:
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
            await asyncio.gather(*(self.letterbox.keep_letter(submission.request_id, each) for each in upload.letters))
            await self.letterbox.keep_form(submission)
        return await self._submit(submission, caller, wait)

    async def add_letters(self, number: str, upload: Upload, caller: Caller, key: str | None) -> LetterReplyState:
        """Take further letters for an open ticket of this caller.

        Raises:
            Problem: 409 closed ticket, 415 wrong file, 422 no file; 503; and what tickets says of the number.
        """
        errors = _check_letters(upload)
        if errors:
            raise invalid_fields(errors)
        assert caller.producer_id is not None
        ticket = await open_ticket(self.tickets, number, caller)
        reply_id = uuid5(ticket.request_id, key) if key else uuid4()
        structlog.contextvars.bind_contextvars(request_id=str(ticket.request_id), ticket_number=number)
        for each in upload.letters:
            await self.letterbox.keep_letter(ticket.request_id, each)
        letters = _distinct(upload)
        reply = LetterReply(
            request_id=ticket.request_id,
            reply_id=reply_id,
            producer_id=caller.producer_id,
            letters=letters,
            received_at=now(),
        )
        content = catalogue.letters_fingerprint(letters)
        event = LetterSubmitted(
            id=event_id(f"{reply_id}#{content}", LETTER_SUBMITTED),
            source=SOURCE,
            subject=str(ticket.request_id),
            time=reply.received_at,
            data=reply,
        )
        await self._publish(event)
        ids = [letter_id(ticket.request_id, letter.sha256) for letter in letters]
        return LetterReplyState(ticket_number=number, letter_ids=ids)

    async def look_up(self, request_id: UUID, caller: Caller) -> RequestState:
        """What is true of a request: opened, accepted and under way, or unknown.

        Raises:
            Problem: 404, also where it is somebody else's.
        """
        if (state := await self._opened(request_id, caller)) is not None:
            return state
        form = await self.letterbox.form(request_id)
        if form is None or caller.sees_only not in {None, form.producer.producer_id}:
            raise Problem(HTTPStatus.NOT_FOUND, "unknown-request", "There is no such request.")
        return RequestState(request_id=request_id, state=Progress.ACCEPTED)

    def _submission(self, upload: Upload, caller: Caller, key: str | None) -> Submission:
        form, errors = catalogue.read_form(upload.fields)
        if form is None:
            raise invalid_fields(errors + upload.check_letters())
        if errors := _check_letters(upload):
            raise invalid_fields(errors)
        letters = _distinct(upload)
        assert caller.producer_id is not None
        return Submission(
            request_id=request_id_of(caller.producer_id, key) if key else uuid4(),
            request_type=RequestType(upload.fields[catalogue.TYPE_FIELD]),
            producer=Producer(producer_id=caller.producer_id, name=caller.name, email=caller.email),
            form=form,
            letters=letters,
            fingerprint=catalogue.fingerprint(form, letters),
            received_at=now(),
        )

    async def _submit(self, submission: Submission, caller: Caller, wait: float) -> RequestState:
        with self.waiting.waiter(submission.request_id) as opened:
            await self._publish(_submitted(submission))
            if wait:
                await asyncio.wait([opened], timeout=wait)
        if wait and opened.done():
            number = opened.result().data.ticket_number
            structlog.contextvars.bind_contextvars(ticket_number=number)
            return RequestState(
                request_id=submission.request_id,
                state=Progress.OPENED,
                ticket_number=number,
            )
        state = await self._opened(submission.request_id, caller) if wait else None
        return state or RequestState(request_id=submission.request_id, state=Progress.ACCEPTED)

    async def _publish(self, event: RequestSubmitted | LetterSubmitted) -> None:
        try:
            await self.bus.publish(event)
        except (AMQPError, OSError, TimeoutError) as error:
            log.warning("publish failed", reason=type(error).__name__)
            raise unavailable(
                "It is not known whether this was accepted. Send it again with the same Idempotency-Key.",
                request_id=str(event.data.request_id),
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


def _check_letters(upload: Upload) -> list[FieldProblem]:
    """What is wrong with the letters; a wrong type is an answer of its own, 415."""
    errors = upload.check_letters()
    if any(error.code == "wrong-file-type" for error in errors):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "wrong-file-type",
            "A letter must be a PDF, PNG, JPEG or TIFF by its content; save it as one.",
            errors=errors,
        )
    return errors


def _distinct(upload: Upload) -> tuple[Letter, ...]:
    return tuple({each.letter.sha256: each.letter for each in upload.letters}.values())


def _submitted(submission: Submission) -> RequestSubmitted:
    return RequestSubmitted(
        id=event_id(submission.request_id, REQUEST_SUBMITTED),
        source=SOURCE,
        subject=str(submission.request_id),
        time=submission.received_at,
        data=submission,
    )


def request_id_of(producer_id: str, key: str) -> UUID:
    """The id of the request under an Idempotency-Key: same route, producer and key, same id."""
    return uuid5(NAMESPACE_URL, f"urn:por-desk:request:{ROUTE}\n{producer_id}\n{key}")
