"""What should be there and is not: the losses of the ledger. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterator

from tests.chaos.findings import LETTER_ADDED, STATUS_CHANGED, WORKED, Entry, Findings, Ticket
from tests.chaos.journal import Attempt, Kind


def is_made(entry: Entry, act: Attempt) -> bool:
    """Whether an entry of the history is what an act asked for."""
    same = (entry.type, entry.sequence, entry.words) == (act.type, act.sequence, act.words)
    return same and act.status in {"", entry.status}


def is_answered(before: Entry, entry: Entry) -> bool:
    """Whether the desk itself made this move, as the producer has sent the letter that the ticket waited for."""
    waited = (before.type, before.status) == (LETTER_ADDED, "action-needed")
    return waited and (entry.type, entry.status) == (STATUS_CHANGED, "in-review")


class Missing:
    """Compares what was promised with what was found; ``permanent`` reasons for parking excuse a mail."""

    def __init__(self, found: Findings, permanent: frozenset[str]) -> None:
        self._found = found
        self._tickets = {ticket.request_id: ticket for ticket in found.tickets}
        self._events = {(event.number, event.sequence, event.event_id) for event in found.events}
        self._mailed: dict[str, list[str]] = defaultdict(list)
        for mail in found.mails:
            self._mailed[mail.event_id].append(mail.text)
        self._parked = {each.message_id for each in found.parked}
        self._excused = {each.message_id for each in found.parked if each.reason in permanent}

    def of(self, attempt: Attempt) -> Iterator[str]:
        """What there should be of an attempt, if it was promised, and is not."""
        look: dict[Kind, Callable[[Attempt], Iterator[str]]] = {
            Kind.REQUEST: self._of_request,
            Kind.LETTERS: self._of_letters,
            Kind.ACT: self._of_act,
            Kind.READING: lambda _: iter(()),
            Kind.POISON: self._of_poison,
        }
        return look[attempt.kind](attempt)

    def _of_request(self, attempt: Attempt) -> Iterator[str]:
        form, ticket = self._found.forms.get(attempt.request_id), self._tickets.get(attempt.request_id)
        if form is None or sorted(form) != sorted(attempt.letters):
            yield "no form that names its letters"
        yield from self._in_store(attempt)
        if ticket is None:
            yield "no ticket"
        else:
            yield from self._on_ticket(attempt, ticket)

    def _of_letters(self, attempt: Attempt) -> Iterator[str]:
        replies, ticket = self._found.replies.get(attempt.request_id, []), self._tickets.get(attempt.request_id)
        if sorted(attempt.letters) not in [sorted(reply) for reply in replies]:
            yield "no list of the further letters"
        yield from self._in_store(attempt)
        if ticket is None:
            yield "no ticket for the further letters"
        else:
            yield from self._on_ticket(attempt, ticket)
            added = {entry.letter_id for entry in ticket.history if entry.type == LETTER_ADDED}
            if any(f"{attempt.request_id}.{letter}" not in added for letter in attempt.letters):
                yield "no entry that a letter was added"

    def _in_store(self, attempt: Attempt) -> Iterator[str]:
        for letter in attempt.letters:
            if self._found.letters.get((attempt.request_id, letter)) != letter:
                yield "a letter's bytes are not there, or not those sent"
            if (attempt.request_id, letter) not in self._found.receipts:
                yield "no receipt"

    @staticmethod
    def _on_ticket(attempt: Attempt, ticket: Ticket) -> Iterator[str]:
        if not {f"{attempt.request_id}.{letter}" for letter in attempt.letters} <= set(ticket.letters):
            yield "a letter is not on the ticket"

    def _of_act(self, attempt: Attempt) -> Iterator[str]:
        ticket = self._tickets.get(attempt.request_id)
        if ticket is None or not any(is_made(entry, attempt) for entry in ticket.history):
            what = " ".join(filter(None, (attempt.type, attempt.status, "with its words" if attempt.words else "")))
            yield f"no entry {attempt.sequence}: {what}"

    def _of_poison(self, attempt: Attempt) -> Iterator[str]:
        if attempt.request_id not in self._parked:
            yield "not parked"

    def of_ticket(self, ticket: Ticket) -> Iterator[str]:
        """What must be there of every ticket, whoever was told of it."""
        sequences = [entry.sequence for entry in ticket.history]
        if sequences != list(range(1, ticket.version + 1)):
            yield f"sequences {sequences} of version {ticket.version}"
        if ticket.published != ticket.version:
            yield f"published {ticket.published} of {ticket.version}"
        for entry in ticket.history:
            if (ticket.number, entry.sequence, entry.event_id) not in self._events:
                yield f"event {entry.sequence} is not in the stream"
            if entry.type != WORKED and entry.event_id not in self._mailed.keys() | self._excused:
                yield f"no mail about {entry.sequence}"
            said = [
                f"Status {entry.status.replace('-', ' ').capitalize()}",
                entry.words if entry.is_to_producer else "",
            ]
            for text in self._mailed[entry.event_id]:
                if any(each not in text for each in said):
                    yield f"a mail about {entry.sequence} does not say what it is about"
