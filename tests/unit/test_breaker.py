"""While a server is away its messages are held, one goes to see, and none is lost sight of."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry, Gauge

from shared.runtime import breaker as breakers
from shared.runtime.breaker import Breaker, unasked
from shared.runtime.failures import Away, Deferred, Permanent, Transient
from tests.fixtures.wait import eventually_async


class Server:
    """What a handler needs: it answers, or it is away; counts who asked."""

    def __init__(self) -> None:
        self.is_away = True
        self.asked: list[int] = []
        self.at_once = self.most_at_once = 0

    def for_message(self, number: int, answer: Exception | None = None) -> Callable[[], Awaitable[int]]:
        """One try to handle a message."""

        async def attempt() -> int:
            self.asked.append(number)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await asyncio.sleep(0)
            self.at_once -= 1
            if self.is_away:
                raise Away("store-away")
            if answer is not None:
                raise answer
            return number

        return attempt


@pytest.fixture
def gauge() -> Gauge:
    """Tells whether the breaker is open."""
    return Gauge("open", "Open.", ("queue",), registry=CollectorRegistry())


@pytest.fixture
def breaker(gauge: Gauge, monkeypatch: pytest.MonkeyPatch) -> Breaker:
    """A breaker that hardly pauses."""
    monkeypatch.setattr(breakers, "PAUSE_SECONDS", 0.01)
    return Breaker("documents.check-letter", gauge)


def is_open(gauge: Gauge) -> bool:
    """What the metric says."""
    return next(iter(gauge.collect())).samples[0].value == 1


async def test_messages_are_held_while_their_server_is_away(breaker: Breaker, gauge: Gauge) -> None:
    """None fails during the outage, one at a time goes to see, and all are done after it."""
    server = Server()
    work = [asyncio.ensure_future(breaker.run(server.for_message(n))) for n in range(5)]
    await asyncio.sleep(0.1)
    assert not any(each.done() for each in work)
    assert is_open(gauge)
    server.asked.clear()
    server.most_at_once = 0
    await asyncio.sleep(0.1)
    assert server.most_at_once == 1
    server.is_away = False
    assert await asyncio.gather(*work) == [0, 1, 2, 3, 4]
    assert not is_open(gauge)


async def test_those_who_go_to_see_take_turns(breaker: Breaker) -> None:
    """Whoever finds the server still away goes to the end of the line: a message that asks in vain holds up nobody."""
    server = Server()
    work = [asyncio.ensure_future(breaker.run(server.for_message(n))) for n in range(3)]

    async def asked() -> int:
        return len(server.asked)

    await eventually_async(asked, lambda times: times >= 3 + 6)
    seen = server.asked[3:]
    assert all(seen[n] != seen[n + 1] for n in range(len(seen) - 1))
    server.is_away = False
    await asyncio.gather(*work)


async def test_message_whose_server_is_away_for_it_alone_fails(breaker: Breaker) -> None:
    """A message that finds its server away again after others got through is not held on: it goes its own way."""

    async def never() -> None:
        raise Away("store-away")

    async def always() -> str:
        return "done"

    alone = asyncio.ensure_future(breaker.run(never))
    await asyncio.sleep(0.05)
    assert not alone.done()
    for _ in range(10):
        assert await breaker.run(always) == "done"
    with pytest.raises(Away):
        await asyncio.wait_for(alone, 1)


@pytest.mark.parametrize("answer", [Permanent("key-reused"), Transient("letter-not-there")], ids=str)
async def test_any_answer_means_that_the_server_is_back(breaker: Breaker, gauge: Gauge, answer: Exception) -> None:
    """Where no other is held a refusal too closes the breaker, and fails as a refusal does."""
    server = Server()
    refused = asyncio.ensure_future(breaker.run(server.for_message(1, answer)))
    await asyncio.sleep(0.05)
    server.is_away = False
    with pytest.raises(type(answer)):
        await refused
    assert not is_open(gauge)


@pytest.mark.parametrize(
    "answer",
    [None, Permanent("unreadable"), Transient("address-not-there"), Deferred("mail-in-work"), KeyError("who?")],
    ids=str,
)
async def test_who_asks_no_server_does_not_tell_that_it_is_back(
    breaker: Breaker, gauge: Gauge, answer: Exception | None
) -> None:
    """What is done without the server, or fails before it is asked, leaves those who wait for it where they are."""
    server = Server()
    held = [asyncio.ensure_future(breaker.run(server.for_message(n))) for n in range(3)]
    await asyncio.sleep(0.05)

    async def ask_nobody() -> None:
        unasked()
        if answer is not None:
            raise answer

    for _ in range(10):
        [outcome] = await asyncio.gather(breaker.run(ask_nobody), return_exceptions=True)
        assert outcome is answer
        assert is_open(gauge)
    await asyncio.sleep(0.05)
    assert not any(each.done() for each in held)
    server.is_away = False
    assert await asyncio.gather(*held) == [0, 1, 2]
    assert not is_open(gauge)


async def test_an_answer_to_what_was_asked_before_the_outage_does_not_end_it(breaker: Breaker, gauge: Gauge) -> None:
    """A message that was on its way when the server went may still be done: those who are held wait on."""
    server, answered = Server(), asyncio.Event()
    early = asyncio.ensure_future(breaker.run(answered.wait))
    held = asyncio.ensure_future(breaker.run(server.for_message(1)))
    await asyncio.sleep(0.05)
    answered.set()
    assert await early
    await asyncio.sleep(0.05)
    assert is_open(gauge)
    assert not held.done()
    server.is_away = False
    assert await held == 1


async def test_what_nobody_foresaw_is_not_held(breaker: Breaker, gauge: Gauge) -> None:
    """An error of any other kind fails at once and opens nothing."""

    async def crash() -> None:
        raise KeyError("who?")

    with pytest.raises(KeyError):
        await breaker.run(crash)
    assert not is_open(gauge)


async def test_nothing_is_held_when_the_process_stops(breaker: Breaker) -> None:
    """What is held is deferred at once: it can wait in a delay tier instead of being handed back, at no cost."""
    server = Server()
    work = [asyncio.ensure_future(breaker.run(server.for_message(n))) for n in range(3)]
    await asyncio.sleep(0.05)
    breaker.let_go()
    await asyncio.sleep(0.02)
    asked = len(server.asked)
    outcomes = await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), 1)
    assert [(type(each), str(each)) for each in outcomes] == [(Deferred, "store-away")] * 3
    assert len(server.asked) == asked


async def test_who_waits_for_one_that_hangs_is_let_go_too(breaker: Breaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that stops while a look hangs defers all that it has in hand in time, for it would count as deaths."""
    monkeypatch.setattr(breakers, "STOP_SECONDS", 0.2)
    first_looks, hanging = 3, asyncio.Event()

    async def look() -> None:
        nonlocal first_looks
        first_looks -= 1
        if first_looks < 0:
            hanging.set()
            await asyncio.sleep(60)
        raise Away("smtp-away")

    work = [asyncio.ensure_future(breaker.run(look)) for _ in range(3)]
    await hanging.wait()
    breaker.let_go()
    outcomes = await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), 1)
    assert [(type(each), str(each)) for each in outcomes] == [(Deferred, "smtp-away")] * 3


