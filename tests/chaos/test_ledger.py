"""The ledger notices each kind of loss, duplicate and surprise: findings that balance, doctored one at a time."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.notifier.ledger import CALL_SECONDS
from tests.chaos.findings import Entry, Event, Findings, Mail, Parked, Ticket
from tests.chaos.journal import Answer, Attempt, Fault, Kind
from tests.chaos.ledger import DOUBT_SECONDS, Verdict, judge
from tests.chaos.world import SETTINGS

NUMBER, REQUEST, POISON = "SR-00000001-3", "r1", "poison-1"
LETTER, FURTHER = "a" * 64, "b" * 64
TO = "p1@agency.example"
OPENED, MOVED, ADDED = "por.ticket.opened.v1", "por.ticket.status-changed.v1", "por.ticket.letter-added.v1"
CUT = Answer(0, None)
AWAY = Answer(0, 503, {"type": "urn:por-desk:problem:unavailable"}, retry_after=True)
Attempts = list[Attempt]


def attempts() -> Attempts:
    """A request, a further letter, a move and a poison, each promised; and one that was refused."""
    return [
        Attempt(
            Kind.REQUEST, REQUEST, "P1", TO, (LETTER,), sent=1, answers=[Answer(0, 201, {"ticket_number": NUMBER})]
        ),
        Attempt(Kind.LETTERS, REQUEST, "P1", TO, (FURTHER,), sent=1, answers=[Answer(0, 202)]),
        Attempt(Kind.MOVE, REQUEST, status="in-review", sequence=3, sent=1, answers=[Answer(0, 200)]),
        Attempt(Kind.POISON, POISON, sent=1, answers=[Answer(0, 202)]),
        Attempt(Kind.REQUEST, "r2", "P1", TO, ("c" * 64,), sent=1, answers=[Answer(0, 415)]),
    ]


def findings() -> Findings:
    """What must be there then."""
    history = (
        Entry(1, "e1", OPENED, "received"),
        Entry(2, "e2", ADDED, "received", f"{REQUEST}.{FURTHER}"),
        Entry(3, "e3", MOVED, "in-review"),
    )
    letters = (f"{REQUEST}.{LETTER}", f"{REQUEST}.{FURTHER}")
    return Findings(
        forms={REQUEST: (LETTER,)},
        replies={REQUEST: [(FURTHER,)]},
        letters={(REQUEST, LETTER): LETTER, (REQUEST, FURTHER): FURTHER},
        receipts={(REQUEST, LETTER): "", (REQUEST, FURTHER): ""},
        tickets=[Ticket(REQUEST, NUMBER, 3, 3, letters, history)],
        events=[Event(NUMBER, n, f"e{n}") for n in (1, 2, 3)],
        mails=[Mail(f"e{n}", (TO,), NUMBER, 10.0 * n) for n in (1, 2, 3)],
        parked=[Parked("documents.check-letter", "unreadable", POISON, "")],
    )


def ticket_with(found: Findings, **changes: object) -> None:
    """Doctor the ticket."""
    found.tickets[0] = replace(found.tickets[0], **changes)  # type: ignore[arg-type]  # a test knows the fields


def entries(found: Findings, *more: Entry) -> tuple[Entry, ...]:
    """The ticket's history and more."""
    return (*found.tickets[0].history, *more)


def assert_only(verdict: Verdict, kind: str) -> None:
    """The verdict has findings of this kind, and of no other."""
    found = {"lost": verdict.lost, "duplicated": verdict.duplicated, "unexpected": verdict.unexpected}
    assert [name for name, what in found.items() if what] == [kind], found
    assert not verdict.passed


def test_what_balances_passes() -> None:
    """Everything promised is there once and nothing else is: the verdict is clean, and counts what it saw."""
    verdict = judge(attempts(), findings())
    assert verdict.passed, verdict
    assert (verdict.attempts, verdict.acknowledged, verdict.recovered, verdict.parked) == (5, 4, 0, 1)


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
    first, _, last = found.tickets[0].history
    ticket_with(found, history=(first, last))
    assert any("sequences [1, 3]" in what for what in judge(attempts(), found).lost)


def test_a_move_that_was_promised_and_not_made_is_lost() -> None:
    """A move that was answered 200 and is in no history is lost."""
    moved = Attempt(Kind.MOVE, REQUEST, status="approved", sequence=4, sent=1, answers=[Answer(0, 200)])
    assert_only(judge([*attempts(), moved], findings()), "lost")


