"""How the grid of tickets may be asked for: the gateway and tickets take the same words."""

from enum import StrEnum


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
