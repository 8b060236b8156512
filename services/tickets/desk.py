"""What the desk does with tickets: open one, add a letter, move it, show it."""

from http import HTTPStatus
from uuid import uuid4

import structlog

from services.tickets import history, workflow
from services.tickets.numbers import is_well_formed, ticket_number
from services.tickets.outbox import AWAY, Outbox
from services.tickets.store import Document, TicketStore
from shared.contracts.letters import CheckedLetter
from shared.contracts.requests import LetterReply, Submission
from shared.contracts.ticket_views import StatusMove
from shared.contracts.tickets import Status
from shared.runtime.auth import Caller
from shared.runtime.failures import Permanent, Transient
from shared.runtime.logs import log
from shared.runtime.problems import Problem

DESK = "desk"
MOVE_ATTEMPTS = 5


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
        """Put the letters of a producer's reply on his ticket; a repeat changes nothing.

        Raises:
            Permanent: ``ticket-unknown`` or ``ticket-closed``.
            Transient: the ticket changed at the same moment.
        """
        for letter in letters:
            ticket = await self._store.get(reply.request_id)
            if ticket is None or ticket["producer_id"] != reply.producer_id:
                raise Permanent("ticket-unknown")
            structlog.contextvars.bind_contextvars(ticket_number=ticket["number"])
            kept = {each["letter_id"]: each for each in ticket["letters"]}
            known = kept.get(letter.letter_id)
            if known is not None and not workflow.takes_place(letter.fault, known["fault"]):
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
            kept[letter.letter_id] = letter.model_dump(mode="json")
            if not await self._store.change(reply.request_id, ticket["version"], entry, letters=[*kept.values()]):
                raise Transient("ticket-changed-meanwhile")
        await self._outbox.publish_pending(reply.request_id)

    async def move(self, number: str, move: StatusMove, caller: Caller, versions: frozenset[str] | None) -> Document:
        """Move a ticket on behalf of staff; ``versions`` are those that If-Match names.

        Raises:
            Problem: 400/404 for the number, 409 illegal move, 412 other version, 422 no reason.
        """
        changed = await self._change_status(number, move, caller, versions)
        try:
            await self._outbox.publish_pending(changed["_id"])
        except AWAY as error:
            # The change is durable and its event is due: the sweeper publishes it.
            log.warning("event left to the sweeper", reason=type(error).__name__)
        return changed

    async def _change_status(
        self, number: str, move: StatusMove, caller: Caller, versions: frozenset[str] | None
    ) -> Document:
        """Make a move on what is there; where somebody else was faster, on what is there then."""
        for _ in range(MOVE_ATTEMPTS):
            ticket = await self.find(number, caller)
            if versions is not None and str(ticket["version"]) not in versions:
                raise _changed_meanwhile(ticket["version"])
            _check_move(Status(ticket["status"]), move)
            changed = await self._store.change(
                ticket["_id"],
                ticket["version"],
                _move_entry(ticket, move, caller),
                status=move.status.value,
                open=move.status.is_open,
            )
            if changed is not None:
                return changed
        raise _changed_meanwhile(None)

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


def _new_ticket(submission: Submission, letters: tuple[CheckedLetter, ...], number: str) -> Document:
    fault = next((letter.fault for letter in letters if letter.fault), None)
    hold = next((notice for notice in submission.notices if notice.parks), None)
    status = workflow.opening_status(fault, hold.parks if hold else None)
    opened = history.entry(
        request_id=submission.request_id,
        sequence=1,
        type_=history.OPENED,
        actor=DESK,
        status=status,
        reason=hold.parks if hold else fault,
        comment=hold.text if hold else None,
    )
    return {
        "_id": submission.request_id,
        "number": number,
        "producer_id": submission.producer.producer_id,
        "request_type": submission.request_type,
        "request_type_label": submission.request_type_label,
        "status": status.value,
        "open": status.is_open,
        "opened_at": opened["at"],
        "updated_at": opened["at"],
        "fingerprint": submission.fingerprint,
        "form": submission.model_dump(mode="json")["form"],
        "letters": [letter.model_dump(mode="json") for letter in letters],
        "history": [opened],
    }


def _move_entry(ticket: Document, move: StatusMove, caller: Caller) -> Document:
    return history.entry(
        request_id=ticket["_id"],
        sequence=ticket["version"] + 1,
        type_=history.STATUS_CHANGED,
        actor=caller.subject,
        status=move.status,
        previous_status=ticket["status"],
        reason=move.reason.value if move.reason else None,
        comment=move.comment,
    )


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
