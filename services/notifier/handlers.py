"""What notifier hears from the bus."""

import asyncio
from contextlib import suppress
from email.message import EmailMessage

import structlog

from services.notifier import texts
from services.notifier.ledger import Entry, Ledger, LedgerAway
from services.notifier.mailer import Mailer
from shared import topology
from shared.contracts.messages import MessageWritten
from shared.contracts.requests import AddressGiven, RequestSubmitted
from shared.contracts.tickets import TicketEvent
from shared.runtime.breaker import unasked
from shared.runtime.bus import Bus
from shared.runtime.failures import Deferred, Transient, away


def register(bus: Bus, ledger: Ledger, mailer: Mailer) -> None:
    """Work off ``notifier.learn-address``, ``notifier.learn-message`` and ``notifier.send-mail``."""

    async def learn_address(event: AddressGiven | RequestSubmitted) -> None:
        with away(LedgerAway, "database-away"):
            await ledger.learn(event.data.request_id, event.data.producer)

    async def learn_message(event: MessageWritten) -> None:
        data = event.data
        with away(LedgerAway, "database-away"):
            await ledger.learn_message(data.request_id, data.event_id, data.text)

    async def send_mail(event: TicketEvent) -> None:
        structlog.contextvars.bind_contextvars(ticket_number=event.data.ticket_number)
        if not texts.is_mailed(event):
            unasked()
            return
        # The slot comes first: a claim runs while its mail is sent, not while it queues.
        await mailer.slots.acquire()
        with away(LedgerAway, "database-away"):
            # When the broker hangs up, or we stop, we are cancelled. A mail under way is finished all the same: given
            # up, it might be out, and go out once more.
            entry = await asyncio.shield(_send_claimed(event, ledger, mailer))
        if entry.is_out:
            unasked()  # the ledger alone was
        elif entry.claim is None:
            # Another copy of this event is in work, or its sender has died: then its claim runs out.
            raise Deferred("mail-in-work")

    bus.subscribe(topology.LEARN_ADDRESS, learn_address)
    bus.subscribe(topology.LEARN_MESSAGE, learn_message)
    bus.subscribe(topology.SEND_MAIL, send_mail)


async def _send_claimed(event: TicketEvent, ledger: Ledger, mailer: Mailer) -> Entry:
    """Send the mail where nobody else has its claim; whose claim it was then; gives the slot back."""
    request_id = event.data.request_id
    try:
        entry = await ledger.begin(request_id, event.id)
        if entry is None:
            raise Transient("address-not-there")
        if entry.claim is None:
            return entry
        try:
            await mailer.send(_mail(mailer, event, entry))
        except BaseException:
            with suppress(Exception):  # what cannot be given back runs out
                await ledger.release(request_id, event.id, entry.claim)
            raise
        await ledger.finish(request_id, event.id, entry.claim)
        return entry
    finally:
        mailer.slots.release()


def _mail(mailer: Mailer, event: TicketEvent, entry: Entry) -> EmailMessage:
    if event.data.has_message and entry.message is None:
        raise Transient("message-not-there")
    return mailer.write(event, entry.producer, entry.message)