async def test_what_is_at_work_when_the_process_stops_may_end(
    breaker: Breaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given time; what is not done then, though no server is known to be away, is deferred, not failed."""
    monkeypatch.setattr(breakers, "STOP_SECONDS", 0.3)
    quick = asyncio.ensure_future(breaker.run(lambda: asyncio.sleep(0.1, "done")))
    slow = asyncio.ensure_future(breaker.run(lambda: asyncio.sleep(60)))
    await asyncio.sleep(0.01)
    breaker.let_go()
    assert await quick == "done"
    with pytest.raises(Deferred, match="stopped"):
        await asyncio.wait_for(slow, 1)


async def test_nothing_is_held_for_ever(breaker: Breaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the longest hold a message is deferred, before the broker would take it back."""
    monkeypatch.setattr(breakers, "LONGEST_HOLD", 0.1)
    with pytest.raises(Deferred, match="store-away"):
        await asyncio.wait_for(breaker.run(Server().for_message(1)), 2)


async def test_who_waits_for_one_that_hangs_is_held_no_longer(
    breaker: Breaker, gauge: Gauge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hold counts from when a message was taken, its wait in line and its look included."""
    monkeypatch.setattr(breakers, "LONGEST_HOLD", 0.3)
    first_looks = 3

    async def look() -> None:
        nonlocal first_looks
        first_looks -= 1
        if first_looks < 0:
            await asyncio.sleep(60)  # from now on the server takes what it is asked, and says nothing
        raise Away("scanner-away")

    work = [asyncio.ensure_future(breaker.run(look)) for _ in range(3)]
    outcomes = await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), 1)
    assert [(type(each), str(each)) for each in outcomes] == [(Deferred, "scanner-away")] * 3
    assert is_open(gauge)


async def test_what_takes_too_long_by_itself_fails(breaker: Breaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no server is away it is this message's own failure, and counts; its own deadlines stay its own errors."""
    monkeypatch.setattr(breakers, "LONGEST_HOLD", 0.05)

    async def hang() -> None:
        await asyncio.sleep(60)

    async def own_deadline() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)

    with pytest.raises(Transient, match="took-too-long") as failed:
        await asyncio.wait_for(breaker.run(hang), 1)
    assert not isinstance(failed.value, Deferred)
    with pytest.raises(TimeoutError):
        await breaker.run(own_deadline)
