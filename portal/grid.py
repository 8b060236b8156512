"""The list of tickets: which part of it is asked for, and the links to the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query

from portal.gateway import Gateway, Json
from portal.tokens import AccessToken

SIZE = 10
NEWEST_FIRST = "-date"
COLUMNS = {"date": "Date", "ticket_number": "Ticket Number", "request_type": "Request Type", "status": "Status"}


@dataclass(frozen=True)
class Column:
    """The head of a column: where its arrow leads, and how the list is sorted by it now."""

    name: str
    label: str
    sorted: Literal["ascending", "descending", "none"]
    query: str


@dataclass(frozen=True)
class Asked:
    """What is asked for: open or closed ones, in which order, which page; ``filters`` are staff's."""

    state: str = "open"
    sort: str = NEWEST_FIRST
    page: int = 1
    size: int = SIZE
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str | int]:
        """As the gateway takes it."""
        return {**self.filters, "state": self.state, "sort": self.sort, "page": self.page, "size": self.size}


NEWEST = Asked()


async def read_grid(gateway: Gateway, token: AccessToken, asked: Asked) -> "Grid":
    """The page that is asked for, or the last one where there are not so many any more.

    Raises:
        Away, Refused: as the gateway does.
    """
    found = await gateway.tickets(token, asked.query)
    if found["items"] or not found["total"]:
        return Grid(asked, found)
    last = replace(asked, page=-(-found["total"] // asked.size))
    return Grid(last, await gateway.tickets(token, last.query))


@dataclass(frozen=True)
class Grid:
    """One page of the list, as the gateway gave it, and the ways on from it."""

    asked: Asked
    found: Json

    @property
    def columns(self) -> list[Column]:
        """The four columns."""
        return [self._column(name, label) for name, label in COLUMNS.items()]

    @property
    def before(self) -> str:
        """The query of the page before; empty: this is the first."""
        return self._query(page=self.asked.page - 1) if self.asked.page > 1 else ""

    @property
    def after(self) -> str:
        """The query of the next page; empty: this is the last."""
        return self._query(page=self.asked.page + 1) if self.found["last"] < self.found["total"] else ""

    def _column(self, name: str, label: str) -> Column:
        if self.asked.sort == name:
            return Column(name, label, "ascending", self._query(sort=f"-{name}", page=1))
        if self.asked.sort == f"-{name}":
            return Column(name, label, "descending", self._query(sort=name, page=1))
        return Column(name, label, "none", self._query(sort=name, page=1))

    def _query(self, **changed: str | int) -> str:
        asked = {**self.asked.filters, "sort": self.asked.sort, "page": self.asked.page, **changed}
        return "?" + urlencode(asked)


def asked_for(state: Literal["open", "closed"]) -> Callable[..., Asked]:
    """A FastAPI dependency: the part of the list in this state that the address asks for."""

    def dependency(
        sort: Annotated[str, Query(pattern=rf"^-?({'|'.join(COLUMNS)})$")] = NEWEST_FIRST,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> Asked:
        return Asked(state, sort, page)

    return dependency
