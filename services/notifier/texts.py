"""What a mail says: what happened, why, and who does what next. Pure."""

from shared.contracts.tickets import (
    Status,
    TicketEvent,
    TicketLetterAdded,
    TicketMessageAdded,
    TicketOpened,
    TicketStatusChanged,
    TicketWorked,
    is_about_letter,
)

_NEXT_STEPS = {
    Status.RECEIVED: "The desk will review your request. You need not do anything.",
    Status.IN_REVIEW: "The desk is reviewing your request. You need not do anything.",
    Status.ACTION_NEEDED: "You: please answer on the page of this ticket; you can send documents there too.",
    Status.ON_HOLD: "The desk will take it up again. You need not do anything.",
    Status.APPROVED: "The desk will now make the change. You need not do anything.",
    Status.RESOLVED: "The change is made and the ticket is closed. Nothing is left to do.",
    Status.REJECTED: "The ticket is closed. You may send a new request at any time.",
    Status.WITHDRAWN: "The ticket is closed. You may send a new request at any time.",
}

_SEND_LETTER = "You: please send a corrected letter for this ticket."
_MESSAGE_ADDED = {
    True: "You can read it, and send a further letter, on the page of your ticket.",
    False: "The ticket is closed. You may send a new request at any time.",
}
_LETTER_ADDED = "The desk will look at your letter. You need not do anything."


def is_mailed(event: TicketEvent) -> bool:
    """Whether the producer is told of it; what staff does among itself is not his."""
    return not isinstance(event, TicketWorked)


def words(event: TicketEvent, message: str | None) -> tuple[str, str] | None:
    """What the mail says in somebody's own words, under which heading: staff's where it wrote, else the reason's."""
    reason = event.data.reason
    if message is not None:
        return ("Reason" if reason else "From the desk"), message
    return ("Reason", reason.sentence) if reason else None


def next_step(event: TicketEvent) -> str:
    """Who does what next; after a further letter that hangs on the letter, whatever the ticket waited for before."""
    status, reason = event.data.status, event.data.reason
    if isinstance(event, TicketMessageAdded):
        return _MESSAGE_ADDED[status.is_open]
    if isinstance(event, TicketLetterAdded) and status.is_open:
        return _SEND_LETTER if reason else _LETTER_ADDED
    if status is Status.ACTION_NEEDED and reason and is_about_letter(reason):
        return _SEND_LETTER
    return _NEXT_STEPS[status]


def headline(event: TicketEvent) -> str:
    """What happened."""
    label = event.data.status.label
    if isinstance(event, TicketOpened):
        return f"We received your request and opened ticket {event.data.ticket_number}."
    if isinstance(event, TicketLetterAdded):
        return "We received your further letter."
    if isinstance(event, TicketMessageAdded):
        return "The desk wrote to you about your request."
    assert isinstance(event, TicketStatusChanged)
    return f"Your request moved from {event.data.previous_status.label} to {label}."


def subject(event: TicketEvent) -> str:
    """The subject line; it begins with the ticket number."""
    return f"{event.data.ticket_number}: {event.data.status.label}"
