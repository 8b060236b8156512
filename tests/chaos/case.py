"""One ticket after it was opened: what its producer and staff do with it, and every answer written down."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from tests.chaos import acts
from tests.chaos.acts import Act
from tests.chaos.customers import PATIENCE, Line, new_key
from tests.chaos.journal import Attempt, Kind, attempt_of

MOVES = ("in-review", "approved", "in-review")


@dataclass(frozen=True)
class Case:
    """A ticket, the two who are at it, and where their attempts are written down."""

    number: str
    opened: Attempt
    producer: Line
    staff: Line
    attempts: list[Attempt]
    new_letter: Callable[[], bytes]
    chance: random.Random

    async def go_on(self) -> None:
        """Everything that the two want of it."""
        if self._happens(0.1):
            await self._take_back()
            return
        later: list[Coroutine[Any, Any, Any]] = [self._work()] if self._happens(0.7) else []
        if self._happens(0.5):  # some send several at once, which then meet at the ticket
            later += [self._send_letter() for _ in range(3 if self._happens(0.5) else 1)]
        if self._happens(0.3):
            later.append(self._read_letter())
        await asyncio.gather(*later)

    async def _take_back(self) -> None:
        """The producer withdraws, unless he is asked for another letter."""
        reading = self._note(Kind.READING)
        ticket = await self.producer.ticket(reading, self.number, time.monotonic() + PATIENCE)
        if ticket.get("status") == "received":
            await self._act(self.producer, acts.withdrawal())

    async def _work(self) -> None:
        """Staff takes the ticket, writes something down, asks back, and moves it on, or does some of that."""
        first = [
            act for act, share in ((acts.claim(), 0.2), (acts.note("staff"), 0.1), (acts.note("producer"), 0.1))
            if self._happens(share)
        ]  # fmt: skip
        for act in first:
            await self._act(self.staff, act)
        moves = MOVES[: self.chance.randint(1, len(MOVES))]
        if self._happens(0.2):
            await self._act(self.staff, acts.ask_back())
            await self._act(self.producer, acts.answer())
            moves = moves[1:]  # the answer was the first
        for status in moves:
            await self._act(self.staff, acts.move(status, writes=self._happens(0.2)))

    async def _act(self, who: Line, act: Act) -> None:
        """Do one thing, each time on what was read just before, until it is done or refused."""
        deadline, reading = time.monotonic() + PATIENCE, self._note(Kind.READING)
        while ticket := await who.ticket(reading, self.number, deadline):
            attempt = self._note(Kind.ACT)
            attempt.type, attempt.status, attempt.words = act.type, act.status, act.words
            attempt.sequence = ticket["version"] + 1
            headers = {"If-Match": f'"{ticket["version"]}"'}
            path = f"/v1/tickets/{self.number}/{act.path}"
            answer = await who.ask(attempt, path, patient=True, headers=headers, json=act.body)
            # Changed meanwhile: by somebody else, or by this very act, whose answer was lost. Read again and see.
            if answer.status != 412 or attempt.unknown:
                return

    async def _send_letter(self) -> None:
        letters = [self.new_letter() for _ in range(1 + self._happens(0.2))]
        attempt, key = self._note(Kind.LETTERS, letters), new_key()
        patient, path = self._happens(0.9), f"/v1/tickets/{self.number}/letters"
        times = 2 if self._happens(0.2) else 1  # in haste, twice at once
        await asyncio.gather(
            *(self.producer.post_form(attempt, path, letters, key=key, patient=patient) for _ in range(times))
        )

    async def _read_letter(self) -> None:
        """The producer looks at a letter of his."""
        reading = self._note(Kind.READING)
        reading.letters = self.opened.letters[:1]
        await self.producer.read(reading, f"/v1/letters/{reading.request_id}.{reading.letters[0]}")

    def _happens(self, share: float) -> bool:
        return self.chance.random() < share

    def _note(self, kind: Kind, letters: list[bytes] | None = None) -> Attempt:
        attempt = attempt_of(kind, self.opened.request_id, self.opened.producer, letters or [])
        self.attempts.append(attempt)
        return attempt
