"""History entries: each is an event in waiting, and the events and timelines made from them."""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared.contracts.envelope import event_id, now
from shared.contracts.requests import FIRST_LABEL
from shared.contracts.ticket_views import HistoryItem
from shared.contracts.tickets import Status, TicketEvent

SOURCE = "/por-desk/tickets"
OPENED = "por.ticket.opened.v1"
STATUS_CHANGED = "por.ticket.status-changed.v1"
LETTER_ADDED = "por.ticket.letter-added.v1"

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
    """The public event that a history entry stands for: codes only, no comment, no actor."""
    extra = {name: item[name] for name in ("previous_status", "reason", "letter_id") if name in item}
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


def timeline_of(ticket: dict[str, Any]) -> list[HistoryItem]:
    """What the ticket's page shows."""
    return [HistoryItem.model_validate(item) for item in ticket["history"]]
