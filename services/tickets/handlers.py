"""What tickets hears from the bus."""

from services.tickets.desk import Desk
from services.tickets.store import StoreAway
from shared import topology
from shared.contracts.letters import LetterChecked
from shared.contracts.requests import Submission
from shared.runtime.bus import Bus
from shared.runtime.failures import away


def register(bus: Bus, desk: Desk) -> None:
    """Work off ``tickets.open-ticket``."""

    async def open_ticket(event: LetterChecked) -> None:
        submission, letters, forms = event.data.submission, event.data.letters, event.data.forms
        with away(StoreAway, "database-away"):
            if isinstance(submission, Submission):
                await desk.open_ticket(submission, letters, forms)
            else:
                await desk.add_letters(submission, letters, forms)

    bus.subscribe(topology.OPEN_TICKET, open_ticket)
