"""What becomes of a message that failed: the one middleware around every handler.

Permanent errors go to the parking lot at once, transient ones to the next delay tier and after the
last tier to the parking lot; what is only deferred goes to the first tier, and no attempt is counted.
In each case the message is published anew and confirmed *before* it is acked, and held, unacked, while
it cannot be. While a server is away for all of them, messages are held too: see
:mod:`shared.runtime.breaker`. A message on which the process dies is the broker's to count: see
``DELIVERY_LIMIT``.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any, TypeAlias

import structlog
from aio_pika import IncomingMessage
from aio_pika.exceptions import ChannelInvalidStateError
from faststream import BaseMiddleware, ContextRepo
from faststream.exceptions import NackMessage
from faststream.message import StreamMessage
from faststream.rabbit.response import RabbitPublishCommand

from shared import topology
from shared.runtime.logs import log

ATTEMPT = "por-attempt"
QUEUE = "por-queue"
REASON = "por-reason"
PARKED_AT = "por-parked-at"

HOLD_SECONDS = 1.0

Republish: TypeAlias = Callable[[IncomingMessage, str, str, Mapping[str, str | int]], Awaitable[None]]
Attempt: TypeAlias = Callable[[], Awaitable[Any]]
Hold: TypeAlias = Callable[[Attempt], Awaitable[Any]]


class Permanent(Exception):
    """Trying again cannot help; ``reason`` is a stable code without personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Transient(Exception):
    """Something this message needs is not there yet; ``reason`` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Deferred(Transient):
    """Nothing of it has failed, but another is at work on it, or all wait for a server: it comes back as it was.

    In hand it would be counted as a death whenever this process dies of something else. Whoever raises it sees to it
    that what it waits for has an end.
    """


class Away(Transient):
    """A server that every message of the queue needs does not answer: the breaker holds them."""


@contextmanager
def away(kinds: tuple[type[Exception], ...], reason: str) -> Iterator[None]:
    """Let errors of these kinds say that a server is away."""
    try:
        yield
    except kinds as error:
        raise Away(reason) from error


def reason_of(error: BaseException) -> tuple[str, bool]:
    """The stable reason of a failure, and whether trying again may help.

    What nobody foresaw is taken as transient: it costs retries, not the message.
    """
    if isinstance(error, Permanent):
        return error.reason, False
    if isinstance(error, Transient):
        return error.reason, True
    return type(error).__name__, True


@dataclass
class Pulse:
    """How many messages of a queue were taken so far, and how many of them are in hand."""

    queue: str
    taken: int = 0
    in_hand: int = 0


@dataclass(frozen=True)
class FailureMiddleware:
    """Puts a :class:`FailurePath` around every message of one queue, whose ``pulse`` beats with each."""

    pulse: Pulse
    republish: Republish
    hold: Hold

    def __call__(self, msg: Any, /, *, context: ContextRepo) -> BaseMiddleware[Any, Any]:
        """The path of one message."""
        return FailurePath(msg, context=context, path=self)


class FailurePath(BaseMiddleware[RabbitPublishCommand, IncomingMessage]):
    """Times, logs and, where the handler failed, reroutes one message."""

    def __init__(self, msg: IncomingMessage, /, *, context: ContextRepo, path: FailureMiddleware) -> None:
        super().__init__(msg, context=context)
        self._queue, self._pulse = path.pulse.queue, path.pulse
        self._republish, self._hold = path.republish, path.hold

    async def on_receive(self) -> None:
        """Open the canonical log line."""
        self._pulse.taken += 1
        self._pulse.in_hand += 1
        self._started = time.perf_counter()
        structlog.contextvars.bind_contextvars(
            queue=self._queue,
            message_id=self.msg.message_id,
            request_id=self.msg.correlation_id,
            attempt=self._attempt,
        )

    @property
    def _attempt(self) -> int:
        value = self.msg.headers.get(ATTEMPT, 0)
        return value if isinstance(value, int) else 0

    async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: StreamMessage[Any]) -> Any:
        """Let the handler work, again where its server was away."""
        tries = count()

        async def attempt() -> Any:
            if next(tries):
                self._require_ours()
            return await call_next(msg)

        return await self._hold(attempt)

    def _require_ours(self) -> None:
        try:
            self.msg.channel  # noqa: B018  # it raises when it is closed
        except ChannelInvalidStateError:
            # The broker has taken the message back and delivers it again: worked on or moved here too, it would be two.
            raise NackMessage(requeue=True) from None

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,  # noqa: ARG002  # the library's signature
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,  # noqa: ARG002  # as above
    ) -> bool | None:
        """Reroute a failed message, then let it be acked; close the log line."""
        try:
            return await self._settle(exc_val)
        finally:
            self._pulse.in_hand -= 1

    async def _settle(self, exc_val: BaseException | None) -> bool:
        if exc_val is None:
            self._log("done")
            return False
        if isinstance(exc_val, NackMessage) or not isinstance(exc_val, Exception):
            return False
        reason, transient = reason_of(exc_val)
        attempt = self._attempt + 1
        headers: dict[str, str | int]
        if isinstance(exc_val, Deferred):
            outcome, exchange, headers = "deferred", topology.retry_tier(1), {ATTEMPT: self._attempt}
        elif transient and attempt <= topology.RETRY_TIERS:
            outcome, exchange, headers = "retry", topology.retry_tier(attempt), {ATTEMPT: attempt}
        else:
            outcome, exchange = "parked", topology.DEAD_LETTERS
            headers = {ATTEMPT: self._attempt, REASON: reason, PARKED_AT: int(time.time())}
        await self._move(exchange, headers, reason)
        self._log(outcome, reason=reason, error=exc_val)
        return True

    async def _move(self, exchange: str, headers: Mapping[str, str | int], reason: str) -> None:
        """Publish the message anew, however long that takes: given back meanwhile, each time would count against it."""
        for tries in count():
            if tries:
                self._require_ours()
            try:
                await self._republish(self.msg, exchange, self._queue, headers)
            except Exception as error:  # noqa: BLE001  # there is nothing else to be done with this message
                if tries == 0:
                    self._log("held", reason=reason, error=error)
                await asyncio.sleep(HOLD_SECONDS)
            else:
                return

    def _log(self, outcome: str, *, reason: str | None = None, error: Exception | None = None) -> None:
        write = log.info if outcome == "done" else log.warning
        unforeseen = error if error and not isinstance(error, Permanent | Transient) else None
        write(
            "message",
            outcome=outcome,
            ms=round((time.perf_counter() - self._started) * 1000, 1),
            **({"reason": reason} if reason else {}),
            **({"exc_info": unforeseen} if unforeseen else {}),
        )
