"""How the grid of tickets may be asked for: the gateway and tickets take the same words."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.envelope import Contract
from shared.contracts.tickets import Status

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Person = Annotated[str, StringConstraints(min_length=1, max_length=255)]

ME, NOBODY = "me", "nobody"


class State(StrEnum):
    """Which tickets: resolved, rejected and withdrawn ones are closed."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"

    @property
    def is_open(self) -> bool | None:
        """The filter on open; None: both."""
        return {"open": True, "closed": False}.get(self.value)


class Sort(StrEnum):
    """A column, and ``-`` before it for descending."""

    OLDEST_FIRST = "date"
    NEWEST_FIRST = "-date"
    NUMBER = "ticket_number"
    NUMBER_DOWN = "-ticket_number"
    TYPE = "request_type"
    TYPE_DOWN = "-request_type"
    STATUS = "status"
    STATUS_DOWN = "-status"

    @property
    def column(self) -> str:
        """The column's name."""
        return self.value.removeprefix("-")

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.value.startswith("-")


class TicketQuery(Contract):
    """Which tickets, in which order; what producers may not ask for is in :attr:`asks_as_staff`."""

    state: State = State.OPEN
    sort: Sort = Sort.NEWEST_FIRST
    page: int = Field(default=1, ge=1, le=100_000)
    size: int = Field(default=25, ge=1, le=100)
    request_id: UUID | None = None
    status: Status | None = None
    request_type: Code | None = None
    line_of_business: Code | None = None
    older_than: int | None = Field(default=None, ge=0, le=3650, description="Opened more than this many days ago.")
    search: Annotated[str, StringConstraints(pattern=r"^(SR-[0-9]{8}-[0-9]|[0-9]{6})$")] | None = Field(
        default=None, description="A complete ticket number or account number."
    )
    assignee: Person | None = Field(
        default=None, description="Staff only. `me`, `nobody`, or an assignee as shown on the ticket."
    )
    answered: bool | None = Field(
        default=None, description="Staff only. Whether the producer has answered and nobody has looked at it yet."
    )
    contested: bool | None = Field(
        default=None, description="Staff only. Whether another open request is for the same account and line."
    )

    @property
    def asks_as_staff(self) -> list[str]:
        """The parameters given that only staff may use."""
        return [name for name in ("assignee", "answered", "contested") if getattr(self, name) is not None]
