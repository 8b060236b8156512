"""The one publisher of ticket history: handlers, routes and the sweeper all go through it."""

import asyncio
from uuid import UUID, uuid4

from services.tickets.history import address_of, event_of, message_of
from services.tickets.store import Document, StoreError, TicketStore
from shared.contracts.envelope import now
from shared.contracts.requests import Submission
from shared.runtime.amqp import BusAway, BusRefuses
from shared.runtime.bus import Bus
from shared.runtime.logs import log

SWEEP_BATCH = 100

# What keeps every event in for now; the sweeper publishes it later.
AWAY = (StoreError, *BusAway)


class Outbox:
    """Publishes unpublished history in order, one publisher per ticket at a time."""

    def __init__(self, store: TicketStore, bus: Bus, sweep_seconds: float) -> None:
        self._store, self._bus, self._sweep_seconds = store, bus, sweep_seconds

    async def give_address(self, submission: Submission) -> None:
        """Say whom to write to about a request; a repeat says it with the same id."""
        await self._bus.publish(address_of(submission))

    async def publish_opened(self, ticket: Document, holder: UUID) -> None:
        """Publish the history of a ticket that was opened with the lease held."""
        if not await self._publish(ticket, holder):
            await self.publish_pending(ticket["_id"])

    async def repeat_opened(self, ticket: Document) -> None:
        """Publish ``ticket.opened`` once more, with the same id, for whoever waits for this ticket."""
        await self._bus.publish(event_of(ticket, ticket["history"][0]))

    async def publish_pending(self, request_id: UUID) -> int:
        """Publish whatever of this ticket is not out yet; says how many events that were.

        Raises:
            Exception: the broker's or store's; the entries stay due for the sweeper.
        """
        holder, count = uuid4(), 0
        while ticket := await self._store.lease(request_id, holder):
            count += len(ticket["history"]) - ticket["published"]
            if await self._publish(ticket, holder):
                break
        return count

    async def _publish(self, ticket: Document, holder: UUID) -> bool:
        """Publish what is due of a leased ticket; False where more has come due meanwhile."""
        try:
            for item in ticket["history"][ticket["published"] :]:
                # The words first: then they are mostly there when the mail is about to be written.
                if message := message_of(ticket, item):
                    await self._bus.publish(message)
                await self._bus.publish(event_of(ticket, item))
        except BaseException:
            await asyncio.shield(self._store.release(ticket["_id"], holder, ticket.get("sweeps", 0)))
            raise
        return await self._store.mark_published(ticket["_id"], holder, len(ticket["history"]))

    async def sweep_forever(self) -> None:
        """Publish what a crash or an outage left behind, until cancelled."""
        while True:
            await asyncio.sleep(self._sweep_seconds)
            try:
                for request_id in await self._store.due(now(), SWEEP_BATCH):
                    await self._sweep(request_id)
            except AWAY as error:
                log.warning("outbox sweep failed", reason=type(error).__name__)
            except Exception as error:  # noqa: BLE001  # whatever it is: without the sweeper events would stay in for ever
                log.error("outbox sweep failed", reason=type(error).__name__, exc_info=error)

    async def _sweep(self, request_id: UUID) -> None:
        try:
            if count := await self.publish_pending(request_id):
                log.info("outbox swept", request_id=str(request_id), events=count)
        except BusRefuses as error:  # others may go elsewhere
            log.warning("ticket not swept", request_id=str(request_id), reason=type(error).__name__)
        except AWAY:
            raise  # nobody's event can go out now
        except Exception as error:  # noqa: BLE001  # one ticket that makes no event must not hold up the others
            log.error("ticket not swept", request_id=str(request_id), exc_info=error)
