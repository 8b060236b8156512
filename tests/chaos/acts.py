"""What people do with a ticket: how each act is asked for, and which entry of its history must come of it."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.chaos.findings import MESSAGE_ADDED, STATUS_CHANGED, WORKED


@dataclass(frozen=True)
class Act:
    """One act; ``words`` are somebody's own, found in no other, and ``status`` is empty where it changes none."""

    path: str
    body: dict[str, Any]
    type: str
    status: str = ""
    words: str = ""


def move(status: str, *, reason: str = "", writes: bool = False) -> Act:
    """Staff moves a ticket, and may write to its producer with it."""
    words = _words("Please call us about this.") if writes else ""
    body = {"status": status, **({"reason": reason} if reason else {}), **({"message": words} if words else {})}
    return Act("status", body, STATUS_CHANGED, status, words)


def ask_back() -> Act:
    """Staff needs something of the producer, and says what."""
    return move("action-needed", reason="information-missing", writes=True)


def answer() -> Act:
    """The producer answers in words."""
    words = _words("You reach me after noon.")
    return Act("answers", {"comment": words}, STATUS_CHANGED, "in-review", words)


def withdrawal() -> Act:
    """The producer takes his request back."""
    words = _words("The group has changed its mind.")
    return Act("withdrawal", {"comment": words}, STATUS_CHANGED, "withdrawn", words)


def claim() -> Act:
    """Somebody of staff takes the ticket."""
    return Act("claim", {}, WORKED)


def note(audience: str) -> Act:
    """Staff writes something down for colleagues, or to the producer."""
    words = _words("The signer left in May.")
    type_ = WORKED if audience == "staff" else MESSAGE_ADDED
    return Act("notes", {"audience": audience, "text": words}, type_, words=words)


def _words(sentence: str) -> str:
    return f"{sentence} {uuid4().hex}"
