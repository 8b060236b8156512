"""The verdict: every answer given compared with everything found afterwards. Pure.

Lost: promised, but something of its effects is not there. Duplicated: done twice. Unexpected: there without anybody
having asked, or answered as it must not be. Recovered: the client was left in the dark, and it is done all the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.findings import MESSAGE_ADDED, STATUS_CHANGED, WORKED, Findings, Mail, Parked, Ticket
from tests.chaos.journal import Answer, Attempt, Fault, Kind
from tests.chaos.missing import Missing, is_answered, is_made

MAIL_MARGIN = 1.0  # seconds by which the clocks of file and fault may differ
# Without a fault a mail in the box has its mark after so long at most: the rest of its sending, and one call.
DOUBT_SECONDS = 5.0
_ACTS = frozenset({STATUS_CHANGED, MESSAGE_ADDED, WORKED})


@dataclass
class Verdict:
    """What the ledger says; each of the three lists must be empty."""

    attempts: int = 0
    acknowledged: int = 0
    recovered: int = 0
    second_mails: int = 0
    parked: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.duplicated or self.unexpected)


def judge(
    attempts: Sequence[Attempt], found: Findings, faults: Iterable[Fault] = (), permanent: frozenset[str] = frozenset()
) -> Verdict:
    """Judge a run; ``permanent`` are the reasons for which messages may be parked in it, beside poison."""
    return _Ledger(attempts, found, tuple(faults), permanent).verdict()


class _Ledger:
    """The two sides, by the keys they meet under."""

    def __init__(
        self, attempts: Sequence[Attempt], found: Findings, faults: tuple[Fault, ...], permanent: frozenset[str]
    ) -> None:
        self._attempts, self._found, self._faults, self._permanent = attempts, found, faults, permanent
        self._tickets = {ticket.request_id: ticket for ticket in found.tickets}
        self._events: dict[tuple[str, int], set[str]] = defaultdict(set)
        for event in found.events:
            self._events[event.number, event.sequence].add(event.event_id)
        self._mails: dict[str, list[Mail]] = defaultdict(list)
        for mail in sorted(found.mails, key=lambda each: each.at):
            self._mails[mail.event_id].append(mail)
        self._missing = Missing(found, permanent)
        self._asked: dict[Kind, dict[str, list[Attempt]]] = {kind: defaultdict(list) for kind in Kind}
        for attempt in attempts:
            self._asked[attempt.kind][attempt.request_id].append(attempt)

    def verdict(self) -> Verdict:
        """Everything compared with everything."""
        asked = [attempt for attempt in self._attempts if attempt.kind is not Kind.READING]
        done = {id(attempt) for attempt in asked if not any(self._missing.of(attempt))}
        return Verdict(
            attempts=len(asked),
            acknowledged=sum(attempt.acknowledged for attempt in asked),
            recovered=sum(attempt.unknown and id(attempt) in done for attempt in asked),
            second_mails=sum(len(mails) - 1 for mails in self._mails.values()) - len([*self._mailed_twice()]),
            parked=len(self._found.parked),
            lost=[*self._lost()],
            duplicated=[*self._duplicated()],
            unexpected=[*self._unexpected()],
        )

    # --- lost ---------------------------------------------------------------------------------------------------------

    def _lost(self) -> Iterator[str]:
        for attempt in self._attempts:
            if attempt.acknowledged:
                yield from (f"{attempt.kind} {attempt.request_id}: {what}" for what in self._missing.of(attempt))
        for ticket in self._found.tickets:
            yield from (f"ticket {ticket.number}: {what}" for what in self._missing.of_ticket(ticket))

    # --- duplicated ---------------------------------------------------------------------------------------------------

    def _duplicated(self) -> Iterator[str]:
        tickets = self._found.tickets
        yield from _more_than_one("tickets have the number", (ticket.number for ticket in tickets))
        yield from _more_than_one("tickets are of request", (ticket.request_id for ticket in tickets))
        yield from _more_than_one("sequences are of event", (each for ids in self._events.values() for each in ids))
        for (number, sequence), ids in self._events.items():
            if len(ids) > 1:
                yield f"ticket {number} has {len(ids)} events {sequence}"
        for ticket in tickets:
            sent = {letter for each in self._asked[Kind.LETTERS][ticket.request_id] for letter in each.letters}
            added = [(entry.letter_id.rpartition(".")[2], entry.fault) for entry in ticket.history if entry.letter_id]
            if not sent.issuperset(letter for letter, _ in added):
                yield f"ticket {ticket.number} took a letter of its request once more"
            # A letter that was refused may be taken when it comes again, and is good then.
            yield from _more_than_one(f"entries of {ticket.number} are about a letter and verdict", added)
            said = (entry.words for entry in ticket.history if entry.words)
            yield from _more_than_one(f"entries of {ticket.number} have the words", said)
        yield from self._mailed_twice()

    def _mailed_twice(self) -> Iterator[str]:
        """Second mails that nothing excuses: nobody struck between the first and its mark."""
        for event_id, mails in self._mails.items():
            for first, second in pairwise(mails):
                if not any(_excuses(fault, first, second) for fault in self._faults):
                    yield f"event {event_id} was mailed {len(mails)} times"

    # --- unexpected ---------------------------------------------------------------------------------------------------

    def _unexpected(self) -> Iterator[str]:
        for attempt in self._attempts:
            yield from (f"{attempt.kind} {attempt.request_id}: {what}" for what in self._wrong_answers(attempt))
        for ticket in self._found.tickets:
            yield from (f"ticket {ticket.number}: {what}" for what in self._unasked(ticket))
        known = {(t.number, entry.sequence, entry.event_id) for t in self._found.tickets for entry in t.history}
        recipients = {ticket.number: self._recipient(ticket) for ticket in self._found.tickets}
        for event in self._found.events:
            if (event.number, event.sequence, event.event_id) not in known:
                yield f"event {event.sequence} of {event.number} is in no history"
        mailed = {(t.number, entry.event_id): entry for t in self._found.tickets for entry in t.history}
        for mail in self._found.mails:
            entry = mailed.get((mail.number, mail.event_id))
            if entry is None or entry.type == WORKED:
                yield f"a mail about {mail.number} is about no entry of its history that is for its producer"
            elif mail.recipients != (recipients[mail.number],):
                yield f"a mail about {mail.number} went to somebody else"
            elif entry.words and not entry.is_to_producer and entry.words in mail.text:
                yield f"a mail about {mail.number} has words that are not for it"
        yield from self._wrongly_parked(self._found.parked)
        yield from (f"unrouted: {message}" for message in self._found.unrouted)

    def _recipient(self, ticket: Ticket) -> str:
        asked = self._asked[Kind.REQUEST].get(ticket.request_id)
        return asked[0].recipient if asked else ""

    def _wrong_answers(self, attempt: Attempt) -> Iterator[str]:
        ticket = self._tickets.get(attempt.request_id)
        for answer in attempt.answers:
            yield from _wrong(answer)
            number = answer.body.get("ticket_number")
            if answer.is_yes and number and (ticket is None or number != ticket.number):
                yield f"answered {number}, but its ticket is {ticket.number if ticket else 'not there'}"
            # A letter may be refused meanwhile, and is then for staff alone.
            if attempt.kind is Kind.READING and answer.is_no and not attempt.letters:
                yield f"not shown: {answer.status}"

    def _unasked(self, ticket: Ticket) -> Iterator[str]:
        """What is on a ticket without anybody having asked for it."""
        asked = self._asked[Kind.REQUEST].get(ticket.request_id, [])
        if not asked:
            yield "nobody asked for it"
        elif all(attempt.refused for attempt in asked):
            yield "its request was refused"
        acts, replies = self._asked[Kind.ACT][ticket.request_id], self._asked[Kind.LETTERS][ticket.request_id]
        sent = {letter for attempt in (*asked, *replies) if not attempt.refused for letter in attempt.letters}
        for before, entry in pairwise(ticket.history):
            is_asked = any(is_made(entry, act) for act in acts if not act.refused)
            if entry.type in _ACTS and not (is_asked or is_answered(before, entry)):
                yield f"entry {entry.sequence} is what nobody did"
        for letter in ticket.letters:
            if letter.rpartition(".")[2] not in sent:
                yield "a letter that nobody sent"
            elif fault := self._found.receipts.get((ticket.request_id, letter.rpartition(".")[2])):
                yield f"a good letter is held to be bad: {fault}"

    def _wrongly_parked(self, parked: Iterable[Parked]) -> Iterator[str]:
        for each in parked:
            is_poison = each.message_id in self._asked[Kind.POISON] and each.reason == "unreadable"
            if not is_poison and each.reason not in self._permanent:
                yield f"parked in {each.queue}: {each.reason}"


def _more_than_one(what: str, each: Iterable[object]) -> Iterator[str]:
    return (f"{times} {what} {name}" for name, times in Counter(each).items() if times > 1)


def _excuses(fault: Fault, first: Mail, second: Mail) -> bool:
    """Whether a fault may have come between a copy and its mark, so that nobody could know of it."""
    until = min(first.at + DOUBT_SECONDS, second.at)
    is_near = fault.ended >= first.at - MAIL_MARGIN and fault.began <= until + MAIL_MARGIN
    return fault.strikes_mail and is_near and (fault.mails is None or first.event_id in fault.mails)


def _wrong(answer: Answer) -> Iterator[str]:
    if answer.status is None or answer.status < 500:
        return
    if answer.status != 503 or not answer.body.get("type", "").startswith("urn:por-desk:problem:"):
        yield f"answered {answer.status}"
    elif not answer.retry_after:
        yield "answered 503 without saying when to come back"
