"""Changing what others change at the same moment: decided on what is there, and decided anew on what is there then."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from services.tickets.store import Document

ATTEMPTS = 5
PAUSE_SECONDS = 0.02


async def in_turn(change: Callable[[], Awaitable[Document | None]]) -> Document | None:
    """What ``change`` gives the first time that nobody was faster; None where somebody was each time.

    It reads the ticket, decides, and writes; None of it means that it was written to meanwhile.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            # At random, and longer each time: those who were released together would else meet again.
            await asyncio.sleep(PAUSE_SECONDS * 2 ** (attempt - 1) * random.random())  # noqa: S311  # nobody's secret
        if (changed := await change()) is not None:
            return changed
    return None
