"""What the load generator asked for and what it was answered: one side of the ledger."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What can be asked for."""

    REQUEST = "request"
    LETTERS = "letters"
    ACT = "act"
    READING = "reading"
    POISON = "poison"


@dataclass(frozen=True)
class Answer:
    """One answer; no status where the connection was cut or nothing came in time."""

    at: float
    status: int | None
    body: dict[str, Any] = field(default_factory=dict)
    retry_after: bool = False

    @property
    def is_yes(self) -> bool:
        """Whether it says that it is done, or will be."""
        return self.status is not None and self.status < 300

    @property
    def is_no(self) -> bool:
        """Whether it says that it is not done and will not be."""
        return self.status is not None and 400 <= self.status < 500 and self.status != 429


@dataclass
class Attempt:
    """One thing asked for, under one key, however often it was sent.

    ``letters`` are hashes. An act asks for the ticket's ``sequence``-th entry: of a ``type``, with its ``words``, and
    with a ``status`` unless it leaves that as it is. A reading asks again and again, and nothing comes of it. A
    poison's ``request_id`` is its message id.
    """

    kind: Kind
    request_id: str
    producer: str = ""
    recipient: str = ""
    letters: tuple[str, ...] = ()
    type: str = ""
    status: str = ""
    words: str = ""
    sequence: int = 0
    sent: int = 0
    answers: list[Answer] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether it was promised."""
        return any(answer.is_yes for answer in self.answers)

    @property
    def unknown(self) -> bool:
        """Whether some answer left open what has become of it."""
        return self.sent > len(self.answers) or any(a.status is None or a.status >= 500 for a in self.answers)

    @property
    def refused(self) -> bool:
        """Whether it was said that nothing will come of it, and nothing else was said."""
        return not self.unknown and not self.acknowledged and any(answer.is_no for answer in self.answers)


def attempt_of(kind: Kind, request_id: object, producer: str, letters: list[bytes]) -> Attempt:
    """What a producer, or staff on his ticket, is about to ask for."""
    hashes = tuple(hashlib.sha256(letter).hexdigest() for letter in letters)
    return Attempt(kind, str(request_id), producer, f"{producer.lower()}@agency.example", hashes)


@dataclass(frozen=True)
class Fault:
    """Something done to the desk, from when to when, on the clock that dates files too.

    Where it ``strikes_mail``, a mail whose first copy came near to it may come once more; ``mails`` are the events of
    those that it can have met, where that is known.
    """

    name: str
    began: float
    ended: float
    strikes_mail: bool = False
    mails: frozenset[str] | None = None