def _mail_twice(found: Findings) -> None:
    found.mails.append(replace(found.mails[0], at=20.0))


def _event_under_another_id(found: Findings) -> None:
    ticket_with(found, history=entries(found, Entry(3, "e9", MOVED, "in-review")))
    found.events.append(Event(NUMBER, 3, "e9"))


def _letter_twice(found: Findings) -> None:
    again = Entry(4, "e4", ADDED, "in-review", f"{REQUEST}.{FURTHER}")
    ticket_with(found, version=4, published=4, history=entries(found, again))
    found.events.append(Event(NUMBER, 4, "e4"))
    found.mails.append(Mail("e4", (TO,), NUMBER, 40.0))


DUPLICATES = {"mail": _mail_twice, "event under another id": _event_under_another_id, "letter": _letter_twice}


@pytest.mark.parametrize("what", DUPLICATES)
def test_each_thing_done_twice_is_a_duplicate(what: str) -> None:
    """Whatever was done twice is told."""
    found = findings()
    DUPLICATES[what](found)
    assert judge(attempts(), found).duplicated


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


FAULTS = {
    "near to the first": (Fault("kill notifier", 14, 14, strikes_mail=True), True),
    "as the first is under way": (Fault("kill notifier", 9.5, 9.5, strikes_mail=True), True),
    "over all that time": (Fault("smtp away", 2, 30, strikes_mail=True), True),
    "long before": (Fault("smtp away", 2, 8, strikes_mail=True), False),
    "when the first has its mark": (Fault("kill notifier", 17, 17, strikes_mail=True), False),
    "after the second": (Fault("kill notifier", 24, 24, strikes_mail=True), False),
    "of no mail": (Fault("kill tickets", 14, 14), False),
    "of this mail": (Fault("after-250", 10, 10, strikes_mail=True, mails=frozenset({"e1"})), True),
    "of other mails": (Fault("after-250", 10, 10, strikes_mail=True, mails=frozenset({"e2", "e3"})), False),
}


@pytest.mark.parametrize("when", FAULTS)
def test_a_second_mail_is_permitted_only_where_a_fault_came_between_the_first_and_its_mark(when: str) -> None:
    """A copy counts apart where its sender or their servers were struck right then, and as a duplicate elsewhere."""
    found, (fault, permitted) = findings(), FAULTS[when]
    found.mails.append(replace(found.mails[0], at=20.0))
    verdict = judge(attempts(), found, [fault])
    assert (verdict.passed, verdict.second_mails) == ((True, 1) if permitted else (False, 0))


def test_a_third_mail_needs_an_excuse_of_its_own() -> None:
    """What let a second copy out excuses no third one."""
    found = findings()
    found.mails += [replace(found.mails[0], at=20.0), replace(found.mails[0], at=30.0)]
    verdict = judge(attempts(), found, [Fault("kill notifier", 14, 14, strikes_mail=True)])
    assert len(verdict.duplicated) == 1


def test_the_time_without_a_mark_is_that_of_the_services() -> None:
    """No mail in the box is without its mark for longer than notifier's own limits allow."""
    assert float(SETTINGS["POR_SMTP_TIMEOUT"]) + CALL_SECONDS == DOUBT_SECONDS


SURPRISES: dict[str, Callable[[Findings], object]] = {
    "parked message": lambda found: found.parked.append(Parked("q", "OperationFailure", "m", REQUEST)),
    "poison parked for another reason": lambda found: found.parked.append(Parked("q", "TimeoutError", POISON, "")),
    "unrouted message": lambda found: found.unrouted.append("m"),
    "event": lambda found: found.events.append(Event(NUMBER, 4, "e4")),
    "mail": lambda found: found.mails.append(Mail("e9", (TO,), NUMBER, 10.0)),
    "recipient": lambda found: found.mails.__setitem__(0, Mail("e1", (TO, "x@example.org"), NUMBER, 10.0)),
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
    found.mails.append(Mail("o1", (TO if request_id == "r2" else "",), ticket.number, 5.0))
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
    opened, added, moved = found.tickets[0].history
    waiting = replace(added, type=before, status="action-needed")
    ticket_with(found, history=(replace(opened, status="action-needed"), waiting, replace(moved, status=after)))
    asked = [attempt for attempt in attempts() if attempt.kind is not Kind.MOVE]
    told = any("a move that nobody made" in what for what in judge(asked, found).unexpected)
    assert told is not expected


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
    assert (verdict.acknowledged, verdict.recovered) == (3, 1)
