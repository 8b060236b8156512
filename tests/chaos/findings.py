"""What is found afterwards in the real parts: the other side of the ledger. Plain values."""

from dataclasses import dataclass, field

STATUS_CHANGED = "por.ticket.status-changed.v1"
LETTER_ADDED = "por.ticket.letter-added.v1"
MESSAGE_ADDED = "por.ticket.message-added.v1"
WORKED = "por.ticket.worked.v1"  # what staff does among itself, of which no producer hears


@dataclass(frozen=True)
class Entry:
    """One entry of a ticket's history.

    ``fault`` is that of its letter; ``words`` are what somebody wrote, for the mail where ``is_to_producer``.
    """

    sequence: int
    event_id: str
    type: str
    status: str
    letter_id: str = ""
    fault: str = ""
    words: str = ""
    is_to_producer: bool = False


@dataclass(frozen=True)
class Ticket:
    """A ticket in the database."""

    request_id: str
    number: str
    version: int
    published: int
    letters: tuple[str, ...]
    history: tuple[Entry, ...]


@dataclass(frozen=True)
class Event:
    """An event in the stream."""

    number: str
    sequence: int
    event_id: str


@dataclass(frozen=True)
class Mail:
    """A delivered mail, about one event."""

    event_id: str
    recipients: tuple[str, ...]
    number: str
    at: float
    text: str = ""


@dataclass(frozen=True)
class Parked:
    """A message in the parking lot; ``request_id`` is its correlation id."""

    queue: str
    reason: str
    message_id: str
    request_id: str


@dataclass
class Findings:
    """Everything there is.

    ``forms`` are the letters that each form names; ``replies`` the same of each reply, one after the other;
    ``letters`` the hash of the bytes of each letter by (request, hash in its name); ``receipts`` the fault in each
    receipt, empty where there is none.
    """

    forms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    replies: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    letters: dict[tuple[str, str], str] = field(default_factory=dict)
    receipts: dict[tuple[str, str], str] = field(default_factory=dict)
    tickets: list[Ticket] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    unrouted: list[str] = field(default_factory=list)


def event_of(message_id: str) -> str:
    """The event that a mail is about: its Message-ID without the domain."""
    return message_id.strip("<>").partition("@")[0]
