"""A run that balances, for the ledger's own tests: what was asked for, and what is found of it."""

from dataclasses import replace
from typing import Any

from tests.chaos.findings import (
    LETTER_ADDED,
    STATUS_CHANGED,
    WORKED,
    Entry,
    Event,
    Findings,
    Mail,
    Parked,
    Ticket,
)
from tests.chaos.journal import Answer, Attempt, Kind

NUMBER, REQUEST, POISON = "SR-00000001-3", "r1", "poison-1"
LETTER, FURTHER = "a" * 64, "b" * 64
TO = "p1@agency.example"
OPENED, MOVED, ADDED = "por.ticket.opened.v1", STATUS_CHANGED, LETTER_ADDED
WORDS, NOTE = "Please call us.", "Called the group."
Attempts = list[Attempt]


def act(type_: str, sequence: int, status: str = "", words: str = "") -> Attempt:
    """Something done with the ticket, and promised."""
    return Attempt(
        Kind.ACT, REQUEST, type=type_, status=status, words=words, sequence=sequence, sent=1, answers=[Answer(0, 200)]
    )


def mail(sequence: int, status: str, words: str = "") -> Mail:
    """A mail about the ticket."""
    return Mail(f"e{sequence}", (TO,), NUMBER, 10.0 * sequence, f"Hello, Status {status} {words} Bye")


def attempts() -> Attempts:
    """A request, a further letter, a move with words, a note, a look and a poison, each promised; and one refused."""
    return [
        Attempt(
            Kind.REQUEST, REQUEST, "P1", TO, (LETTER,), sent=1, answers=[Answer(0, 201, {"ticket_number": NUMBER})]
        ),
        Attempt(Kind.LETTERS, REQUEST, "P1", TO, (FURTHER,), sent=1, answers=[Answer(0, 202)]),
        act(MOVED, 3, "in-review", WORDS),
        act(WORKED, 4, words=NOTE),
        Attempt(Kind.READING, REQUEST, sent=1, answers=[Answer(0, 200, {"ticket_number": NUMBER})]),
        Attempt(Kind.POISON, POISON, sent=1, answers=[Answer(0, 202)]),
        Attempt(Kind.REQUEST, "r2", "P1", TO, ("c" * 64,), sent=1, answers=[Answer(0, 415)]),
    ]


def findings() -> Findings:
    """What must be there then."""
    history = (
        Entry(1, "e1", OPENED, "received"),
        Entry(2, "e2", ADDED, "received", f"{REQUEST}.{FURTHER}"),
        Entry(3, "e3", MOVED, "in-review", words=WORDS, is_to_producer=True),
        Entry(4, "e4", WORKED, "in-review", words=NOTE),
    )
    letters = (f"{REQUEST}.{LETTER}", f"{REQUEST}.{FURTHER}")
    return Findings(
        forms={REQUEST: (LETTER,)},
        replies={REQUEST: [(FURTHER,)]},
        letters={(REQUEST, LETTER): LETTER, (REQUEST, FURTHER): FURTHER},
        receipts={(REQUEST, LETTER): "", (REQUEST, FURTHER): ""},
        tickets=[Ticket(REQUEST, NUMBER, 4, 4, letters, history)],
        events=[Event(NUMBER, n, f"e{n}") for n in (1, 2, 3, 4)],
        mails=[mail(1, "Received"), mail(2, "Received"), mail(3, "In review", WORDS)],
        parked=[Parked("documents.check-letter", "unreadable", POISON, "")],
    )


def ticket_with(found: Findings, **changes: Any) -> None:
    """Doctor the ticket."""
    found.tickets[0] = replace(found.tickets[0], **changes)


def entries(found: Findings, *more: Entry) -> tuple[Entry, ...]:
    """The ticket's history and more."""
    return (*found.tickets[0].history, *more)


def changed(found: Findings, sequence: int, **changes: Any) -> tuple[Entry, ...]:
    """The ticket's history with one entry doctored."""
    return tuple(replace(each, **changes) if each.sequence == sequence else each for each in found.tickets[0].history)
