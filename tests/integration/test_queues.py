"""The list of queues, once and live."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from functools import partial

from ops.queues import FIRST_RECORD_SECONDS
from shared import topology
from shared.contracts.requests import RequestSubmitted
from tests.fixtures.broker import DELAYS, Vhost
from tests.fixtures.terminal import ROOT, Terminal
from tests.fixtures.typed import typed
from tests.fixtures.wait import eventually_async


async def handle(_: RequestSubmitted) -> None:
    """Somebody's work."""


async def test_queues_tell_depth_and_consumers(vhost: Vhost, environment: dict[str, str]) -> None:
    """Each queue is there with its depth and consumers of this moment."""
    async with vhost.serving(topology.CHECK_LETTER, handle):
        await vhost.publish_raw(b"x", topology.DEAD_LETTERS, "x")
        states = {each["name"]: each for each in json.loads((await typed(environment, "queues", "--json")).stdout)}
    assert set(states) == {queue.name for queue in topology.queues(DELAYS)}
    assert states[topology.PARKING]["ready"] == 1
    assert states[topology.CHECK_LETTER.name]["consumers"] == 1
    assert states[topology.retry_tier(1)]["consumers"] == 0
    table = (await typed(environment, "queues", COLUMNS="200")).stdout
    assert topology.PARKING in table


async def test_the_age_of_the_oldest_is_bounded_without_touching_it(vhost: Vhost, environment: dict[str, str]) -> None:
    """Nothing in a queue is older than its last empty moment; in a work queue no delivery is counted for it."""
    name = topology.OPEN_TICKET.name
    await eventually_async(partial(uptime, vhost), lambda seconds: seconds > FIRST_RECORD_SECONDS + 10, patience=60)
    await vhost.publish_raw(b"{}", topology.PIPELINE, "letter.checked")

    async def oldest() -> float:
        told = json.loads((await typed(environment, "queues", "--json")).stdout)
        (state,) = [each for each in told if each["name"] == name]
        return float(state["oldest_at_most_seconds"] or 0)

    assert await eventually_async(oldest, lambda seconds: seconds > 2) < 60
    (message,) = await vhost.drain(name)
    assert message.headers.get("x-delivery-count", 0) == 0


async def uptime(vhost: Vhost) -> float:
    """Seconds since the broker was started: as long as it keeps no lengths of queues, no bound is told."""
    nodes = vhost.management._http.get("/nodes").raise_for_status().json()
    return float(min(node.get("uptime", 0) for node in nodes)) / 1000


async def test_watch_tells_again_until_it_is_interrupted(vhost: Vhost, environment: dict[str, str]) -> None:
    """Each refresh is a line with what is true by then; Ctrl-C ends it with status 0 and without a word."""
    argv = [sys.executable, "-m", "ops", "queues", "--watch", "--json"]
    run = await asyncio.create_subprocess_exec(*argv, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE)
    assert run.stdout is not None
    assert parked(await run.stdout.readline()) == 0
    await vhost.publish_raw(b"x", topology.DEAD_LETTERS, "x")
    assert 1 in [parked(await run.stdout.readline()) for _ in range(2)]
    run.send_signal(signal.SIGINT)
    _, complaints = await run.communicate()
    assert (run.returncode, complaints) == (0, b"")


def parked(line: bytes) -> int:
    """How many messages are parked, as a line of JSON says."""
    return next(int(state["ready"]) for state in json.loads(line) if state["name"] == topology.PARKING)


async def test_watch_draws_one_table_anew_on_a_terminal(vhost: Vhost, environment: dict[str, str]) -> None:
    """A person sees one table whose numbers change in place, and gets the cursor back after Ctrl-C."""
    with Terminal(environment, "queues", "--watch") as screen:
        await asyncio.to_thread(screen.read_until, rf"{topology.PARKING}\W+0")
        await vhost.publish_raw(b"x", topology.DEAD_LETTERS, "x")
        await asyncio.to_thread(screen.read_until, rf"{topology.PARKING}\W+1")
        screen.interrupt()
        assert await asyncio.to_thread(screen.end) == 0
    assert "Traceback" not in screen.shown
    assert "\x1b[1A" in screen.shown
    assert screen.shown.rindex("\x1b[?25h") > screen.shown.rindex("\x1b[?25l")
