"""Letters of one message are judged side by side, and where one fails nothing of it runs on."""

import asyncio
import hashlib
from functools import partial
from typing import IO, Any, cast
from unittest.mock import Mock

import pytest
from prometheus_client import CollectorRegistry, Gauge

from services.documents import handlers
from services.documents.custody import Custody
from services.documents.retention import Retention
from services.documents.scanner import Scanner
from services.documents.verdict import Verdict
from services.documents.workers import Workers
from shared.contracts.letters import LetterFault
from shared.contracts.media import PDF
from shared.runtime import breaker as breakers
from shared.runtime.breaker import Breaker
from shared.runtime.failures import Away, Transient
from shared.runtime.objects import Lock, ObjectStore
from tests.builders import letter, submission, submitted
from tests.fixtures.wait import eventually_async

DATA = (b"%PDF-one", b"%PDF-two")


class Parts:
    """Store, workers, scanner and retention in one; knows who is at work."""

    def __init__(self, *missing: bytes, scanner_is_away: bool = False) -> None:
        kept = [data for data in DATA if data not in missing]
        self.kept = {hashlib.sha256(data).hexdigest(): data for data in kept}
        self.scanner_is_away = scanner_is_away
        self.at_work = 0
        self.judging, self.scanning = asyncio.Event(), asyncio.Event()

    async def get(self, key: str) -> bytes | None:
        """A letter, if it is there."""
        return self.kept.get(key.rpartition("/")[2])

    async def put(self, key: str, data: IO[bytes], *_: Any) -> None:
        """Keep a receipt, slowly."""
        await self._work()
        self.kept[key.rpartition("/")[2]] = data.read()

    async def judge(self, *_: Any) -> Verdict:
        """Judge a letter, slowly, and not before it is being scanned."""
        self.judging.set()
        await asyncio.wait_for(self.scanning.wait(), 1)
        await self._work()
        return Verdict(PDF, 1)

    async def scan(self, _: bytes) -> LetterFault | None:
        """Scan one, and not before it is being judged."""
        self.scanning.set()
        await asyncio.wait_for(self.judging.wait(), 1)
        if self.scanner_is_away:
            raise Away("scanner-away")
        await self._work()
        return LetterFault.INFECTED

    async def lock_of(self, _: object) -> Lock | None:
        """None."""
        return None

    async def _work(self) -> None:
        self.at_work += 1
        await asyncio.sleep(0.05)
        self.at_work -= 1

    def custody(self) -> Custody:
        """The custody over them."""
        parts: Any = self
        return Custody(
            cast("ObjectStore", parts), cast("Workers", parts), cast("Scanner", parts), cast("Retention", parts)
        )


REQUEST = submitted(submission(letters=tuple(letter(data) for data in DATA)))


async def test_a_letter_is_scanned_while_it_is_judged() -> None:
    """Worker and scanner look at the same bytes at the same time, and both have their say."""
    found = await Parts().custody().check(REQUEST)
    assert [(each.fault, each.pages) for each in found.data.letters] == [(LetterFault.INFECTED, 1)] * 2


@pytest.mark.parametrize(
    ("parts", "failure"),
    [(Parts(scanner_is_away=True), Away), (Parts(DATA[0]), Transient), (Parts(DATA[1]), Transient)],
    ids=["no scanner", "first letter missing", "second letter missing"],
)
async def test_where_one_fails_nothing_runs_on(parts: Parts, failure: type[Transient]) -> None:
    """The message fails when all that was begun for it has ended: it comes again, and must not meet itself."""
    with pytest.raises(failure):
        await parts.custody().check(REQUEST)
    assert parts.at_work == 0


async def test_a_request_without_letters_does_not_tell_that_the_scanner_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is checked without any server: those with letters, which wait for the scanner, wait on."""
    monkeypatch.setattr(breakers, "PAUSE_SECONDS", 0.01)
    bus, parts = Mock(), Parts(scanner_is_away=True)
    handlers.register(bus, parts.custody())
    [_, check_letter] = bus.subscribe.call_args.args
    registry = CollectorRegistry()
    breaker = Breaker("documents.check-letter", Gauge("open", "Open.", ("queue",), registry=registry))

    async def is_open() -> bool:
        return registry.get_sample_value("open", {"queue": "documents.check-letter"}) == 1

    held = asyncio.ensure_future(breaker.run(partial(check_letter, REQUEST)))
    await eventually_async(is_open)
    for _ in range(3):
        checked = await breaker.run(partial(check_letter, submitted(submission(letters=()))))
        assert checked.data.letters == ()
        assert await is_open()
    assert not held.done()
    parts.scanner_is_away = False
    assert len((await held).data.letters) == len(DATA)
