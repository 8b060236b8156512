"""The ledger notices each kind of loss, duplicate and surprise: findings that balance, doctored one at a time."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.balanced import (
    ADDED,
    FURTHER,
    LETTER,
    MOVED,
    NOTE,
    NUMBER,
    OPENED,
    POISON,
    REQUEST,
    TO,
    WORDS,
    attempts,
    changed,
    entries,
    findings,
    mail,
    ticket_with,
)
from tests.chaos.findings import MESSAGE_ADDED, WORKED, Entry, Event, Findings, Mail, Parked, Ticket
from tests.chaos.journal import Answer, Attempt, Kind
from tests.chaos.ledger import Verdict, judge

CUT = Answer(0, None)
AWAY = Answer(0, 503, {"type": "urn:por-desk:problem:unavailable"}, retry_after=True)


def assert_only(verdict: Verdict, kind: str) -> None:
    """The verdict has findings of this kind, and of no other."""
    found = {"lost": verdict.lost, "duplicated": verdict.duplicated, "unexpected": verdict.unexpected}
    assert [name for name, what in found.items() if what] == [kind], found
    assert not verdict.passed


def test_what_balances_passes() -> None:
    """Everything promised is there once and nothing else is: the verdict is clean, and counts what it saw."""
    verdict = judge(attempts(), findings())
    assert verdict.passed, verdict
    assert (verdict.attempts, verdict.acknowledged, verdict.recovered, verdict.parked) == (6, 5, 0, 1)


LOSSES: dict[str, Callable[[Findings], object]] = {
    "form": lambda found: found.forms.clear(),
    "form of other letters": lambda found: found.forms.update({REQUEST: (FURTHER,)}),
    "letter": lambda found: found.letters.pop((REQUEST, LETTER)),
    "letter with other bytes": lambda found: found.letters.update({(REQUEST, LETTER): "d" * 64}),
    "further letter": lambda found: found.letters.pop((REQUEST, FURTHER)),
    "receipt": lambda found: found.receipts.pop((REQUEST, LETTER)),
    "list of further letters": lambda found: found.replies.clear(),
    "first event": lambda found: found.events.pop(0),
    "last event": lambda found: found.events.pop(),
    "mail": lambda found: found.mails.pop(1),
    "words of a mail": lambda found: found.mails.__setitem__(2, mail(3, "In review")),
    "status of a mail": lambda found: found.mails.__setitem__(2, mail(3, "Approved", WORDS)),
    "parked message": lambda found: found.parked.clear(),
    "letter on the ticket": lambda found: ticket_with(found, letters=(f"{REQUEST}.{FURTHER}",)),
    "mark": lambda found: ticket_with(found, published=2),
}


@pytest.mark.parametrize("what", LOSSES)
def test_each_thing_that_is_gone_is_lost(what: str) -> None:
    """Whatever of a promise is missing, it is lost."""
    found = findings()
    LOSSES[what](found)
    assert_only(judge(attempts(), found), "lost")


def test_a_ticket_that_is_gone_is_lost() -> None:
    """A request without a ticket is lost, whoever heard of it before."""
    found = findings()
    found.tickets.clear()
    assert judge(attempts(), found).lost


def test_a_gap_in_the_sequence_is_a_loss() -> None:
    """An entry that is gone leaves a gap, and the move that made it is lost."""
    found = findings()
    first, _, *rest = found.tickets[0].history
    ticket_with(found, history=(first, *rest))
    assert any("sequences [1, 3, 4]" in what for what in judge(attempts(), found).lost)


@pytest.mark.parametrize("what", [{"status": "approved"}, {"words": "Do not call us."}, {"type": ADDED}])
def test_an_act_that_was_promised_and_not_done_is_lost(what: dict[str, str]) -> None:
    """Where the entry that an act was to make is another one, it is lost."""
    found = findings()
    ticket_with(found, history=changed(found, 3, **what))
    assert any("no entry 3" in each for each in judge(attempts(), found).lost)


def _mail_twice(found: Findings) -> None:
    found.mails.append(replace(found.mails[0], at=20.0))


def _note_twice(found: Findings) -> None:
    ticket_with(found, history=entries(found, Entry(5, "e5", WORKED, "in-review", words=NOTE)))


def _event_under_another_id(found: Findings) -> None:
    ticket_with(found, history=entries(found, Entry(3, "e9", MOVED, "in-review")))
    found.events.append(Event(NUMBER, 3, "e9"))


def _letter_twice(found: Findings) -> None:
    ticket_with(found, history=entries(found, Entry(5, "e5", ADDED, "in-review", f"{REQUEST}.{FURTHER}")))


def _letter_of_the_request(found: Findings) -> None:
    ticket_with(found, history=entries(found, Entry(5, "e5", ADDED, "in-review", f"{REQUEST}.{LETTER}")))


DUPLICATES = {
    "mail": _mail_twice,
    "note": _note_twice,
    "event under another id": _event_under_another_id,
    "letter": _letter_twice,
    "letter of the request": _letter_of_the_request,
}


@pytest.mark.parametrize("what", DUPLICATES)
def test_each_thing_done_twice_is_a_duplicate(what: str) -> None:
    """Whatever was done twice is told."""
    found = findings()
    DUPLICATES[what](found)
    assert judge(attempts(), found).duplicated


def test_a_letter_that_was_refused_and_came_again_is_none() -> None:
    """A further letter that was spoilt in the store is taken once more when it comes whole."""
    found = findings()
    before = changed(found, 2, fault="letter-damaged")
    ticket_with(found, history=(*before, Entry(5, "e5", ADDED, "in-review", f"{REQUEST}.{FURTHER}")))
    assert judge(attempts(), found).duplicated == []


def test_one_number_for_two_requests_is_a_duplicate() -> None:
    """Two tickets with one number are told."""
    found, asked = findings(), attempts()
    found.tickets.append(replace(found.tickets[0], request_id="r3"))
    asked.append(replace(asked[0], request_id="r3"))
    assert any("2 tickets have the number" in what for what in judge(asked, found).duplicated)


def test_one_event_published_twice_is_none() -> None:
    """An event may come twice: the same id for the same sequence is the same event."""
    found = findings()
    found.events.append(found.events[0])
    assert judge(attempts(), found).passed


SURPRISES: dict[str, Callable[[Findings], object]] = {
    "parked message": lambda found: found.parked.append(Parked("q", "OperationFailure", "m", REQUEST)),
    "poison parked for another reason": lambda found: found.parked.append(Parked("q", "TimeoutError", POISON, "")),
    "unrouted message": lambda found: found.unrouted.append("m"),
    "event": lambda found: found.events.append(Event(NUMBER, 5, "e5")),
    "mail": lambda found: found.mails.append(Mail("e9", (TO,), NUMBER, 10.0)),
    "mail about what is not the producer's": lambda found: found.mails.append(mail(4, "In review")),
    "words in a mail": lambda found: ticket_with(found, history=changed(found, 1, words="Bye")),
    "recipient": lambda found: found.mails.__setitem__(0, replace(mail(1, "Received"), recipients=(TO, "x@y.example"))),
    "letter held to be bad": lambda found: found.receipts.update({(REQUEST, LETTER): "letter-damaged"}),
    "letter on the ticket": lambda found: ticket_with(
        found, letters=(*found.tickets[0].letters, f"{REQUEST}.{'e' * 64}")
    ),
}


@pytest.mark.parametrize("what", SURPRISES)
def test_each_thing_that_nobody_asked_for_is_unexpected(what: str) -> None:
    """Whatever is there without having been asked for is told."""
    found = findings()
    SURPRISES[what](found)
    assert_only(judge(attempts(), found), "unexpected")


def _other_ticket(request_id: str) -> Findings:
    found = findings()
    ticket = Ticket(request_id, "SR-00000002-1", 1, 1, (), (Entry(1, "o1", OPENED, "received"),))
    found.tickets.append(ticket)
    found.events.append(Event(ticket.number, 1, "o1"))
    found.mails.append(Mail("o1", (TO if request_id == "r2" else "",), ticket.number, 5.0, "Status Received"))
    return found


@pytest.mark.parametrize("request_id", ["r2", "r9"])
def test_a_ticket_for_what_was_refused_or_never_asked_is_unexpected(request_id: str) -> None:
    """A ticket of a refused request, or of none, is told."""
    assert_only(judge(attempts(), _other_ticket(request_id)), "unexpected")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ADDED, "in-review", True),
        (ADDED, "approved", False),
        (MOVED, "in-review", False),
    ],
)
def test_a_move_that_nobody_made_is_unexpected(before: str, after: str, expected: bool) -> None:
    """A move that staff did not ask for is told, but for the one by which a ticket that waited for a letter goes on."""
    found = findings()
    opened, added, moved, _ = found.tickets[0].history
    waiting = replace(added, type=before, status="action-needed")
    ticket_with(found, history=(replace(opened, status="action-needed"), waiting, replace(moved, status=after)))
    asked = [attempt for attempt in attempts() if attempt.kind is not Kind.ACT]
    told = any("entry 3 is what nobody did" in what for what in judge(asked, found).unexpected)
    assert told is not expected


@pytest.mark.parametrize("type_", [MESSAGE_ADDED, WORKED])
def test_a_note_that_nobody_wrote_is_unexpected(type_: str) -> None:
    """What staff is said to have written, and has not, is told."""
    found = findings()
    ticket_with(found, history=entries(found, Entry(5, "e5", type_, "in-review", words="Who says this?")))
    assert any("entry 5 is what nobody did" in what for what in judge(attempts(), found).unexpected)


@pytest.mark.parametrize("status", [403, 404, 409])
def test_who_is_not_shown_what_is_his_is_told(status: int) -> None:
    """What was promised may be looked at, at any time."""
    asked = attempts()
    asked[-3].answers.append(Answer(0, status))
    assert asked[-3].kind is Kind.READING
    assert_only(judge(asked, findings()), "unexpected")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(0, 500),
        Answer(0, 503),
        replace(AWAY, retry_after=False),
        Answer(0, 202, {"ticket_number": "SR-00000009-9"}),
    ],
)
def test_a_wrong_answer_is_unexpected(answer: Answer) -> None:
    """A 5xx that is no 503 with its problem and Retry-After, and another number than the ticket's, are told."""
    asked = attempts()
    asked[0].answers.append(answer)
    assert_only(judge(asked, findings()), "unexpected")


@pytest.mark.parametrize("unknown", [CUT, AWAY])
def test_what_the_client_was_left_in_the_dark_about_is_recovered_where_it_is_done(unknown: Answer) -> None:
    """A cut answer or a 503 promises nothing; what is found done all the same counts as recovered."""
    asked = attempts()
    asked[0].answers = [unknown]
    asked.append(Attempt(Kind.REQUEST, "r4", "P1", TO, ("f" * 64,), sent=1, answers=[unknown]))
    verdict = judge(asked, findings())
    assert verdict.passed
    assert (verdict.acknowledged, verdict.recovered) == (4, 1)
