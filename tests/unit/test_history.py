"""History entries, and the public events made from them."""

import json
from typing import Any
from uuid import uuid4

import pytest

from services.tickets import history
from shared.contracts.letters import LetterFault
from shared.contracts.tickets import Status
from tests.builders import NUMBER, REQUEST_ID

MORE: dict[str, dict[str, Any]] = {
    history.OPENED: {"reason": LetterFault.ENCRYPTED.value},
    history.STATUS_CHANGED: {"previous_status": "received", "reason": "other", "comment": "Call Dana, 555-0100."},
    history.LETTER_ADDED: {"letter_id": "letter-1", "comment": "Call Dana, 555-0100."},
    history.MESSAGE_ADDED: {"message": "Call Dana, 555-0100."},
    history.WORKED: {"act": "reassigned", "assignee": "staff-joan", "note": "Call Dana, 555-0100."},
}
PRIVATE = {"comment", "message", "note", "assignee"}


def entry(type_: str = history.STATUS_CHANGED, sequence: int = 2) -> dict[str, Any]:
    """A history entry of a type, by a member of staff."""
    return history.entry(
        request_id=REQUEST_ID,
        sequence=sequence,
        type_=type_,
        actor="staff-joan",
        status=Status.ACTION_NEEDED,
        **MORE[type_],
    )


def ticket(*entries: dict[str, Any]) -> dict[str, Any]:
    """A ticket as the store holds it, with what must not be public."""
    return {
        "_id": REQUEST_ID,
        "number": NUMBER,
        "request_type": "group-por-change",
        "producer_id": "P1001",
        "form": {"account_name": "Harbor & Pine", "account_number": "041872"},
        "history": list(entries),
    }


@pytest.mark.parametrize("type_", list(MORE))
def test_a_public_event_says_codes_only(type_: str) -> None:
    """No comment, actor, name or account leaves with a public event."""
    event = history.event_of(ticket(), entry(type_))
    said = event.model_dump_json()
    for private in ("staff-joan", "Call Dana", "Harbor", "041872", "comment", "actor", "assignee", "note"):
        assert private not in said
    assert set(json.loads(said)["data"]) <= {
        "ticket_number",
        "request_id",
        "request_type",
        "request_type_label",
        "producer_id",
        "status",
        "previous_status",
        "reason",
        "letter_id",
        "act",
        "has_message",
    }


@pytest.mark.parametrize("type_", list(MORE))
def test_an_event_tells_what_happened(type_: str) -> None:
    """The event carries its type, ticket, sequence and codes as the entry has them."""
    event = history.event_of(ticket(), entry(type_, 3))
    assert (event.type, event.subject, event.sequence) == (type_, NUMBER, "3")
    assert event.data.status is Status.ACTION_NEEDED
    data = event.data.model_dump(mode="json")
    assert all(data[name] == value for name, value in MORE[type_].items() if name not in PRIVATE)
    assert event.data.has_message is ("message" in MORE[type_] or None)


def test_the_same_entry_is_always_the_same_event() -> None:
    """The id follows from ticket, sequence and type alone; each of them makes it another."""
    made = entry()
    assert history.event_of(ticket(), made) == history.event_of(ticket(), made)
    assert made["id"] == entry()["id"]
    others = {entry(sequence=3)["id"], entry(history.LETTER_ADDED)["id"], _of_another_request()["id"]}
    assert len({made["id"], *others}) == 4


def _of_another_request() -> dict[str, Any]:
    return history.entry(
        request_id=uuid4(), sequence=2, type_=history.STATUS_CHANGED, actor="staff-joan", status=Status.ACTION_NEEDED
    )


def test_staffs_timeline_keeps_comment_and_actor() -> None:
    """On the ticket's own page staff sees the comment and who made the move."""
    [item] = history.timeline_of(ticket(entry()), for_staff=True)
    assert (item.comment, item.actor, item.previous_status) == ("Call Dana, 555-0100.", "staff-joan", Status.RECEIVED)


def test_a_producer_sees_neither_names_of_staff_nor_what_is_among_it() -> None:
    """His timeline has his own acts and the desk's as they are, staff's without a name, and no claim or inner note."""
    entries = [entry(type_, sequence) for sequence, type_ in enumerate(MORE, start=1)]
    entries[0]["actor"], entries[2]["actor"] = history.DESK, "P1001"
    seen = history.timeline_of(ticket(*entries), for_staff=False)
    assert [item.actor for item in seen] == ["desk", "Carrier staff", "P1001", "Carrier staff"]
    assert history.WORKED not in {item.type for item in seen}
    assert "staff-joan" not in "".join(item.model_dump_json() for item in seen)
    assert [item.actor for item in history.timeline_of(ticket(*entries), for_staff=True)][-1] == "staff-joan"


@pytest.mark.parametrize("type_", list(MORE))
def test_words_to_the_producer_travel_beside_their_event(type_: str) -> None:
    """What staff wrote goes into a message of its own that names the event, and nothing else does."""
    made = entry(type_)
    message = history.message_of(ticket(), made)
    if type_ != history.MESSAGE_ADDED:
        assert message is None
        return
    assert message is not None
    assert (message.data.event_id, message.data.text) == (made["id"], "Call Dana, 555-0100.")
    assert message == history.message_of(ticket(), made)
