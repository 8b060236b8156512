"""The local stack on real servers: reachable while up, and nothing left of it however it ends."""

import asyncio
import io
import json
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aio_pika
import pytest
from minio import Minio
from pymongo import MongoClient

from ops.stack import ProcessFailed, Stack, StackError, StackInfo
from tests.fixtures.processes import left_behind, processes_of

RUNNER = """
import sys, time
from dataclasses import replace
from pathlib import Path
from ops.stack import Stack, Tools, ended_by_signals
home, nodes, *broken = sys.argv[1:]
tools = replace(Tools.find(), **dict.fromkeys(broken, "/bin/false"))
say = lambda line: print(line, flush=True)
with ended_by_signals(), Stack(Path(home), services=(), tools=tools, announce=say, nodes=int(nodes)):
    say("up")
    time.sleep(600)
"""


@contextmanager
def runner(home: Path, *broken: str, nodes: int = 1) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that keeps a stack up, as `make run` does."""
    argv = [sys.executable, "-c", RUNNER, str(home), str(nodes), *broken]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_line(process: subprocess.Popen[str], word: str) -> None:
    """Read what the runner says until a line begins with the word."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(word):
            return
    pytest.fail(f"the runner ended before it said {word!r}: {said}")


def use_every_server(info: StackInfo, turn: int) -> None:
    """Write something new to each server, and read back everything written since the first turn."""

    async def use_rabbitmq() -> int:
        url = info.rabbitmq.url.replace("//", f"//{info.rabbitmq.username}:{info.rabbitmq.password}@")
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
            message = aio_pika.Message(b"x", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, "kept")
            return (await channel.declare_queue("kept", passive=True)).declaration_result.message_count or 0

    assert asyncio.run(use_rabbitmq()) == turn

    with MongoClient[dict[str, int]](info.mongodb.url, serverSelectionTimeoutMS=5000) as mongodb:
        mongodb["test"]["kept"].insert_one({"turn": turn})
        assert mongodb["test"]["kept"].count_documents({}) == turn

    store = info.object_store
    client = Minio(
        store.url.removeprefix("http://"),
        store.username,
        store.password,
        secure=False,
        region=store.region,
    )
    client.put_object(store.bucket, f"kept/{turn}", io.BytesIO(b"letter"), 6)
    assert len(list(client.list_objects(store.bucket, "kept/"))) == turn

    host, _, port = info.smtp.url.removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port)) as smtp:
        smtp.sendmail(
            "desk@carrier.example",
            ["p@broker.example"],
            f"Subject: turn {turn}\r\n\r\nHello\r\n",
        )
    mails = [file.read_text() for file in (Path(info.smtp.maildir) / "new").iterdir()]
    assert len(mails) == turn
    assert any(f"Subject: turn {turn}" in mail and "X-RcptTo: p@broker.example" in mail for mail in mails)


def test_servers_answer_and_keep_their_data_on_new_ports(tmp_path: Path) -> None:
    """Every server can be used, refuses a second stack in its folder, and finds its data again on another port."""
    home = tmp_path / "a folder with spaces"
    ports = set()
    for turn in (1, 2):
        with Stack(home, services=()) as stack:
            ports.add(stack.info.mongodb.url)
            use_every_server(StackInfo.load(home), turn)
            assert (home / "stack.json").stat().st_mode & 0o777 == 0o600
            assert json.loads((home / "stack.json").read_text())["pids"]["mongodb"] == stack["mongodb"].pid
            assert all(process.rss() > 1e6 for process in stack.processes.values())
            assert all(process.cpu_seconds() > 0 for name, process in stack.processes.items() if name != "epmd")
            with (
                pytest.raises(StackError, match="already up"),
                Stack(home, services=()),
            ):
                pass
        assert not (home / "stack.json").exists()
        assert left_behind(home) == []
    assert len(ports) == 2


@pytest.mark.parametrize(("ending", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)], ids=str)
def test_signal_to_a_running_stack_leaves_nothing(tmp_path: Path, ending: signal.Signals, status: int) -> None:
    """TERM and even kill -9 of the runner end every server with it; `stack.json` counts no more."""
    with runner(tmp_path) as process:
        wait_for_line(process, "up")
        assert len(processes_of(tmp_path)) > 5
        process.send_signal(ending)
        assert process.wait(20) == status
        assert left_behind(tmp_path) == []
        with pytest.raises(FileNotFoundError):
            StackInfo.load(tmp_path)


@pytest.mark.parametrize("nodes", [1, 3])
@pytest.mark.parametrize(("ending", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_signal_to_a_starting_stack_leaves_nothing(
    tmp_path: Path, ending: signal.Signals, status: int, nodes: int
) -> None:
    """A runner ended while its servers start takes them along; a killed one's `stack.json` was removed before that."""
    (tmp_path / "stack.json").write_text("{}")
    with runner(tmp_path, nodes=nodes) as process:
        wait_for_line(process, "smtp ready")
        assert not (tmp_path / "stack.json").exists()
        process.send_signal(ending)
        assert process.wait(20) == status
        assert left_behind(tmp_path) == []


def test_failed_start_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    """When one server ends while starting, the others are stopped at once and the error names the one."""
    with runner(tmp_path, "rclone") as process:
        _, error = process.communicate(timeout=20)
        assert process.returncode == 1
        assert f"{ProcessFailed.__name__}: object_store ended while starting (status 1)" in error
        assert left_behind(tmp_path) == []
