"""Staff's queue: what it is filtered by, and the ways to its parts with how much is in each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

from portal.forms import worded
from portal.gateway import Json
from portal.grid import COLUMNS, NEWEST_FIRST, Asked

SIZE = 25
LONGEST = 100  # characters of any filter; what they mean is the desk's to say
AGES = {"1": "1 day", "3": "3 days", "7": "7 days", "14": "14 days", "30": "30 days"}
STATES = {"open": "Open", "closed": "Closed", "all": "All"}
STATUSES = (
    *("received", "in-review", "action-needed", "on-hold", "approved"),
    *("resolved", "rejected", "withdrawn"),
)
FLAGS = {"answered": "Answered", "contested": "Contested"}

Typed = Annotated[str, Query(max_length=LONGEST)]


@dataclass(frozen=True)
class Shortcut:
    """A part of the queue that one often wants to see."""

    label: str
    count: int
    query: str
    is_current: bool


def asked_by_staff(
    state: Annotated[str, Query(pattern=f"^({'|'.join(STATES)})$")] = "open",
    sort: Annotated[str, Query(pattern=rf"^-?({'|'.join(COLUMNS)})$")] = NEWEST_FIRST,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    status: Typed = "",
    request_type: Typed = "",
    line_of_business: Typed = "",
    assignee: Typed = "",
    older_than: Typed = "",
    answered: Typed = "",
    contested: Typed = "",
    search: Typed = "",
) -> Asked:
    """A FastAPI dependency: the part of the queue that the address asks for; an empty filter is none."""
    filters = {
        "state": state,
        "status": status,
        "request_type": request_type,
        "line_of_business": line_of_business,
        "assignee": assignee,
        "older_than": older_than,
        "answered": answered,
        "contested": contested,
        "search": search.strip(),
    }
    return Asked(state, sort, page, SIZE, {name: value for name, value in filters.items() if value})


def shortcuts_of(counts: Json, asked: Asked, me: str) -> list[Shortcut]:
    """All that is open, one's own, nobody's, what waits to be looked at, and each status that is not empty."""
    held: dict[str | None, int] = {each.get("assignee"): each["count"] for each in counts["assignees"]}
    parts: list[tuple[str, int, Mapping[str, str]]] = [
        ("Open", counts["open"], {}),
        ("Mine", held.get(me, 0), {"assignee": "me"}),
        ("Nobody's", held.get(None, 0), {"assignee": "nobody"}),
        *((words, counts[flag], {flag: "true"}) for flag, words in FLAGS.items()),
        *((worded(each["status"]), each["count"], {"status": each["status"]}) for each in counts["statuses"]),
    ]
    now = {name: value for name, value in asked.filters.items() if (name, value) != ("state", "open")}
    return [Shortcut(label, count, f"?{urlencode(query)}", now == query) for label, count, query in parts]


def lines_of(types: list[Json]) -> dict[str, str]:
    """Every line of business that a form of the catalogue offers."""
    return {
        value: words
        for entry in types
        for field in entry["layout"]
        if field["name"] == "line_of_business"
        for value, words in field["choices"].items()
    }
