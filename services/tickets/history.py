"""History entries: each is an event in waiting, and the events and timelines made from them."""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared.contracts.envelope import event_id, now
from shared.contracts.messages import MessageWritten, WrittenMessage
from shared.contracts.requests import FIRST_LABEL, Address, AddressGiven, Submission
from shared.contracts.ticket_views import HistoryItem
from shared.contracts.tickets import Status, TicketEvent

SOURCE = "/por-desk/tickets"
OPENED = "por.ticket.opened.v1"
STATUS_CHANGED = "por.ticket.status-changed.v1"
LETTER_ADDED = "por.ticket.letter-added.v1"
MESSAGE_ADDED = "por.ticket.message-added.v1"
WORKED = "por.ticket.worked.v1"
MESSAGE_WRITTEN = "por.message.written.v1"
ADDRESS_GIVEN = "por.address.given.v1"

DESK = "desk"
STAFF = "Carrier staff"

_EVENTS: TypeAdapter[TicketEvent] = TypeAdapter(TicketEvent)


def entry(
    *,
    request_id: UUID,
    sequence: int,
    type_: str,
    actor: str,
    status: Status,
    **more: Any,
) -> dict[str, Any]:
    """The ``sequence``-th thing that happens to a ticket; its id follows from ticket and sequence."""
    return {
        "id": event_id(f"{request_id}#{sequence}", type_),
        "sequence": sequence,
        "type": type_,
        "at": now(),
        "actor": actor,
        "status": status.value,
        **{name: value for name, value in more.items() if value is not None},
    }


def event_of(ticket: dict[str, Any], item: dict[str, Any]) -> TicketEvent:
    """The public event that a history entry stands for: codes only, no words, no actor, no assignee."""
    extra: dict[str, Any] = {
        name: item[name] for name in ("previous_status", "reason", "letter_id", "act") if name in item
    }
    if "message" in item:
        extra["has_message"] = True
    return _EVENTS.validate_python(
        {
            "id": item["id"],
            "source": SOURCE,
            "type": item["type"],
            "subject": ticket["number"],
            "time": item["at"],
            "sequence": str(item["sequence"]),
            "data": {
                "ticket_number": ticket["number"],
                "request_id": ticket["_id"],
                "request_type": ticket["request_type"],
                "request_type_label": ticket.get("request_type_label", FIRST_LABEL),
                "producer_id": ticket["producer_id"],
                "status": item["status"],
                **extra,
            },
        }
    )


def message_of(ticket: dict[str, Any], item: dict[str, Any]) -> MessageWritten | None:
    """The words that belong to an entry's event, for the mail alone; None where it has none."""
    if "message" not in item:
        return None
    return MessageWritten(
        id=event_id(item["id"], MESSAGE_WRITTEN),
        source=SOURCE,
        subject=str(ticket["_id"]),
        time=item["at"],
        data=WrittenMessage(request_id=ticket["_id"], event_id=item["id"], text=item["message"]),
    )


def address_of(submission: Submission) -> AddressGiven:
    """Whom the mails about a request go to, for the mailer alone."""
    return AddressGiven(
        id=event_id(submission.request_id, ADDRESS_GIVEN),
        source=SOURCE,
        subject=str(submission.request_id),
        time=now(),
        data=Address(request_id=submission.request_id, producer=submission.producer),
    )


def timeline_of(ticket: dict[str, Any], *, for_staff: bool) -> list[HistoryItem]:
    """What the ticket's page shows; to its producer neither what staff does among itself nor who of staff did what."""
    if for_staff:
        return [_shown(item) for item in ticket["history"]]
    known = {DESK, ticket["producer_id"]}
    return [
        _shown({**item, "actor": item["actor"] if item["actor"] in known else STAFF})
        for item in ticket["history"]
        if item["type"] != WORKED
    ]


def _shown(item: dict[str, Any]) -> HistoryItem:
    shown = HistoryItem.model_validate(item)
    return shown.model_copy(update={"reason_text": shown.reason.sentence}) if shown.reason else shown
