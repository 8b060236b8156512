"""The indexes of the tickets, as data: the grid in every order, for one producer and for all; filters; the sweep."""

from typing import Any

ASCENDING = 1

SORTS = {
    "date": "opened_at",
    "ticket_number": "number",
    "request_type": "request_type",
    "status": "status",
}
# What staff narrows the queue by; each is an index of its own.
FILTERS = ("status", "request_type", "assignee", "form.line_of_business", "form.account_number")

# Read off without a look at the tickets: who asks for the same, and how much there is.
RIVALRY = ("request_type", "open", "form.account_number", "form.line_of_business", "number")
BY_STATUS = ("open", "status", "number")
BY_ASSIGNEE = ("open", "assignee", "opened_at", "number")
ANSWERED = ("answered", "opened_at", "number")

Order = list[tuple[str, int]]


def order(column: str, direction: int) -> Order:
    """The number breaks ties, so that pages neither repeat nor miss a ticket."""
    return [(column, direction)] + ([] if column == "number" else [("number", direction)])


def indexes() -> list[tuple[Order, dict[str, Any]]]:
    """Every index as its fields and its options."""
    orders = [
        [*scope, ("open", ASCENDING), *order(column, ASCENDING)]
        for scope in ([("producer_id", ASCENDING)], [])
        for column in SORTS.values()
    ]
    filters = [[("open", ASCENDING), (name, ASCENDING), *order("opened_at", ASCENDING)] for name in FILTERS]
    return [
        *((fields, {}) for fields in (*orders, *filters, [(name, ASCENDING) for name in RIVALRY])),
        ([(name, ASCENDING) for name in ANSWERED], {"sparse": True}),
        ([("number", ASCENDING)], {"unique": True}),
        ([("due_at", ASCENDING)], {"sparse": True}),
    ]
