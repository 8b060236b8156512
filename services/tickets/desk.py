"""What the desk does with tickets: open one, add a letter, move it, show it."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from aio_pika.exceptions import AMQPError

from services.tickets import history, workflow
from services.tickets.numbers import is_well_formed, ticket_number
from services.tickets.outbox import Outbox
from services.tickets.store import Document, StoreError, TicketStore
from shared.contracts.letters import CheckedLetter
from shared.contracts.requests import LetterReply, RequestType, Submission
from shared.contracts.tickets import Status, StatusMove, TicketDetail, TicketSummary
from shared.runtime.auth import Caller
from shared.runtime.failures import Permanent, Transient
from shared.runtime.logs import log
from shared.runtime.problems import Problem

DESK = "desk"


class Desk:
    """The tickets and their rules, over one store and one outbox."""

    def __init__(self, store: TicketStore, outbox: Outbox) -> None:
        self._store, self._outbox = store, outbox

    async def open_ticket(self, submission: Submission, letters: tuple[CheckedLetter, ...]) -> None:
        """Give a request its ticket; a repeat finds it, publishes what is not out yet, and says again that it is open.

        Raises:
            Permanent: ``key-reused``, this request id has a ticket with another content.
        """
        number = ticket_number(await self._store.next_count())
        ticket, holder = _new_ticket(submission, letters, number), uuid4()
        if await self._store.open(ticket, holder):
            structlog.contextvars.bind_contextvars(ticket_number=number)
            await self._outbox.publish_opened({**ticket, "published": 0}, holder)
            return
        known = await self._store.get(submission.request_id)
        if known is None:
            raise Transient("ticket-not-there")
        structlog.contextvars.bind_contextvars(ticket_number=known["number"])
        if known["fingerprint"] != submission.fingerprint:
            raise Permanent("key-reused")
        await self._outbox.publish_pending(submission.request_id)
        await self._outbox.repeat_opened(known)

    async def add_letters(self, reply: LetterReply, letters: tuple[CheckedLetter, ...]) -> None:
        """Put the letters of a producer's reply on his ticket; a repeat adds nothing.

        Raises:
            Permanent: ``ticket-unknown`` or ``ticket-closed``.
            Transient: the ticket changed at the same moment.
        """
        for letter in letters:
            ticket = await self._store.get(reply.request_id)
            if ticket is None or ticket["producer_id"] != reply.producer_id:
                raise Permanent("ticket-unknown")
            structlog.contextvars.bind_contextvars(ticket_number=ticket["number"])
            if any(each["letter_id"] == letter.letter_id for each in ticket["letters"]):
                continue
            if not ticket["open"]:
                raise Permanent("ticket-closed")
            entry = history.entry(
                request_id=reply.request_id,
                sequence=ticket["version"] + 1,
                type_=history.LETTER_ADDED,
                actor=reply.producer_id,
                status=Status(ticket["status"]),
                letter_id=letter.letter_id,
                reason=letter.fault,
            )
            push = {"letters": letter.model_dump(mode="json")}
            if not await self._store.change(reply.request_id, ticket["version"], entry, push=push):
                raise Transient("ticket-changed-meanwhile")
        await self._outbox.publish_pending(reply.request_id)

    async def move(self, number: str, move: StatusMove, caller: Caller, version: int | None) -> Document:
        """Move a ticket on behalf of staff; ``version`` is the one that If-Match names.

        Raises:
            Problem: 400/404 for the number, 409 illegal move, 412 other version, 422 no reason.
        """
        ticket = await self.find(number, caller)
        if version is not None and version != ticket["version"]:
            raise _changed_meanwhile(ticket["version"])
        current = Status(ticket["status"])
        _check_move(current, move)
        entry = history.entry(
            request_id=ticket["_id"],
            sequence=ticket["version"] + 1,
            type_=history.STATUS_CHANGED,
            actor=caller.subject,
            status=move.status,
            previous_status=current.value,
            reason=move.reason.value if move.reason else None,
            comment=move.comment,
        )
        state = {"status": move.status.value, "open": move.status.is_open}
        changed = await self._store.change(ticket["_id"], ticket["version"], entry, set=state)
        if changed is None:
            raise _changed_meanwhile(None)
        try:
            await self._outbox.publish_pending(ticket["_id"])
        except (StoreError, AMQPError, OSError, TimeoutError) as error:
            # The change is durable and its event is due: the sweeper publishes it.
            log.warning("event left to the sweeper", reason=type(error).__name__)
        return changed

    async def find(self, number: str, caller: Caller) -> Document:
        """The ticket with this number, if it exists for this caller.

        Raises:
            Problem: 400 for a number that no ticket can have, 404 for an unknown one.
        """
        if not is_well_formed(number):
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "mistyped-ticket-number",
                "No ticket can have this number; check it for a mistyped digit.",
            )
        structlog.contextvars.bind_contextvars(ticket_number=number)
        ticket = await self._store.find(number, caller.sees_only)
        if ticket is None:
            raise Problem(HTTPStatus.NOT_FOUND, "unknown-ticket", "There is no such ticket.")
        structlog.contextvars.bind_contextvars(request_id=str(ticket["_id"]))
        return ticket


def summary_of(ticket: Document) -> TicketSummary:
    """One row of the grid."""
    return TicketSummary.model_validate(_summary(ticket))


def detail_of(ticket: Document) -> TicketDetail:
    """The ticket's own page."""
    return TicketDetail.model_validate(
        {
            **_summary(ticket),
            "producer_id": ticket["producer_id"],
            "form": ticket["form"],
            "letters": ticket["letters"],
            "history": history.timeline_of(ticket),
            "version": ticket["version"],
            "allowed_moves": workflow.MOVES[Status(ticket["status"])],
        }
    )


