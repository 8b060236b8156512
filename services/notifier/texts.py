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
    Status.RECEIVED: "We will review your request. No action is needed from you.",
    Status.IN_REVIEW: "We are reviewing your request. No action is needed from you.",
    Status.ACTION_NEEDED: "Please reply on this ticket's page. You can attach documents there.",
    Status.ON_HOLD: "We will resume work on your request. No action is needed from you.",
    Status.APPROVED: "Your request is approved, and we are completing it. No action is needed from you.",
    Status.RESOLVED: "Your request is complete and the ticket is closed.",
    Status.REJECTED: "The ticket is closed. You may submit a new request at any time.",
    Status.WITHDRAWN: "The ticket is closed. You may submit a new request at any time.",
}

_SEND_LETTER = "Please send a corrected letter on this ticket's page."
_MESSAGE_ADDED = {
    True: "You can also read the message in the portal, and send documents there.",
    False: "The ticket is closed. You may submit a new request at any time.",
}
_LETTER_ADDED = "We will review your letter. No action is needed from you."


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
        return "We received your additional letter."
    if isinstance(event, TicketMessageAdded):
        return "You have a message about your request."
    assert isinstance(event, TicketStatusChanged)
    return f"The status of your request changed from {event.data.previous_status.label} to {label}."


def subject(event: TicketEvent) -> str:
    """The subject line; it begins with the ticket number."""
    return f"{event.data.ticket_number}: {event.data.status.label}"
