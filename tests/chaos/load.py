"""The load: customers who come at a steady rate, each with a request and what follows from it, in one thread."""

import asyncio
import itertools
import random
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx

from ops.letter import load_sample, make_padded_letter
from ops.stack import StackInfo
from ops.tokens import Mint
from services.intake.counter import request_id_of
from tests.chaos.case import Case
from tests.chaos.customers import TIMEOUT, Line, new_key
from tests.chaos.journal import Attempt, Kind, attempt_of
from tests.chaos.strangers import Strangers

LETTER_BYTES = 8_000
PRODUCERS = 6
MOST_PRESENT = 80  # who wait for a desk that is down; more would only say how many can wait
NUMBER_PATIENCE = 45.0
_NO_LETTER = b"This is a letter by its name only."


class Load:
    """Customers while in the context; at its end no new ones come, and those there are finish."""

    def __init__(self, info: StackInfo, seed: int, rate: float, *, strangers: bool = False) -> None:
        self.attempts: list[Attempt] = []
        self._info, self._rate, self._strangers = info, rate, strangers
        self._random = random.Random(seed)
        self._mint = Mint(Path(info.signing_key))
        self._staff_token = self._mint.staff()
        self._sample, self._grains = load_sample(), itertools.count(seed * 1_000_000)
        self._producers = [f"P{uuid4().hex[:10]}" for _ in range(PRODUCERS)]
        self._tokens = {each: self._mint.producer(each) for each in self._producers}
        self._end = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Open the doors."""
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Close the doors."""
        self._end.set()

    @property
    def is_over(self) -> bool:
        """Whether everybody has gone."""
        return not self._thread.is_alive()

    def result(self) -> list[Attempt]:
        """Everything that was asked, once everybody has gone."""
        self._thread.join()
        if self._failed is not None:
            raise self._failed
        return self.attempts

    def _run(self) -> None:
        try:
            asyncio.run(self._open())
        except BaseException as error:  # noqa: BLE001  # told to who asks for the result
            self._failed = error

    async def _open(self) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        gateway = self._info.services["intake"]
        async with (
            httpx.AsyncClient(base_url=gateway, timeout=TIMEOUT, limits=limits, trust_env=False) as http,
            asyncio.TaskGroup() as present,
        ):
            gone = asyncio.Event()
            if self._strangers:
                strangers = Strangers(self._info, self.attempts, self._grains, self._producers[0])
                present.create_task(strangers.come(gone))
            customers = set[asyncio.Task[None]]()
            while not self._end.is_set():
                if len(customers) < MOST_PRESENT:
                    customer = present.create_task(self._customer(http))
                    customers.add(customer)
                    customer.add_done_callback(customers.discard)
                await asyncio.sleep(self._random.expovariate(self._rate))
            gone.set()

    async def _customer(self, http: httpx.AsyncClient) -> None:
        """One customer from his request to the last thing that he wants of its ticket."""
        chance = self._random.random
        producer = self._random.choice(self._producers)
        line, key = Line(http, self._tokens[producer]), new_key()
        refusable = chance() < 0.03
        letters = [_NO_LETTER] if refusable else [self._letter() for _ in range(1 + (chance() < 0.2))]
        attempt = self._note(Kind.REQUEST, request_id_of(producer, key), producer, letters)
        wait = 3 if chance() < 0.4 else 0
        patient = chance() < 0.85
        asking = [line.post_form(attempt, "/v1/requests", letters, key=key, patient=patient, wait=wait)]
        if chance() < 0.1:  # in haste, twice at once
            asking.append(line.post_form(attempt, "/v1/requests", letters, key=key, patient=patient))
        answers = await asyncio.gather(*asking)
        if any(answer.is_yes for answer in answers) and chance() < 0.8:
            await self._follow_up(http, line, attempt)

    async def _follow_up(self, http: httpx.AsyncClient, line: Line, opened: Attempt) -> None:
        reading = self._note(Kind.READING, opened.request_id, opened.producer, [])
        number = await line.number_of(reading, time.monotonic() + NUMBER_PATIENCE)
        if number:
            staff = Line(http, self._staff_token)
            await Case(number, opened, line, staff, self.attempts, self._letter, self._random).go_on()

    def _letter(self) -> bytes:
        return make_padded_letter(self._sample, LETTER_BYTES, next(self._grains))

    def _note(self, kind: Kind, request_id: object, producer: str, letters: list[bytes]) -> Attempt:
        attempt = attempt_of(kind, request_id, producer, letters)
        self.attempts.append(attempt)
        return attempt