def _summary(ticket: Document) -> dict[str, Any]:
    request_type, status = RequestType(ticket["request_type"]), Status(ticket["status"])
    return {
        "date": ticket["opened_at"],
        "ticket_number": ticket["number"],
        "request_type": request_type,
        "request_type_label": request_type.label,
        "status": status,
        "status_label": status.label,
        "request_id": ticket["_id"],
    }


def _new_ticket(submission: Submission, letters: tuple[CheckedLetter, ...], number: str) -> Document:
    fault = next((letter.fault for letter in letters if letter.fault), None)
    status = workflow.opening_status(fault)
    opened = history.entry(
        request_id=submission.request_id,
        sequence=1,
        type_=history.OPENED,
        actor=DESK,
        status=status,
        reason=fault.value if fault else None,
    )
    return {
        "_id": submission.request_id,
        "number": number,
        "producer_id": submission.producer.producer_id,
        "request_type": submission.request_type.value,
        "status": status.value,
        "open": status.is_open,
        "opened_at": opened["at"],
        "updated_at": opened["at"],
        "fingerprint": submission.fingerprint,
        "form": submission.form.model_dump(mode="json"),
        "letters": [letter.model_dump(mode="json") for letter in letters],
        "history": [opened],
    }


def _check_move(current: Status, move: StatusMove) -> None:
    try:
        workflow.check_move(current, move.status, move.reason)
    except workflow.IllegalMove as error:
        allowed = [status.value for status in error.allowed]
        raise Problem(
            HTTPStatus.CONFLICT,
            "illegal-move",
            f"A ticket in {current.label} may go to: {', '.join(allowed) or 'nowhere'}.",
            allowed_moves=allowed,
        ) from error
    except workflow.ReasonMissing as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "reason-missing",
            f"Give a reason to move a ticket to {move.status.label}.",
        ) from error


def _changed_meanwhile(version: int | None) -> Problem:
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        "changed-meanwhile",
        "The ticket was changed by somebody else; read it again.",
        version=version,
    )
