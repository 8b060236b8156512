"""What a mail says: what happened, why, and who does what next. Pure."""

from shared.contracts.letters import LetterFault
from shared.contracts.tickets import (
    ReasonCode,
    StaffReason,
    Status,
    TicketEvent,
    TicketLetterAdded,
    TicketOpened,
)

_STAFF_REASONS = {
    StaffReason.LETTERHEAD_MISSING: "The letter is not on the group's letterhead.",
    StaffReason.SIGNATURE_MISSING: "The letter is not signed and dated.",
    StaffReason.SIGNER_NOT_AUTHORIZED: "The signer is not authorized to change the contract.",
    StaffReason.DETAILS_DO_NOT_MATCH: "The letter and the request do not say the same.",
    StaffReason.LETTER_OUTDATED: "The letter was signed too long ago.",
    StaffReason.PRODUCER_NOT_APPOINTED: "The new producer is not appointed for this line.",
    StaffReason.UNDER_65_HOLD: "There is a hold on under 65 Producer of Record transfers.",
    StaffReason.WAITING_FOR_CARRIER: "The desk is waiting for another department.",
    StaffReason.DUPLICATE_REQUEST: "The same change was asked for in another request.",
    StaffReason.WITHDRAWN_BY_PRODUCER: "You asked to withdraw it.",
    StaffReason.OTHER: "See the desk's comment on the ticket.",
}

_NEXT_STEPS = {
    Status.RECEIVED: "The desk will review your request. You need not do anything.",
    Status.IN_REVIEW: "The desk is reviewing your request. You need not do anything.",
    Status.ACTION_NEEDED: "You: please send a corrected letter for this ticket.",
    Status.ON_HOLD: "The desk will take it up again. You need not do anything.",
    Status.APPROVED: "The desk will now make the change. You need not do anything.",
    Status.RESOLVED: "The change is made and the ticket is closed. Nothing is left to do.",
    Status.REJECTED: "The ticket is closed. You may send a new request at any time.",
    Status.WITHDRAWN: "The ticket is closed. You may send a new request at any time.",
}

_LETTER_ADDED = "The desk will look at your letter. You need not do anything."


def reason_sentence(reason: ReasonCode | None) -> str | None:
    """The reason as a producer reads it."""
    if reason is None:
        return None
    return reason.sentence if isinstance(reason, LetterFault) else _STAFF_REASONS[reason]


def next_step(event: TicketEvent) -> str:
    """Who does what next; after a further letter that hangs on the letter, whatever the ticket waited for before."""
    status = event.data.status
    if isinstance(event, TicketLetterAdded) and status.is_open:
        return _NEXT_STEPS[Status.ACTION_NEEDED] if event.data.reason else _LETTER_ADDED
    return _NEXT_STEPS[status]


def headline(event: TicketEvent) -> str:
    """What happened."""
    label = event.data.status.label
    if isinstance(event, TicketOpened):
        return f"We received your request and opened ticket {event.data.ticket_number}."
    if isinstance(event, TicketLetterAdded):
        return "We received your further letter."
    return f"Your request moved from {event.data.previous_status.label} to {label}."


def subject(event: TicketEvent) -> str:
    """The subject line; it begins with the ticket number."""
    return f"{event.data.ticket_number}: {event.data.status.label}"
