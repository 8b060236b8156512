"""How many uploads this process takes in at once: each may need its whole size on the disk."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shared.runtime.problems import too_many, unavailable


class Places:
    """Places for uploads, of which one caller may have half, so that nobody keeps all others out by being slow."""

    def __init__(self, places: int) -> None:
        self._places, self._of_one = places, max(1, places // 2)
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, caller: str) -> Iterator[None]:
        """A place for an upload of this caller.

        Raises:
            Problem: 503 where all are taken, 429 where he has half of them.
        """
        if self._taken.total() >= self._places:
            raise unavailable("Too many uploads are in progress. Send it again with the same Idempotency-Key.")
        if self._taken[caller] >= self._of_one:
            raise too_many("Too many of your uploads are in progress; wait for them to finish.")
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
