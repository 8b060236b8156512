"""What happens to tickets, as it happens: the event log, passed on to those who listen and may know."""

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncGenerator
from weakref import WeakSet

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import TypeAdapter, ValidationError

from shared.contracts.tickets import TicketEvent, TicketWorked
from shared.runtime.auth import Caller
from shared.runtime.event_log import AnotherLogError, Entry, EventLog, LogAway
from shared.runtime.event_streams import HEARTBEAT_SECONDS
from shared.runtime.logs import log
from shared.runtime.problems import too_many, unavailable

MAX_LISTENERS = 1000
MAX_OF_ONE = 50  # caller
MAX_WAITING = 200  # events that a slow listener may be behind
OVERLAP = 20  # events that are read again before the one that a listener names
FARTHEST = 10_000  # events that are read again at most
CATCH_UPS = 4  # at once
CATCH_UP_SECONDS = 20.0
AGAIN_SECONDS = 1.0
RETRY_MS = 1000

_ID = re.compile(r"e([0-9a-f]{1,15})")
_EVENTS: TypeAdapter[TicketEvent] = TypeAdapter(TicketEvent)


class Listener:
    """One caller who listens; what he does not take in time is lost to him, and he is told by the end."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._is_behind = False

    def is_of(self, caller: Caller) -> bool:
        """Whether it is this caller who listens."""
        return self._caller.subject == caller.subject

    def may_know(self, event: TicketEvent) -> bool:
        """Staff hears all; a producer what happens to his own tickets, and not what staff does among itself."""
        if self._caller.is_staff:
            return True
        return event.data.producer_id == self._caller.producer_id and not isinstance(event, TicketWorked)

    def offer(self, piece: bytes) -> None:
        """Keep a piece until it is taken."""
        if self._waiting.full():
            self._is_behind = True
        else:
            self._waiting.put_nowait(piece)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """What was offered, or a sign of life; ends with the token, and where too much waits."""
        while not self._is_behind and (left := self._caller.expires_at - time.time()) > 0:
            try:
                async with asyncio.timeout(min(HEARTBEAT_SECONDS, left)):
                    piece = await self._waiting.get()
            except TimeoutError:
                piece = KEEPALIVE_COMMENT
            yield piece


class Live:
    """One process's listeners over the event log."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        # Weakly: whoever is admitted and gone before his answer begins is no listener any more.
        self._listeners: WeakSet[Listener] = WeakSet()
        self._last: Entry | None = None  # that was passed on
        self._knows_position = asyncio.Event()
        self._catch_ups = asyncio.Semaphore(CATCH_UPS)

    async def follow_forever(self) -> None:
        """Pass on every event as it comes, until cancelled; after an outage from where it was."""
        while True:
            try:
                await self._follow()
            except LogAway as error:
                log.warning("event log away", reason=type(error).__name__)
            except AnotherLogError:
                log.warning("event log made anew")
                self._last = None
                self._knows_position.clear()
            except Exception as error:  # noqa: BLE001  # whatever it is: without the log nobody would hear anything again
                log.error("event log not read", exc_info=error)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self) -> None:
        async with self._events.after(self._last) as entries:
            if self._last is None:
                # Who listens already may have missed what came before.
                for listener in self._listeners:
                    listener.offer(_RELOAD)
            async for entry in entries:
                # Where the next log is there at once, RabbitMQ lets a reader go on in it, and says nothing.
                if entry[0] <= self._position:
                    raise AnotherLogError
                self._pass_on(entry)

    def admit(self, caller: Caller) -> Listener:
        """A new listener, who hears from now on.

        Raises:
            Problem: 429 where the caller listens as often as he may, 503 where too many others do.
        """
        if sum(each.is_of(caller) for each in self._listeners) >= MAX_OF_ONE:
            raise too_many(f"You listen {MAX_OF_ONE} times already; close what you do not need.")
        if len(self._listeners) >= MAX_LISTENERS:
            raise unavailable("Too many listen; try again soon.")
        listener = Listener(caller)
        self._listeners.add(listener)
        return listener

    async def listen(self, listener: Listener, last_id: str | None) -> AsyncGenerator[bytes, None]:
        """What a listener may know, as server-sent events; before it what came since ``last_id``.

        Events may come twice around the seam, with the same id. ``reload`` says that some may be missing.
        """
        try:
            if last_id is not None and self._position < 0:
                await self._wait_for_position()
            position = self._position
            yield format_sse_event(retry=RETRY_MS)
            if last_id is not None:
                async for piece in self._since(listener, _offset(last_id), position):
                    yield piece
            yield format_sse_event(event="ready", data_str="{}", id=_id(position))
            async for piece in listener.pieces():
                yield piece
        finally:
            self._listeners.discard(listener)

    @property
    def _position(self) -> int:
        """The offset of the last event that was passed on; -1: none was."""
        return self._last[0] if self._last else -1

    async def _wait_for_position(self) -> None:
        """Give a process that has just started the time to learn how far the log is."""
        try:
            async with asyncio.timeout(AGAIN_SECONDS):
                await self._knows_position.wait()
        except TimeoutError:
            return  # the log is empty, or away

    async def _since(self, listener: Listener, last: int | None, position: int) -> AsyncGenerator[bytes, None]:
        """Read again what came after ``last``, and a little before it."""
        if last == position:
            return
        if last is None or not 0 < position - last <= FARTHEST:
            yield _RELOAD
            return
        # Of others' events nothing is kept, nor of what was taken: a slow reader may take long.
        found: deque[bytes] = deque()
        try:
            async with self._catch_ups, asyncio.timeout(CATCH_UP_SECONDS):
                async for offset, body in self._events.between(max(0, last + 1 - OVERLAP), position):
                    event = _event(body)
                    if event is not None and listener.may_know(event):
                        found.append(_piece(offset, event))
        except (*LogAway, TimeoutError):
            yield _RELOAD
            return
        while found:
            yield found.popleft()

    def _pass_on(self, entry: Entry) -> None:
        self._last = entry
        self._knows_position.set()
        offset, body = entry
        event = _event(body)
        if event is None:
            return
        piece = _piece(offset, event)
        for listener in self._listeners:
            if listener.may_know(event):
                listener.offer(piece)


def _event(body: bytes) -> TicketEvent | None:
    """The event in an entry; None for one that a newer sender wrote."""
    try:
        return _EVENTS.validate_json(body)
    except ValidationError:
        return None


def _piece(offset: int, event: TicketEvent) -> bytes:
    said = event.model_dump_json(exclude_none=True)
    return format_sse_event(event=event.routing_key, data_str=said, id=_id(offset))


def _id(offset: int) -> str:
    """An id that means something to the desk alone."""
    return f"e{offset + 1:x}"


def _offset(last_id: str) -> int | None:
    """The offset in an id; None where it is none of ours."""
    match = _ID.fullmatch(last_id)
    return int(match[1], 16) - 1 if match else None


# Its id is the log's beginning: whoever comes back with it has read nothing of this log yet.
_RELOAD = format_sse_event(event="reload", data_str="{}", id=_id(-1))
