"""Acts on parked messages when something is in the way."""

import asyncio
import subprocess
import sys
from functools import partial

import pytest

from ops import access
from tests.fixtures.broker import Vhost
from tests.fixtures.proxy import Door
from tests.fixtures.terminal import ROOT
from tests.fixtures.typed import typed
from tests.fixtures.wait import eventually_async


@pytest.mark.parametrize("command", ["list", "history"])
async def test_a_broker_that_is_away_is_one_line(
    vhost: Vhost, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A broker that refuses, or hangs, is told in one line with exit status 2, never in a traceback."""
    monkeypatch.setattr(access, "CONNECT_SECONDS", 0.5)
    refused = await typed({**environment, "POR_AMQP_URL": "amqp://127.0.0.1:1/"}, "parked", command)
    async with vhost.door() as (way, url):
        way.stop_up()
        hung = await typed({**environment, "POR_AMQP_URL": url}, "parked", command)
        way.let_through()
    for run in (refused, hung):
        assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1), run.stderr
        assert "RabbitMQ cannot be reached" in run.stderr


async def test_a_history_that_breaks_off_is_not_taken_for_whole(vhost: Vhost, environment: dict[str, str]) -> None:
    """Where the connection is lost while acts are read, one line says so, and what was read is not shown as all."""
    async with vhost.door() as (way, url):
        argv = [sys.executable, "-m", "ops", "parked", "history", "--json"]
        env = {**environment, "POR_AMQP_URL": url}
        reading = asyncio.create_task(
            asyncio.to_thread(subprocess.run, argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        )
        await eventually_async(partial(is_used, way))
        await asyncio.sleep(0.5)  # half of the time that it listens for more
        way.cut()
        run = await reading
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1), run.stderr
    assert "RabbitMQ stopped answering" in run.stderr


async def is_used(way: Door) -> bool:
    """Whether somebody goes in and out."""
    return bool(way._writers)
