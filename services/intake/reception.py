"""Accepting a request: letter kept, form kept, event confirmed, and only then an answer."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import structlog

from services.intake import catalogue
from services.intake.answers import Progress, RequestState
from services.intake.letterbox import Letterbox
from services.intake.owners import Owner, OwnerAway, ticket_of
from services.intake.pipeline import SOURCE, Pipeline
from services.intake.upload import Upload
from services.intake.waiting import WaitingRoom
from shared.contracts.envelope import event_id, now
from shared.contracts.requests import (
    Producer,
    RequestSubmitted,
    RequestType,
    Submission,
)
from shared.runtime.auth import Caller
from shared.runtime.logs import log
from shared.runtime.problems import Problem, invalid_fields

ROUTE = "POST /v1/requests"
REQUEST_SUBMITTED = "por.request.submitted.v1"


@dataclass(frozen=True)
class Reception:
    """Takes requests in; holds no state of its own."""

    letterbox: Letterbox
    pipeline: Pipeline
    waiting: WaitingRoom
    tickets: Owner

    async def accept(self, upload: Upload, caller: Caller, key: str | None, wait: float) -> RequestState:
        """Accept a form, and wait for its ticket for at most ``wait`` seconds.

        Raises:
            Problem: 415 wrong file, 422 fields or reused key, 503 when a part is away.
        """
        submission = self._submission(upload, caller, key)
        structlog.contextvars.bind_contextvars(request_id=str(submission.request_id))
        async with self.letterbox.turn(submission.request_id):
            known = await self._known(submission) if key else None
            if known is None:
                await self._keep(submission, upload)
        upload.close()  # what is kept needs no room here any more, however long its ticket is waited for
        if known is not None and (state := await self._opened_by_now(known.request_id, caller)) is not None:
            return state
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

    def _submission(self, upload: Upload, caller: Caller, key: str | None) -> Submission:
        form, errors = catalogue.read_form(upload.fields)
        if form is None:
            raise invalid_fields(errors + upload.check_letters())
        upload.require_letters()
        letters = tuple(each.letter for each in upload.letters)
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

    async def _known(self, submission: Submission) -> Submission | None:
        """What was kept under the same key; it must be the same."""
        known = await self.letterbox.form(submission.request_id)
        if known is not None and known.fingerprint != submission.fingerprint:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "key-reused",
                "This Idempotency-Key was used for another request; make a new key.",
                request_id=str(known.request_id),
            )
        return known

    async def _keep(self, submission: Submission, upload: Upload) -> None:
        await self.pipeline.require(submission.request_id)
        await self.letterbox.keep_letters(submission.request_id, upload.letters)
        await self.letterbox.keep_form(submission)

    async def _submit(self, submission: Submission, caller: Caller, wait: float) -> RequestState:
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
            )
        state = await self._opened_by_now(submission.request_id, caller) if wait else None
        return state or RequestState(request_id=submission.request_id, state=Progress.ACCEPTED)

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
