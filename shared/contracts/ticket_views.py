"""Tickets as they cross the gateway: the row, the page, the whole ticket, and a move."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from shared.contracts.comparisons import FormComparison
from shared.contracts.envelope import Contract
from shared.contracts.letters import CheckedLetter
from shared.contracts.requests import Form, RequestType
from shared.contracts.tickets import Act, ReasonCode, Status, TicketNumber

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
        {
            "sequence": 1,
            "type": "por.ticket.opened.v1",
            "at": "2027-01-04T15:04:05Z",
            "actor": "desk",
            "status": "received",
        },
    ],
    "version": 1,
    "allowed_moves": ["in-review", "action-needed", "on-hold", "rejected", "withdrawn"],
}
_STAFFS_EXAMPLE: dict[str, JsonValue] = {
    **_DETAIL_EXAMPLE,
    "history": [
        {
            "sequence": 1,
            "type": "por.ticket.opened.v1",
            "at": "2027-01-04T15:04:05Z",
            "actor": "desk",
            "status": "received",
        },
        {
            "sequence": 2,
            "type": "por.ticket.worked.v1",
            "at": "2027-01-04T16:00:00Z",
            "actor": "staff-1",
            "status": "received",
            "act": "claimed",
            "assignee": "staff-1",
        },
    ],
    "version": 2,
    "staff": {
        "producer_name": "Dana Whitfield",
        "producer_email": "dana@whitfield-benefits.example",
        "assignee": "staff-1",
        "answered": False,
        "contested_with": ["SR-00000007-0"],
        "forms": [
            {
                "letter_id": f"7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11.{'5e' * 32}",
                "result": "differs",
                "version": "2026-11",
                "is_current": True,
                "fields": [
                    {
                        "name": "account_number",
                        "label": "Account number",
                        "form": "041-873",
                        "request": "041872",
                        "result": "differs",
                    },
                    {"name": "signature", "label": "Signature", "form": "/s/ M. Ellison"},
                    {"name": "signed_on", "label": "Date signed", "result": "missing"},
                ],
            }
        ],
    },
}


class StaffView(Contract):
    """What only staff sees of a ticket."""

    producer_name: str | None = Field(default=None, description="Who asks, as the token of the request said.")
    producer_email: str | None = None
    assignee: str | None = Field(default=None, description="Who is working on it; others may act on it too.")
    answered: bool = Field(description="The producer has answered and nobody has looked at it yet.")
    contested_with: list[TicketNumber] = Field(
        description="Other open requests to change the producer of record for the same account and line."
    )
    forms: list[FormComparison] | None = Field(
        default=None,
        description="Only for a producer of record change, on the ticket itself: its letters read as transfer forms.",
    )
    fingerprint: str | None = Field(
        default=None, description="Which of two requests under one key the ticket is of; says nothing of what is in it."
    )


class TicketSummary(Contract):
    """One row of the portal's *Existing Request Tickets*."""

    date: datetime = Field(description="When the ticket was opened, UTC.")
    ticket_number: TicketNumber
    request_type: RequestType
    request_type_label: str
    status: Status
    status_label: str
    request_id: UUID
    staff: StaffView | None = Field(default=None, description="Only for staff.")


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
    actor: str = Field(description="Who did it. Producers see all staff as `Carrier staff`.")
    status: Status
    previous_status: Status | None = None
    reason: ReasonCode | None = None
    reason_text: str | None = Field(default=None, description="The reason as a sentence, as in the email.")
    comment: str | None = Field(default=None, description="For the producer and staff; never in an email.")
    message: str | None = Field(default=None, description="What staff wrote to the producer; also in the email.")
    letter_id: str | None = None
    act: Act | None = Field(default=None, description="Staff only, as are assignee and note.")
    assignee: str | None = None
    note: str | None = None


class TicketLetter(CheckedLetter):
    """A letter as its ticket shows it."""

    fault_text: str | None = Field(default=None, description="The fault as a sentence that says what to do.")


class TicketDetail(TicketSummary):
    """A ticket with its form, letters and history."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DETAIL_EXAMPLE, _STAFFS_EXAMPLE]})

    producer_id: str
    form: Form = Field(description="The fields that were filled in; private ones masked.")
    letters: list[TicketLetter]
    history: list[HistoryItem]
    version: int = Field(description="Increases with each change; also sent as the ETag.")
    allowed_moves: list[Status]
