"""How many letters come or go at once: one that comes needs room on the disk, and one that goes a connection."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from shared.runtime.problems import too_many, unavailable


class Places:
    """Places for uploads or downloads, of which one caller may have half: nobody keeps all others out by being slow."""

    def __init__(self, places: int, what: Literal["uploads", "downloads"]) -> None:
        self._places, self._of_one, self._what = places, max(1, places // 2), what
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, caller: str) -> Iterator[None]:
        """A place for this caller.

        Raises:
            Problem: 503 where all are taken, 429 where he has half of them.
        """
        if self._taken.total() >= self._places:
            raise unavailable(f"Too many {self._what} are in progress; try again shortly.")
        if self._taken[caller] >= self._of_one:
            raise too_many(f"Too many of your {self._what} are in progress; wait for them to finish.")
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
