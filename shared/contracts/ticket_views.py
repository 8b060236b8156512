"""Tickets as they cross the gateway: the row, the page, the whole ticket, and a move."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from shared.contracts.envelope import Contract
from shared.contracts.letters import CheckedLetter
from shared.contracts.requests import Form, RequestType
from shared.contracts.tickets import ReasonCode, Status, TicketNumber

_EXAMPLE: dict[str, JsonValue] = {
    "date": "2027-01-04T15:04:05Z",
    "ticket_number": "SR-00000001-3",
    "request_type": "group-por-change",
    "request_type_label": "Group Producer of Record Change",
    "status": "received",
    "status_label": "Received",
    "request_id": "7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11",
}
_DETAIL_EXAMPLE: dict[str, JsonValue] = {
    **_EXAMPLE,
    "producer_id": "P1001",
    "form": {
        "line_of_business": "group-medical",
        "account_number": "041872",
        "account_name": "Harbor & Pine Woodworks, Inc.",
        "effective_date": "2027-02-01",
    },
    "letters": [
        {
            "sha256": "5e" * 32,
            "filename": "letter.pdf",
            "media_type": "application/pdf",
            "size": 48213,
            "letter_id": f"7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11.{'5e' * 32}",
            "pages": 1,
        }
    ],
    "history": [
        {"sequence": 1, "type": "opened", "at": "2027-01-04T15:04:05Z", "actor": "desk", "status": "received"},
    ],
    "version": 1,
    "allowed_moves": ["in-review", "action-needed", "on-hold", "rejected", "withdrawn"],
}


class TicketSummary(Contract):
    """One row of the portal's *Existing Request Tickets*."""

    date: datetime = Field(description="When the ticket was opened, UTC.")
    ticket_number: TicketNumber
    request_type: RequestType
    request_type_label: str
    status: Status
    status_label: str
    request_id: UUID


class TicketPage(Contract):
    """A page of tickets: ``Showing {first} - {last} of {total}``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [_EXAMPLE], "first": 1, "last": 1, "total": 1}]},
    )

    items: list[TicketSummary]
    first: int
    last: int
    total: int


class HistoryItem(Contract):
    """One thing that happened to a ticket."""

    sequence: int
    type: str
    at: datetime
    actor: str
    status: Status
    previous_status: Status | None = None
    reason: ReasonCode | None = None
    comment: str | None = None
    letter_id: str | None = None


class TicketDetail(TicketSummary):
    """A ticket with its form, letters and history."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DETAIL_EXAMPLE]})

    producer_id: str
    form: Form = Field(description="The fields that were filled in; of a private one only what may be shown.")
    letters: list[CheckedLetter]
    history: list[HistoryItem]
    version: int = Field(description="Grows with each change; the ETag carries it.")
    allowed_moves: list[Status]


class StatusMove(Contract):
    """What staff sends to move a ticket."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "action-needed", "reason": "signature-missing", "comment": "Page 2 is not signed."},
            ]
        }
    )

    status: Status
    reason: ReasonCode | None = Field(
        default=None,
        description="Required for Action needed, On hold, Rejected and Withdrawn.",
    )
    comment: Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)] | None = Field(
        default=None, description="Shown on the ticket, never in a public event."
    )
