"""What the desk does with tickets by itself: open one, add a letter, find one."""

from functools import partial
from http import HTTPStatus
from uuid import uuid4

import structlog

from services.tickets import history, workflow
from services.tickets.comparison import Forms, first_forms, with_form
from services.tickets.numbers import is_well_formed, ticket_number
from services.tickets.outbox import Outbox
from services.tickets.store import Document, TicketStore
from services.tickets.turns import in_turn
from shared.contracts.letters import CheckedLetter
from shared.contracts.requests import LetterReply, Submission
from shared.contracts.tickets import Status
from shared.runtime.auth import Caller
from shared.runtime.failures import Deferred, Permanent, Transient
from shared.runtime.problems import Problem
from shared.runtime.together import together


class Desk:
    """The tickets and their rules, over one store and one outbox."""

    def __init__(self, store: TicketStore, outbox: Outbox) -> None:
        self._store, self._outbox = store, outbox

    async def open_ticket(self, submission: Submission, letters: tuple[CheckedLetter, ...], forms: Forms) -> None:
        """Give a request its ticket; a repeat finds it, publishes what is not out yet, and says again that it is open.

        Raises:
            Permanent: ``key-reused``, this request id has a ticket with another content.
        """
        # The address before there is a ticket: after it nobody would say again whom to write to.
        _, count = await together(self._outbox.give_address(submission), self._store.next_count())
        number = ticket_number(count)
        ticket, holder = _new_ticket(submission, letters, forms, number), uuid4()
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

    async def add_letters(self, reply: LetterReply, letters: tuple[CheckedLetter, ...], forms: Forms) -> None:
        """Put the letters of a producer's reply on his ticket; a repeat changes nothing.

        Raises:
            Permanent: ``ticket-unknown`` or ``ticket-closed``.
            Deferred: others change the ticket again and again.
        """
        for letter in letters:
            if await in_turn(partial(self._add_letter, reply, letter, forms)) is None:
                raise Deferred("ticket-changed-meanwhile")
        await self._outbox.publish_pending(reply.request_id)

    async def _add_letter(self, reply: LetterReply, letter: CheckedLetter, forms: Forms) -> Document | None:
        """The ticket with this letter on it; None where somebody else was faster."""
        ticket = await self._store.get(reply.request_id)
        if ticket is None or ticket["producer_id"] != reply.producer_id:
            raise Permanent("ticket-unknown")
        structlog.contextvars.bind_contextvars(ticket_number=ticket["number"])
        kept = {each["letter_id"]: each for each in ticket["letters"]}
        known = kept.get(letter.letter_id)
        is_new = known is None or workflow.takes_place(letter.fault, known["fault"])
        comment = _unsaid(ticket, reply)
        if not is_new and comment is None:
            return ticket
        if not ticket["open"]:
            raise Permanent("ticket-closed")
        if is_new:
            kept[letter.letter_id] = letter.model_dump(mode="json")
        entries, fields = _letter_entries(ticket, reply, letter, comment)
        return await self._store.change(
            reply.request_id,
            ticket["version"],
            *entries,
            letters=[*kept.values()],
            answered=ticket.get("answered", False) or letter.fault is None,
            **with_form(ticket, letter.letter_id, forms),
            **fields,
        )

    async def find(self, number: str, caller: Caller) -> Document:
        """The ticket with this number, if it exists for this caller.

        Raises:
            Problem: 400 for a number that no ticket can have, 404 for an unknown one.
        """
        if not is_well_formed(number):
            raise mistyped()
        structlog.contextvars.bind_contextvars(ticket_number=number)
        ticket = await self._store.find(number, caller.sees_only)
        if ticket is None:
            raise Problem(HTTPStatus.NOT_FOUND, "unknown-ticket", "There is no such ticket.")
        structlog.contextvars.bind_contextvars(request_id=str(ticket["_id"]))
        return ticket


def _new_ticket(submission: Submission, letters: tuple[CheckedLetter, ...], forms: Forms, number: str) -> Document:
    fault = next((letter.fault for letter in letters if letter.fault), None)
    hold = next((notice for notice in submission.notices if notice.parks), None)
    status = workflow.opening_status(fault, hold.parks if hold else None)
    opened = history.entry(
        request_id=submission.request_id,
        sequence=1,
        type_=history.OPENED,
        actor=history.DESK,
        status=status,
        reason=hold.parks if hold else fault,
        comment=hold.text if hold else None,
    )
    return {
        "_id": submission.request_id,
        "number": number,
        "producer_id": submission.producer.producer_id,
        "producer_name": submission.producer.name,
        "producer_email": submission.producer.email,
        "request_type": submission.request_type,
        "request_type_label": submission.request_type_label,
        "status": status.value,
        "open": status.is_open,
        "opened_at": opened["at"],
        "updated_at": opened["at"],
        "fingerprint": submission.fingerprint,
        **submission.model_dump(mode="json", include={"form"}),
        "letters": [letter.model_dump(mode="json") for letter in letters],
        "history": [opened],
        **first_forms(submission, forms),
    }


def _unsaid(ticket: Document, reply: LetterReply) -> str | None:
    """What the producer wrote with his letters, if it is not on the ticket yet."""
    is_there = any(item.get("reply_id") == str(reply.reply_id) for item in ticket["history"])
    return None if is_there else reply.comment


def _letter_entries(
    ticket: Document, reply: LetterReply, letter: CheckedLetter, comment: str | None
) -> tuple[list[Document], Document]:
    """The letter's entry; where the ticket waited for it a second one, and what else that changes."""
    before = Status(ticket["status"])
    after = workflow.answered_status(before, letter.fault)
    added = history.entry(
        request_id=reply.request_id,
        sequence=ticket["version"] + 1,
        type_=history.LETTER_ADDED,
        actor=reply.producer_id,
        status=before,
        letter_id=letter.letter_id,
        reason=letter.fault,
        comment=comment,
        reply_id=str(reply.reply_id),
    )
    if after is before:
        return [added], {}
    moved = history.entry(
        request_id=reply.request_id,
        sequence=ticket["version"] + 2,
        type_=history.STATUS_CHANGED,
        actor=history.DESK,
        status=after,
        previous_status=before.value,
    )
    return [added, moved], {"status": after.value}


def mistyped() -> Problem:
    """No ticket can have this number."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "mistyped-ticket-number",
        "This is not a valid ticket number; check it for a mistyped digit.",
    )
