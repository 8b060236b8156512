"""One-time links: who has the word from the mail may set a new password, once and for half an hour."""

import hashlib
import secrets
import time
from dataclasses import dataclass

LIFETIME = 30 * 60  # seconds


@dataclass(frozen=True)
class _Link:
    user_id: str
    ends: float


class Links:
    """The links that are good now: at most one for each user, kept as a hash only."""

    def __init__(self) -> None:
        self._links: dict[str, _Link] = {}

    def make(self, user_id: str) -> str:
        """A new word; an earlier one of the same user is good no more."""
        self.revoke(user_id)
        word = secrets.token_urlsafe(32)
        self._links[_hashed(word)] = _Link(user_id, time.monotonic() + LIFETIME)
        return word

    def user_of(self, word: str) -> str | None:
        """Whose link this is, if it is good; looking does not use it up."""
        link = self._links.get(_hashed(word))
        return link.user_id if link and link.ends > time.monotonic() else None

    def revoke(self, user_id: str) -> None:
        """Make a user's link good no more."""
        self._links = {word: link for word, link in self._links.items() if link.user_id != user_id}


def _hashed(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
