"""Calls of the broker whose connection turns out to be stuck."""

import asyncio

import pytest

from shared.runtime.amqp import address, stuck_is_away


async def test_a_call_that_the_library_cancels_has_lost_its_connection() -> None:
    """What the library hands on as a cancellation is a lost connection to whoever waits, and nothing ends for it."""
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    answer.set_exception(asyncio.CancelledError())
    with pytest.raises(ConnectionError), stuck_is_away():
        await answer


async def test_who_is_cancelled_himself_ends() -> None:
    """A service that stops, and a deadline that passes, cancel as ever."""

    async def call() -> None:
        with stuck_is_away():
            await asyncio.sleep(10)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await call()


@pytest.mark.parametrize(("url", "heartbeat"), [("amqp://broker/", "10"), ("amqp://broker/desk?heartbeat=60", "60")])
def test_an_address_has_name_and_heartbeat(url: str, heartbeat: str) -> None:
    """Each connection has its name, and the desk's heartbeat where the address names none."""
    assert dict(address(url, "tickets-log").query) == {"name": "tickets-log", "heartbeat": heartbeat}
