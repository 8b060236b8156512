"""How often something may be tried, in a window of time: by one name, and from one machine."""

import time
from collections import deque

MOST_KEPT = 10_000  # somebody may try as many names as he likes; the oldest are forgotten
MACHINE = 10  # times as many from one machine, for an agency may come from one address


class Attempts:
    """So many attempts of one name in so many seconds, and ten times as many from one machine."""

    def __init__(self, most: int, seconds: float) -> None:
        self._seconds = seconds
        self._most = {"name": most, "machine": most * MACHINE}
        self._made: dict[tuple[str, str], deque[float]] = {}

    def wait(self, name: str, machine: str) -> int:
        """The seconds until the next attempt; 0: now."""
        return max(self._wait(key) for key in _keys(name, machine))

    def note(self, name: str, machine: str) -> None:
        """One more attempt."""
        for key in _keys(name, machine):
            made = self._made.pop(key, deque(maxlen=self._most[key[0]]))
            made.append(time.monotonic())
            self._made[key] = made
        while len(self._made) > MOST_KEPT:
            del self._made[next(iter(self._made))]

    def forget(self, name: str, machine: str) -> None:
        """The last attempt went well: the name begins anew, and the machine has one less."""
        by_name, by_machine = _keys(name, machine)
        self._made.pop(by_name, None)
        if made := self._made.get(by_machine):
            made.pop()

    def _wait(self, key: tuple[str, str]) -> int:
        made = self._made.get(key, deque())
        ends = time.monotonic() - self._seconds
        while made and made[0] <= ends:
            made.popleft()
        return 0 if len(made) < self._most[key[0]] else int(made[0] - ends) + 1


def _keys(name: str, machine: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """What an attempt is counted by, in whatever case it was typed."""
    return ("name", name.strip().casefold()), ("machine", machine.strip().casefold())
