"""What documents hears from the bus."""

from services.documents.custody import Custody
from shared import topology
from shared.contracts.letters import LetterChecked
from shared.contracts.requests import LetterSubmitted, RequestSubmitted
from shared.runtime.breaker import unasked
from shared.runtime.bus import Bus


def register(bus: Bus, custody: Custody) -> None:
    """Work off ``documents.check-letter``."""

    async def check_letter(event: RequestSubmitted | LetterSubmitted) -> LetterChecked:
        if not event.data.letters:
            unasked()
        return await custody.check(event)

    bus.subscribe(topology.CHECK_LETTER, check_letter)
