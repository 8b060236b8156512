"""While a server that every message of a queue needs is away, its messages are held instead of failing one by one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import TypeVar

from prometheus_client import Gauge

from shared.runtime.failures import Away, Deferred, Transient
from shared.runtime.logs import log

PAUSE_SECONDS = 1.0
# From when a message was taken, whatever it is spent with: half of the 30 minutes after which RabbitMQ takes it back.
LONGEST_HOLD = 15 * 60.0
# From when the process stops: less than the bus gives until it disconnects, for what is let go must still be moved.
STOP_SECONDS = 8.0

T = TypeVar("T")

_asked: ContextVar[bool] = ContextVar("asked")


def unasked() -> None:
    """Say that the message in hand asks no server: that it is done tells nothing of those that others wait for."""
    _asked.set(False)


class Breaker:
    """The breaker of one queue.

    It opens with the first message that finds its server away. From then on one message at a time, in turn, goes to
    see, with a pause before each; the first that is done closes it. One that fails may have failed before it asked the
    server, and closes it only where no other is held. A message that finds its server away again after others got
    through is not held a second time: what it needs is away for it alone.
    """

    def __init__(self, queue: str, gauge: Gauge) -> None:
        self._queue, self._gauge = queue, gauge.labels(queue)
        self._opened_at: float | None = None
        self._reason = ""
        self._line = asyncio.Lock()  # fair: who finds the server still away goes to the end
        self._in_hand: set[asyncio.Timeout] = set()
        self._held: set[asyncio.Timeout] = set()  # of these: who has found its server away
        self._stopping = asyncio.Event()

    def let_go(self) -> None:
        """Hold nothing any longer, for the process stops: what is held is deferred, and waits in a delay tier.

        What is at work has ``STOP_SECONDS`` to end, and is deferred then. In hand when the process is gone it would
        count as a death.
        """
        self._stopping.set()
        last = asyncio.get_running_loop().time() + STOP_SECONDS
        for hold in self._in_hand:
            if not hold.expired():
                hold.reschedule(last)

    async def run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What ``attempt`` gives, made again for as long as its server is away.

        Raises:
            Away: the server is away for this message alone.
            Deferred: it is away for all, and the message cannot be held any longer; or the process stops.
            Transient: ``took-too-long``, and no server is away.
            Exception: whatever else ``attempt`` raises.
        """
        try:
            async with asyncio.timeout(LONGEST_HOLD) as hold:
                self._in_hand.add(hold)
                return await self._until_answered(attempt, hold)
        except TimeoutError:
            if not hold.expired():
                raise  # the attempt's own
        finally:
            self._in_hand.discard(hold)
            self._held.discard(hold)
        if self._opened_at is not None:
            raise Deferred(self._reason)
        raise Deferred("stopped") if self._stopping.is_set() else Transient("took-too-long")

    async def _until_answered(self, attempt: Callable[[], Awaitable[T]], hold: asyncio.Timeout) -> T:
        while True:
            async with self._line:
                if self._opened_at is not None:
                    await self._pause()
                    try:
                        return await self._look(attempt, hold)
                    except Away:
                        continue
            try:
                return await attempt()
            except Away as error:
                self._open(error.reason)
                if hold in self._held:
                    raise
                self._held.add(hold)

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), PAUSE_SECONDS)
            raise Deferred(self._reason)

    async def _look(self, attempt: Callable[[], Awaitable[T]], hold: asyncio.Timeout) -> T:
        _asked.set(True)
        try:
            result = await attempt()
        except Away as error:
            self._open(error.reason)
            self._held.add(hold)
            raise
        except Exception:
            if self._held <= {hold}:
                self._close()
            raise
        if _asked.get():
            self._close()
        return result

    def _open(self, reason: str) -> None:
        self._reason = reason
        if self._opened_at is None:
            self._opened_at = time.monotonic()
            self._gauge.set(1)
            log.warning("breaker open", queue=self._queue, reason=reason)

    def _close(self) -> None:
        if self._opened_at is not None:
            seconds = round(time.monotonic() - self._opened_at, 1)
            self._opened_at = None
            self._gauge.set(0)
            log.warning("breaker closed", queue=self._queue, seconds=seconds)
