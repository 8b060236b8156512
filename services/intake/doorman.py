"""How often a caller may ask: a token bucket for each, in the memory of this process."""

import time

from shared.runtime.auth import Caller, Verifier
from shared.runtime.problems import too_many

FIRST_SWEEP = 1000  # buckets; below it there is nothing worth clearing


class Allowance:
    """A token bucket per caller, kept as GCRA keeps it: the one moment at which the bucket is full again.

    ``now`` is in seconds of a clock that never goes back.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._token = 1 / per_second  # what one costs, in seconds
        self._bucket = burst * self._token
        self._full_at: dict[str, float] = {}
        self._sweep_at = FIRST_SWEEP

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, caller: str, now: float) -> float:
        """Take a token; where there is none, the seconds until there is one."""
        full_at = max(self._full_at.get(caller, now), now) + self._token
        # A millionth of a second is what adding up fractions may cost; it is no reason to turn anybody away.
        if (missing := full_at - now - self._bucket) > 1e-6:
            return missing
        self._full_at[caller] = full_at
        if len(self._full_at) > self._sweep_at:
            self._sweep(now)
        return 0.0

    def _sweep(self, now: float) -> None:
        """Drop full buckets, which say the same as none; seldom enough to cost each request next to nothing."""
        self._full_at = {caller: full_at for caller, full_at in self._full_at.items() if full_at > now}
        self._sweep_at = max(FIRST_SWEEP, 2 * len(self._full_at))


class Doorman:
    """A verifier who lets each caller in as often as his allowance says; a token that is not valid uses up none."""

    def __init__(self, verifier: Verifier, allowance: Allowance) -> None:
        self._verifier, self._allowance = verifier, allowance

    async def caller(self, token: str) -> Caller:
        """The caller that ``token`` names.

        Raises:
            Problem: 429 ``too-many-requests``, and what the verifier says of the token.
        """
        caller = await self._verifier.caller(token)
        # One issuer is accepted, so that its subject alone tells callers apart.
        if wait := self._allowance.take(caller.subject, time.monotonic()):
            raise too_many("Too many requests; wait for the time in Retry-After.", wait)
        return caller
