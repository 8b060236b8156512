"""What notifier hears from the bus."""

import structlog

from services.notifier.ledger import Ledger
from services.notifier.mailer import Mailer
from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.contracts.tickets import TicketEvent
from shared.runtime.bus import Bus
from shared.runtime.failures import Transient


def register(bus: Bus, ledger: Ledger, mailer: Mailer) -> None:
    """Work off ``notifier.learn-address`` and ``notifier.send-mail``."""

    async def learn_address(event: RequestSubmitted) -> None:
        await ledger.learn(event.data.request_id, event.data.producer)

    async def send_mail(event: TicketEvent) -> None:
        structlog.contextvars.bind_contextvars(ticket_number=event.data.ticket_number)
        entry = await ledger.begin(event.data.request_id, event.id)
        if entry is None:
            raise Transient("address-not-there")
        if not entry.is_out:
            await mailer.send(mailer.write(event, entry.producer))
            await ledger.finish(event.data.request_id, event.id)

    bus.subscribe(topology.LEARN_ADDRESS, learn_address)
    bus.subscribe(topology.SEND_MAIL, send_mail)
