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
        description="What the mail says in place of the reason's own text; shown on the ticket, never in an event.",
    )


class Assignment(Contract):
    """Who shall work a ticket from now on, whoever did until now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assignee": "staff-2"}]})

    assignee: Person | None = Field(description="As tokens name their subject; null: nobody, for whoever claims it.")


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
                {"audience": "producer", "text": "The change will be in force on 1 February."},
            ]
        }
    )

    audience: Audience = Field(description="`staff`: no producer sees it. `producer`: he is mailed, and it is shown.")
    text: Words


class Withdrawal(Contract):
    """A producer takes his request back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "The group has changed its mind."}, {}]})

    comment: Words | None = None


class Answer(Contract):
    """What a producer answers in words where the desk asked for something."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "You reach me at 312-555-0142 after noon."}]})

    comment: Words


class ReasonText(Contract):
    """A reason, the text that goes into the mail unless staff writes another, and the moves it is meant for."""

    reason: ReasonCode
    text: str
    statuses: list[Status]
    about_letter: bool = Field(description="It finds fault with a letter: of no use where a request has none.")


class ReasonTexts(Contract):
    """Every reason that there is."""

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
    """How many open tickets somebody works; without a name: nobody does."""

    assignee: str | None = None
    count: int


class TicketCounts(Contract):
    """How much is open, and with whom."""

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
