"""Those who wait for their ticket number: woken by ``ticket.opened``, never by polling."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from shared.contracts.tickets import TicketOpened

_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?([0-9]+)\"?\s*(?:$|[,;])", re.IGNORECASE)


class WaitingRoom:
    """One process's waiters by request id."""

    def __init__(self) -> None:
        self._waiters: dict[UUID, set[asyncio.Future[TicketOpened]]] = {}

    @contextmanager
    def waiter(self, request_id: UUID) -> Iterator[asyncio.Future[TicketOpened]]:
        """A future for the ticket of a request; enter before the request is published."""
        future: asyncio.Future[TicketOpened] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(request_id, set())
        waiters.add(future)
        try:
            yield future
        finally:
            waiters.discard(future)
            if not waiters:
                self._waiters.pop(request_id, None)

    async def announce(self, event: TicketOpened) -> None:
        """Wake those who wait for this ticket."""
        for future in self._waiters.get(event.data.request_id, ()):
            if not future.done():
                future.set_result(event)


def wait_seconds(prefer: str | None, longest: float) -> float:
    """What RFC 7240's ``Prefer: wait=n`` asks for, at most ``longest``; 0 where it does not."""
    match = _WAIT.search(prefer or "")
    return min(float(match[1]), longest) if match else 0.0
