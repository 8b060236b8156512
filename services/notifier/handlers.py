"""What notifier hears from the bus."""

import asyncio
from contextlib import suppress

import structlog

from services.notifier.ledger import Ledger, LedgerAway
from services.notifier.mailer import Mailer
from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.contracts.tickets import TicketEvent
from shared.runtime.bus import Bus
from shared.runtime.failures import Transient, away

ASK_AGAIN_SECONDS = 0.5


def register(bus: Bus, ledger: Ledger, mailer: Mailer) -> None:
    """Work off ``notifier.learn-address`` and ``notifier.send-mail``."""

    async def learn_address(event: RequestSubmitted) -> None:
        with away(LedgerAway, "database-away"):
            await ledger.learn(event.data.request_id, event.data.producer)

    async def send_mail(event: TicketEvent) -> None:
        structlog.contextvars.bind_contextvars(ticket_number=event.data.ticket_number)
        # Another copy of this event is in work: no failure of ours, and until it is done nothing to acknowledge.
        with away(LedgerAway, "database-away"):
            # When the broker hangs up we are cancelled. A mail under way is finished all the same: given up, it might
            # be out, and go out once more.
            while not await asyncio.shield(is_out(event)):  # noqa: ASYNC110  # the other may be another process
                await asyncio.sleep(ASK_AGAIN_SECONDS)

    async def is_out(event: TicketEvent) -> bool:
        request_id = event.data.request_id
        # The slot comes first: a claim runs while its mail is sent, not while it queues.
        async with mailer.slots:
            entry = await ledger.begin(request_id, event.id)
            if entry is None:
                raise Transient("address-not-there")
            if entry.claim is None:
                return entry.is_out
            try:
                await mailer.send(mailer.write(event, entry.producer))
            except BaseException:
                with suppress(Exception):  # what cannot be given back runs out
                    await ledger.release(request_id, event.id, entry.claim)
                raise
            await ledger.finish(request_id, event.id)
            return True

    bus.subscribe(topology.LEARN_ADDRESS, learn_address)
    bus.subscribe(topology.SEND_MAIL, send_mail)
