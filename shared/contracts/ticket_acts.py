"""What people send to do something with a ticket, and what they may choose from."""

from enum import StrEnum

from pydantic import ConfigDict, Field

from shared.contracts.envelope import Contract
from shared.contracts.grid import Person
from shared.contracts.messages import Words
from shared.contracts.tickets import ReasonCode, Status


class StatusMove(Contract):
    """What staff sends to move a ticket."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "action-needed", "reason": "signature-missing", "comment": "Page 2 is not signed."},
                {
                    "status": "rejected",
                    "reason": "producer-not-appointed",
                    "message": "The new producer is not appointed for dental.\nPlease call us to be appointed.",
                },
            ]
        }
    )

    status: Status
    reason: ReasonCode | None = Field(
        default=None,
        description="Required for Action needed, On hold, Rejected and Withdrawn.",
    )
    comment: Words | None = Field(default=None, description="Shown on the ticket, never in a public event.")
    message: Words | None = Field(
        default=None,
        description="What the email says instead of the reason's own text; shown on the ticket, never in an event.",
    )


class Assignment(Contract):
    """Who works a ticket from now on, whoever did before."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assignee": "staff-2"}]})

    assignee: Person | None = Field(
        description="The subject of that person's token; null: nobody, for anyone to claim."
    )


class Audience(StrEnum):
    """Who reads a note."""

    STAFF = "staff"
    PRODUCER = "producer"


class Note(Contract):
    """What staff writes down."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"audience": "staff", "text": "Called the group: the signer left in May."},
                {"audience": "producer", "text": "The change will take effect on February 1."},
            ]
        }
    )

    audience: Audience = Field(description="`staff`: for staff only. `producer`: emailed, and on the ticket.")
    text: Words


class Withdrawal(Contract):
    """A producer withdraws a request."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "The group has changed its mind."}, {}]})

    comment: Words | None = None


class Answer(Contract):
    """A producer's reply in text where the desk asked for something."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"comment": "Please call me at 312-555-0142 after noon."}]}
    )

    comment: Words


class ReasonText(Contract):
    """A reason, the text that goes into the email unless staff writes another, and the moves it is meant for."""

    reason: ReasonCode
    text: str
    statuses: list[Status]
    about_letter: bool = Field(description="Whether it is about a letter, and so only fits requests that have one.")


class ReasonTexts(Contract):
    """Every reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "reason": "signature-missing",
                            "text": "The letter is not signed and dated.",
                            "statuses": ["action-needed", "rejected"],
                            "about_letter": True,
                        }
                    ]
                }
            ]
        }
    )

    items: list[ReasonText]


class StatusCount(Contract):
    """How many open tickets are in a status."""

    status: Status
    count: int


class AssigneeCount(Contract):
    """How many open tickets are assigned to someone; without a name: to nobody."""

    assignee: str | None = None
    count: int


class TicketCounts(Contract):
    """Open tickets by status and assignee."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "open": 3,
                    "answered": 1,
                    "contested": 2,
                    "statuses": [{"status": "received", "count": 2}, {"status": "in-review", "count": 1}],
                    "assignees": [{"count": 2}, {"assignee": "staff-1", "count": 1}],
                }
            ]
        }
    )

    open: int
    answered: int
    contested: int
    statuses: list[StatusCount]
    assignees: list[AssigneeCount]
