"""What the gateway answers about requests and letters that it took."""

from enum import StrEnum
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.contracts.envelope import Contract
from shared.contracts.tickets import TicketNumber


class LetterReplyState(Contract):
    """Additional letters were accepted; their verdicts appear on the ticket."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ticket_number": "SR-00000001-3",
                    "letter_ids": [f"7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11.{'5e' * 32}"],
                }
            ]
        }
    )

    ticket_number: TicketNumber
    letter_ids: list[str]


class Progress(StrEnum):
    """How far a request has come.

    ``accepted``: letters and form are kept, no ticket is open yet. It is under way, unless the post was answered 503 or
    not at all: then it must be sent again under its Idempotency-Key.
    """

    ACCEPTED = "accepted"
    OPENED = "opened"


class RequestState(Contract):
    """The current state of a request."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "request_id": "7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11",
                    "state": "opened",
                    "ticket_number": "SR-00000001-3",
                    "notices": [],
                }
            ]
        }
    )

    request_id: UUID
    state: Progress
    ticket_number: TicketNumber | None = None
    notices: list[str] = Field(default=[], description="Texts of the holds that apply; only in the answer to the post.")


class PrivateFields(Contract):
    """The private fields of a request, unmasked."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "request_id": "7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11",
                    "fields": {"routing_number": "111000025", "bank_account_number": "000123456789"},
                }
            ]
        }
    )

    request_id: UUID
    fields: dict[str, str]
