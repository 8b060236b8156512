"""What each act does to the ticket it is done on: which entry, which fields, or why it may not be. Pure."""

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from services.tickets import history, workflow
from services.tickets.store import Document
from shared.contracts.ticket_acts import Answer, Assignment, Audience, Note, StatusMove, Withdrawal
from shared.contracts.tickets import Act, StaffReason, Status
from shared.runtime.problems import Problem


@dataclass(frozen=True)
class Change:
    """One act: its history entry in parts, and what else it sets on the ticket."""

    type_: str
    entry: dict[str, Any]
    fields: dict[str, Any] = field(default_factory=dict)


def move(ticket: Document, wish: StatusMove) -> Change:
    """Move a ticket to another status.

    Raises:
        Problem: 409 illegal move, 422 no reason.
    """
    current = Status(ticket["status"])
    try:
        workflow.check_move(current, wish.status, wish.reason)
    except workflow.IllegalMove as error:
        allowed = [status.value for status in error.allowed]
        raise Problem(
            HTTPStatus.CONFLICT,
            "illegal-move",
            f"A ticket in {current.label} can move to: {', '.join(allowed) or 'no other status'}.",
            allowed_moves=allowed,
        ) from error
    except workflow.ReasonMissing as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "reason-missing",
            f"A reason is required to move a ticket to {wish.status.label}.",
        ) from error
    return Change(
        history.STATUS_CHANGED,
        {
            "status": wish.status,
            "previous_status": current.value,
            "reason": wish.reason.value if wish.reason else None,
            "comment": wish.comment,
            "message": wish.message,
        },
        {"status": wish.status.value, "open": wish.status.is_open, "answered": False},
    )


def claim(ticket: Document, who: str) -> Change | None:
    """Take a ticket that nobody works; None where he has it already.

    Raises:
        Problem: 409 where it is closed, or a colleague has it.
    """
    holder = ticket.get("assignee")
    if holder == who:
        return None
    if holder is not None:
        raise Problem(
            HTTPStatus.CONFLICT,
            "already-claimed",
            "A colleague is working on this ticket; reassign it to yourself to take over.",
            assignee=holder,
        )
    return _assigned(ticket, Act.CLAIMED, who)


def assign(ticket: Document, wish: Assignment) -> Change | None:
    """Give a ticket to somebody, or to nobody, whoever has it; None where that is so already.

    Raises:
        Problem: 409 where it is closed.
    """
    if wish.assignee == ticket.get("assignee"):
        return None
    return _assigned(ticket, Act.REASSIGNED if wish.assignee else Act.RELEASED, wish.assignee)


def note(ticket: Document, wish: Note) -> Change:
    """Write something down, for colleagues or for the producer; on closed tickets too."""
    status = Status(ticket["status"])
    if wish.audience is Audience.STAFF:
        return Change(history.WORKED, {"status": status, "act": Act.NOTED.value, "note": wish.text})
    return Change(history.MESSAGE_ADDED, {"status": status, "message": wish.text})


def withdraw(ticket: Document, wish: Withdrawal) -> Change:
    """Take a request back on behalf of its producer.

    Raises:
        Problem: 409 where the ticket is closed, or the change is being made.
    """
    _require_open(ticket)
    try:
        return move(
            ticket,
            StatusMove(status=Status.WITHDRAWN, reason=StaffReason.WITHDRAWN_BY_PRODUCER, comment=wish.comment),
        )
    except Problem as error:
        raise Problem(
            HTTPStatus.CONFLICT,
            "too-late-to-withdraw",
            "The request is approved and is being completed; please call the carrier.",
        ) from error


def answer(ticket: Document, wish: Answer) -> Change:
    """Answer the desk in words on behalf of the producer, by which the ticket goes back to staff.

    Raises:
        Problem: 409 where the ticket is closed, or the desk waits for no answer.
    """
    _require_open(ticket)
    if Status(ticket["status"]) is not Status.ACTION_NEEDED:
        raise Problem(
            HTTPStatus.CONFLICT,
            "no-answer-needed",
            "The desk is not waiting for a reply; send an additional letter if you have something to add.",
        )
    change = move(ticket, StatusMove(status=Status.IN_REVIEW, comment=wish.comment))
    return replace(change, fields={**change.fields, "answered": True})


def _assigned(ticket: Document, act: Act, assignee: str | None) -> Change:
    _require_open(ticket)
    entry = {"status": Status(ticket["status"]), "act": act.value, "assignee": assignee}
    return Change(history.WORKED, entry, {"assignee": assignee})


def _require_open(ticket: Document) -> None:
    if not ticket["open"]:
        raise Problem(HTTPStatus.CONFLICT, "ticket-closed", "The ticket is closed.")
