"""Accepting a request: letter kept, form kept, event confirmed, and only then an answer."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

import structlog

from services.intake.answers import PrivateFields, Progress, RequestState
from services.intake.counter import Counter
from services.intake.letterbox import Letterbox
from services.intake.owners import Owner, OwnerAway, ticket_of
from services.intake.pipeline import SOURCE, Pipeline
from services.intake.sealing import KeptRequest
from services.intake.upload import Upload
from services.intake.waiting import WaitingRoom
from shared.contracts.envelope import event_id
from shared.contracts.requests import RequestSubmitted
from shared.contracts.ticket_views import TicketSummary
from shared.runtime.auth import Caller
from shared.runtime.logs import log
from shared.runtime.problems import Problem, unavailable

REQUEST_SUBMITTED = "por.request.submitted.v2"


@dataclass(frozen=True)
class Reception:
    """Takes requests in; holds no state of its own."""

    counter: Counter
    letterbox: Letterbox
    pipeline: Pipeline
    waiting: WaitingRoom
    tickets: Owner

    async def accept(self, upload: Upload, caller: Caller, key: str | None, wait: float) -> RequestState:
        """Accept a form, and wait for its ticket for at most ``wait`` seconds.

        Raises:
            Problem: 409 a hold refuses it, 415 wrong file, 422 fields or reused key, 500 without the key of
                what was sent before, 503 when a part is away.
        """
        submission = self.counter.request(upload, caller, key)
        structlog.contextvars.bind_contextvars(request_id=str(submission.request_id))
        async with self.letterbox.turn(submission.request_id):
            known = await self._known(submission) if key else None
            if known is None:
                submission = self.counter.with_notices(submission)
                await self._keep(submission, upload)
        upload.close()  # what is kept needs no room here any more, however long its ticket is waited for
        if known is not None and (state := await self._opened_by_now(known.request_id, caller)) is not None:
            return state.model_copy(update={"notices": known.says})
        return await self._submit(known or submission, caller, wait)

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

    async def private_fields(self, request_id: UUID, caller: Caller) -> PrivateFields:
        """What the masks on a request's ticket stand for; who read it, and of which request, is in the log.

        Raises:
            Problem: 404 where it has none, or no ticket; 409 where the form kept is not the ticket's; 500 without the
                key that they were sealed with.
        """
        structlog.contextvars.bind_contextvars(request_id=str(request_id))
        form = await self.letterbox.form(request_id)
        ticket = await self._ticket(request_id, caller) if form and form.sealed else None
        if form is None or ticket is None:
            raise Problem(
                HTTPStatus.NOT_FOUND, "unknown-request", "There is no such request, or it has no private fields."
            )
        if ticket.staff is None or ticket.staff.fingerprint != form.fingerprint:
            raise Problem(
                HTTPStatus.CONFLICT,
                "form-of-another",
                "Two different requests were sent with one key at the same moment. The ticket belongs to one, and the "
                "private fields that were kept to the other: ask the producer for a new request.",
            )
        fields = self.counter.sealer.open(form.sealed)
        log.info("private fields read", reader=caller.subject, fields=sorted(fields))
        return PrivateFields(request_id=request_id, fields=fields)

    async def _ticket(self, request_id: UUID, caller: Caller) -> TicketSummary | None:
        try:
            return await ticket_of(self.tickets, request_id, caller)
        except OwnerAway as error:
            raise unavailable("The tickets service is temporarily unavailable; try again shortly.") from error

    async def _known(self, submission: KeptRequest) -> KeptRequest | None:
        """What was kept under the same key; it must be the same."""
        known = await self.letterbox.form(submission.request_id)
        if known is not None and not self.counter.is_retry(submission, known):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "key-reused",
                "This Idempotency-Key was used for a different request; use a new key.",
                request_id=str(known.request_id),
            )
        return known

    async def _keep(self, submission: KeptRequest, upload: Upload) -> None:
        await self.pipeline.require(submission.request_id)
        await self.letterbox.keep_letters(submission.request_id, upload.letters)
        await self.letterbox.keep_form(submission)

    async def _submit(self, submission: KeptRequest, caller: Caller, wait: float) -> RequestState:
        with self.waiting.waiter(submission.request_id) as opened:
            await self.pipeline.publish(_submitted(submission))
            if wait:
                await asyncio.wait([opened], timeout=wait)
        if wait and opened.done():
            number = opened.result().data.ticket_number
            structlog.contextvars.bind_contextvars(ticket_number=number)
            return RequestState(
                request_id=submission.request_id,
                state=Progress.OPENED,
                ticket_number=number,
                notices=submission.says,
            )
        state = await self._opened_by_now(submission.request_id, caller) if wait else None
        state = state or RequestState(request_id=submission.request_id, state=Progress.ACCEPTED)
        return state.model_copy(update={"notices": submission.says})

    async def _opened_by_now(self, request_id: UUID, caller: Caller) -> RequestState | None:
        """As :meth:`_opened`, of a request that was accepted: nothing that tickets says can change that."""
        try:
            return await self._opened(request_id, caller)
        except Problem as error:
            log.warning("tickets did not tell", reason=str(error))
            return None

    async def _opened(self, request_id: UUID, caller: Caller) -> RequestState | None:
        try:
            ticket = await ticket_of(self.tickets, request_id, caller)
        except OwnerAway as error:
            # Accepting must not need tickets; the answer is then "accepted", which is true too.
            log.warning("tickets not asked", reason=str(error))
            return None
        if ticket is None:
            return None
        return RequestState(
            request_id=request_id,
            state=Progress.OPENED,
            ticket_number=ticket.ticket_number,
        )


def _submitted(submission: KeptRequest) -> RequestSubmitted:
    return RequestSubmitted(
        id=event_id(submission.request_id, REQUEST_SUBMITTED),
        source=SOURCE,
        subject=str(submission.request_id),
        time=submission.received_at,
        data=submission.published,
    )
