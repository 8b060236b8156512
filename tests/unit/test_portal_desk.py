"""What staff's pages say: the queue's shortcuts, who did what, and whose words go into the mail."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from portal.grid import Asked, Grid
from portal.identity import User
from portal.moves import draft_of, message_of, reasons_for
from portal.queue import asked_by_staff, shortcuts_of
from portal.timeline import timeline_of
from tests.fixtures.portal import CHEAP

REASONS = [
    {"reason": "signature-missing", "text": "It is not signed.", "statuses": ["action-needed"], "about_letter": True},
    {"reason": "other", "text": "See the comment.", "statuses": ["on-hold"], "about_letter": False},
]
HASHED = CHEAP.hash("x")
STAFF = User(user_id="rokafor", name="Ruth Okafor", company="", email="r@c.example", role="staff", password=HASHED)
PRODUCER = User(
    user_id="dana", name="Dana", company="", email="d@a.example", role="producer", producer_id="P1001", password=HASHED
)


def asked(**filters: str) -> Asked:
    """The queue as an address asks for it."""
    typed = dict.fromkeys(
        ("status", "request_type", "line_of_business", "assignee", "older_than", "answered", "contested", "search"), ""
    )
    return asked_by_staff("open", "-date", 1, **typed | filters)


def test_the_shortcuts_count_what_they_lead_to() -> None:
    """All, mine, nobody's, answered, contested and each status have their counts; the one that is shown is marked."""
    counts = {
        "open": 5,
        "answered": 1,
        "contested": 2,
        "statuses": [{"status": "in-review", "count": 5}],
        "assignees": [{"count": 3}, {"assignee": "rokafor", "count": 2}],
    }
    found = {each.label: each for each in shortcuts_of(counts, asked(assignee="me"), "rokafor")}
    assert {label: each.count for label, each in found.items()} == {
        "Open": 5,
        "Mine": 2,
        "Nobody's": 3,
        "Answered": 1,
        "Contested": 2,
        "In review": 5,
    }
    assert [label for label, each in found.items() if each.is_current] == ["Mine"]
    assert found["In review"].query == "?status=in-review"


def test_filters_stay_while_one_sorts_and_pages() -> None:
    """The heads of the columns and the next page lead to the same part of the queue."""
    grid = Grid(asked(status="on-hold", search=" 041872 "), {"items": [1], "first": 1, "last": 25, "total": 60})
    for query in (grid.after, *(column.query for column in grid.columns)):
        assert {"status=on-hold", "search=041872"} <= {*urlsplit(query).query.split("&")}
    assert grid.asked.query["search"] == "041872"


def test_reasons_about_letters_are_for_requests_that_have_some() -> None:
    """Where a type takes no document, nobody is offered to find fault with one; an unknown type has all."""
    with_document: dict[str, Any] = {"documents": [{}]}
    assert reasons_for(with_document, REASONS) == reasons_for(None, REASONS) == REASONS
    assert [each["reason"] for each in reasons_for({"documents": []}, REASONS)] == ["other"]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("It is not signed.", ""), (" It is not signed.\r\n", ""), ("", ""), ("Page 2.\r\nSign it.", "Page 2.\nSign it.")],
)
def test_only_words_of_ones_own_take_the_place_of_the_reasons(typed: str, sent: str) -> None:
    """A text that was not edited is the reason's own still, and is not sent as staff's."""
    assert message_of(typed, "signature-missing", REASONS) == sent


@pytest.mark.parametrize(
    ("typed", "draft"),
    [("", "See the comment."), ("It is not signed.\r\n", "See the comment."), ("Page 2.\r\nSign.", "Page 2.\r\nSign.")],
)
def test_a_reasons_text_replaces_no_words_of_ones_own(typed: str, draft: str) -> None:
    """The text of a reason is put where there is none, or that of another reason; what staff wrote stays."""
    assert draft_of(typed, "other", REASONS) == draft


def entry(kind: str, actor: str, **more: Any) -> dict[str, Any]:
    """One entry of a history, as the gateway gives it."""
    empty = dict.fromkeys(("reason", "reason_text", "comment", "message", "note", "assignee", "act", "previous_status"))
    known = {"type": f"por.ticket.{kind}.v1", "at": "2027-01-04T15:04:05Z", "actor": actor, "status": "on-hold"}
    return empty | known | more


def test_the_timeline_says_who_did_what_to_whoever_looks() -> None:
    """Staff reads names and producer ids; a producer reads You and Carrier staff; the newest comes first."""
    history = [
        entry("opened", "desk", status="received"),
        entry("worked", "rokafor", act="reassigned", assignee="msantos"),
        entry("message-added", "Carrier staff", message="We are on it."),
        entry("letter-added", "P1001", comment="Signed."),
        entry("status-changed", "rokafor", previous_status="received", reason="other", message="Wait."),
    ]
    ticket = {"producer_id": "P1001", "history": history}
    names = {"rokafor": "Ruth Okafor", "msantos": "Miguel Santos"}
    seen = timeline_of(ticket, STAFF, lambda who: names.get(who, who))
    assert [(step.what, step.who) for step in seen] == [
        ("Received to On hold", "Ruth Okafor"),
        ("A further letter came", "Producer P1001"),
        ("The desk wrote to the producer", "Carrier staff"),
        ("Given to Miguel Santos", "Ruth Okafor"),
        ("Opened: Received", "Automatic"),
    ]
    assert (seen[0].reason, seen[0].said, seen[1].said) == ("Other.", ("Wait.",), ("Signed.",))
    own = timeline_of(ticket, PRODUCER, lambda who: who)
    assert (own[1].who, own[2].what) == ("You", "The desk wrote to you")
