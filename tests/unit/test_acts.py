"""What each act does to a ticket, and when it may not be done."""

from functools import partial
from typing import Any

import pytest

from services.tickets import acts, history
from services.tickets.workflow import MEANT_FOR, NEEDS_REASON, answered_status
from shared.contracts.letters import LetterFault
from shared.contracts.ticket_acts import Answer, Assignment, Audience, Note, StatusMove, Withdrawal
from shared.contracts.tickets import StaffReason, Status
from shared.runtime.problems import Problem

CLOSED = [status for status in Status if not status.is_open]


def ticket(status: Status = Status.RECEIVED, **more: Any) -> dict[str, Any]:
    """A ticket as far as acts look at it."""
    return {"status": status.value, "open": status.is_open, **more}


def code(refused: pytest.ExceptionInfo[Problem]) -> tuple[int, str]:
    """What a problem says."""
    return refused.value.status, refused.value.body.type.rpartition(":")[2]


def test_a_claim_is_for_a_ticket_that_nobody_has() -> None:
    """The first gets it, the same once more changes nothing, and another is told whose it is."""
    change = acts.claim(ticket(assignee=None), "joan")
    assert change is not None
    assert (change.entry["act"], change.fields) == ("claimed", {"assignee": "joan"})
    assert acts.claim(ticket(assignee="joan"), "joan") is None
    with pytest.raises(Problem) as refused:
        acts.claim(ticket(assignee="joan"), "kim")
    assert code(refused) == (409, "already-claimed")
    assert (refused.value.body.model_extra or {})["assignee"] == "joan"


@pytest.mark.parametrize(
    ("before", "after", "act"),
    [("joan", "kim", "reassigned"), (None, "kim", "reassigned"), ("joan", None, "released")],
)
def test_an_assignment_takes_the_place_of_any_other(before: str | None, after: str | None, act: str) -> None:
    """Whoever has a ticket, it can be given to another, or back to all; what is so already changes nothing."""
    change = acts.assign(ticket(assignee=before), Assignment(assignee=after))
    assert change is not None
    assert (change.type_, change.entry["act"], change.fields) == (history.WORKED, act, {"assignee": after})
    assert acts.assign(ticket(assignee=after), Assignment(assignee=after)) is None


@pytest.mark.parametrize("status", CLOSED)
def test_what_is_closed_is_nobodys_to_take(status: Status) -> None:
    """A closed ticket is neither claimed, given, withdrawn nor answered; notes may still be written."""
    for act in (
        partial(acts.claim, who="joan"),
        partial(acts.assign, wish=Assignment(assignee="joan")),
        partial(acts.withdraw, wish=Withdrawal()),
        partial(acts.answer, wish=Answer(comment="Here it is.")),
    ):
        with pytest.raises(Problem) as refused:
            act(ticket(status))
        assert code(refused) == (409, "ticket-closed")
    for audience in Audience:
        assert acts.note(ticket(status), Note(audience=audience, text="Noted.")).entry["status"] is status


def test_a_note_is_for_those_it_is_for() -> None:
    """A note to staff is an inner act, one to the producer a message."""
    inner = acts.note(ticket(), Note(audience=Audience.STAFF, text="Hm."))
    outer = acts.note(ticket(), Note(audience=Audience.PRODUCER, text="Please call."))
    assert (inner.type_, inner.entry.get("note"), inner.entry.get("message")) == (history.WORKED, "Hm.", None)
    assert (outer.type_, outer.entry.get("note"), outer.entry.get("message")) == (
        *(history.MESSAGE_ADDED, None, "Please call."),
    )


@pytest.mark.parametrize("status", [status for status in Status if status.is_open])
def test_a_producer_withdraws_until_the_change_is_being_made(status: Status) -> None:
    """An open request can be taken back, but not once it is approved."""
    if status is Status.APPROVED:
        with pytest.raises(Problem) as refused:
            acts.withdraw(ticket(status), Withdrawal())
        assert code(refused) == (409, "too-late-to-withdraw")
        return
    change = acts.withdraw(ticket(status), Withdrawal(comment="No longer."))
    assert change.fields == {"status": "withdrawn", "open": False, "answered": False}
    assert (change.entry["reason"], change.entry["comment"]) == ("withdrawn-by-producer", "No longer.")


@pytest.mark.parametrize("status", [status for status in Status if status.is_open])
def test_a_producer_answers_where_the_desk_waits_for_him(status: Status) -> None:
    """In Action needed his words bring the ticket back to review, as one that is answered; else nobody asked."""
    if status is not Status.ACTION_NEEDED:
        with pytest.raises(Problem) as refused:
            acts.answer(ticket(status), Answer(comment="And another thing."))
        assert code(refused) == (409, "no-answer-needed")
        return
    change = acts.answer(ticket(status), Answer(comment="Call me after noon."))
    assert change.fields == {"status": "in-review", "open": True, "answered": True}
    assert (change.entry["comment"], change.entry.get("reason")) == ("Call me after noon.", None)


def test_a_move_is_an_answer_to_the_letter() -> None:
    """Once staff has moved a ticket its letter counts as seen; the words for the producer are in the entry."""
    change = acts.move(
        ticket(answered=True), StatusMove(status=Status.ON_HOLD, reason=StaffReason.OTHER, message="Wait.")
    )
    assert change.fields == {"status": "on-hold", "open": True, "answered": False}
    assert change.entry["message"] == "Wait."


@pytest.mark.parametrize("status", list(Status))
def test_a_good_letter_ends_the_wait_for_it(status: Status) -> None:
    """A ticket in Action needed goes back to review with a good letter; a bad one changes nothing."""
    assert answered_status(status, LetterFault.EMPTY) is status
    expected = Status.IN_REVIEW if status is Status.ACTION_NEEDED else status
    assert answered_status(status, None) is expected


def test_every_reason_is_meant_for_a_move_that_needs_one() -> None:
    """Staff is offered each reason somewhere, for moves that take one, and has some for each such move."""
    assert set(MEANT_FOR) == {*StaffReason, *LetterFault}
    assert {status for statuses in MEANT_FOR.values() for status in statuses} == NEEDS_REASON
