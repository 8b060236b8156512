"""The processes in which letters are opened: what kills one of them is a verdict on its letter, and no more."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from services.documents import workers
from services.documents.checks import judge
from services.documents.verdict import Verdict
from services.documents.workers import Workers
from shared.contracts.letters import LetterFault
from shared.runtime.failures import Transient
from tests.builders import encrypted_pdf, pages, pdf, picture
from tests.fixtures import hostile, transfer_forms
from tests.fixtures.wait import eventually
from tests.identity import documents_settings

GOOD = Verdict("application/pdf", 1)
TOO_COMPLEX = Verdict("application/pdf", None, LetterFault.TOO_COMPLEX)
# A worker whose parser does what a letter says.
OBEDIENT = """
import os, resource, signal, socket, sys, time
from services.documents import worker
from services.documents.verdict import Verdict
rules = worker.judge
def judge(data, sha256, max_pages):
    if not data.startswith(b"do\\n"):
        return rules(data, sha256, max_pages)
    done = {**globals(), "pages": None}
    exec(data[3:].decode(), done)
    return Verdict("obeyed", done["pages"])
worker.judge = judge
worker.main(*map(int, sys.argv[1:]))
"""


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Workers]:
    """Workers that are up."""
    made = Workers(documents_settings(**settings))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture(scope="module")
async def two() -> AsyncIterator[Workers]:
    """As many as a service has."""
    async with running() as made:
        yield made


@pytest.fixture
async def obedient(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    """One worker that does what letters say, and may take a second for each."""
    monkeypatch.setattr(workers, "PROGRAM", ("-c", OBEDIENT))
    async with running(letter_workers=1, letter_seconds=1) as made:
        yield made


async def verdict(by: Workers, data: bytes) -> Verdict:
    """The verdict on bytes that came back as they were sent."""
    return await by.judge(data, hashlib.sha256(data).hexdigest())


def do(deed: str) -> bytes:
    """A letter for a worker that obeys."""
    return f"do\n{deed}".encode()


def pids(made: Workers) -> set[int]:
    """The processes of these workers."""
    return {each._process.pid for each in made._all if each._process}


LETTERS: dict[str, Callable[[], bytes]] = {
    "letter": pdf,
    "encrypted": encrypted_pdf,
    "encrypted for all who know": lambda: encrypted_pdf("secret"),
    "without pages": lambda: pages(0),
    "no letter": lambda: b"Dear desk,",
    **{kind: partial(picture, kind, 2 if kind == "TIFF" else 1) for kind in ("PNG", "JPEG", "TIFF")},
    **{name: partial(bytes, data) for name, data in hostile.harmless().items()},
    "filled-in form": transfer_forms.whole,
    "overfull form": transfer_forms.longest,
    "form without end": transfer_forms.looping,
    **hostile.ACTIVE,
    **hostile.ATTACHMENT,
    **hostile.MIXED,
    **hostile.UNREADABLE,
    **hostile.TOO_COMPLEX,
}


async def test_a_worker_finds_what_the_rules_find(two: Workers) -> None:
    """Of each letter, good, odd or hostile, a worker with all its limits says what the rules say without any."""
    made = {name: make() for name, make in LETTERS.items()}
    wanted = {name: judge(data, hashlib.sha256(data).hexdigest(), 50) for name, data in made.items()}
    before = pids(two)
    found = await asyncio.gather(*(verdict(two, data) for data in made.values()))
    assert dict(zip(made, found, strict=True)) == wanted
    assert pids(two) == before, "a worker was replaced"


# Of an object stream that cannot be unfolded the parser goes on as if what is in it were not there.
BOMBS = dict.fromkeys(hostile.BOMBS, LetterFault.TOO_COMPLEX) | {"object stream": LetterFault.UNREADABLE}


@pytest.mark.parametrize("case", BOMBS)
async def test_a_bomb_is_refused_and_its_neighbours_are_not(two: Workers, case: str) -> None:
    """What unfolds to a gigabyte is refused within the worker's memory, while and after good letters are judged."""
    found = await asyncio.gather(verdict(two, hostile.BOMBS[case]()), *(verdict(two, pdf()) for _ in range(20)))
    assert found[0].fault is BOMBS[case]
    assert set(found[1:]) == {GOOD}
    assert max(psutil.Process(pid).memory_info().rss for pid in pids(two)) < 300 * hostile.MIB


async def test_a_letter_that_takes_too_much_memory_is_too_complex() -> None:
    """A large letter in a small worker is a verdict, and a smaller one after it is judged."""
    async with running(letter_workers=1, letter_memory=64 * hostile.MIB) as small:
        large = hostile.changed(hostile.content(bytes(80 * hostile.MIB)))
        assert await verdict(small, large) == TOO_COMPLEX
        assert await verdict(small, pdf()) == GOOD


async def test_a_letter_that_takes_too_long_is_too_complex(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many streams, each in bounds, that together take seconds of a processor end with the time that one letter has."""
    monkeypatch.setattr(workers, "PATIENCE", 60)  # other work on the machine is none of this letter's
    many = hostile.many_streams(40, 200)
    async with running(letter_workers=1, letter_seconds=1) as hasty:
        with capture_logs() as logs:
            assert await verdict(hasty, many) == TOO_COMPLEX
        assert [each["status"] for each in logs] == [-signal.SIGXCPU]
        assert await verdict(hasty, pdf()) == GOOD


@pytest.mark.parametrize(
    "deed",
    ["os.kill(os.getpid(), signal.SIGSEGV)", "os._exit(0)", "pages = 'many'"],
    ids=["segfault", "exit", "no-verdict"],
)
async def test_a_letter_that_kills_its_worker_is_too_complex(obedient: Workers, deed: str) -> None:
    """A parser that dies is a verdict once it has died twice, and the next letter is judged by another one."""
    with capture_logs() as logs:
        assert (await verdict(obedient, do(deed))).fault is LetterFault.TOO_COMPLEX
    assert [each["reason"] for each in logs] == ["died", "died"]
    assert await verdict(obedient, pdf()) == GOOD


async def test_a_letter_at_which_its_worker_sleeps_is_too_complex(obedient: Workers) -> None:
    """A worker that takes no time of the processor and gives no answer is not waited for without end."""
    async with asyncio.timeout(10):
        assert (await verdict(obedient, do("time.sleep(60)"))).fault is LetterFault.TOO_COMPLEX
    assert await verdict(obedient, pdf()) == GOOD


async def test_a_letter_whose_worker_was_killed_for_something_else_is_judged(obedient: Workers) -> None:
    """A worker that the machine kills, idle or at work, costs its letter a second try and no verdict."""
    (idle,) = pids(obedient)
    os.kill(idle, signal.SIGKILL)
    assert await verdict(obedient, pdf()) == GOOD

    (at_work,) = pids(obedient)
    os.kill(at_work, signal.SIGSTOP)  # or it might be done before it is killed
    judged = asyncio.create_task(verdict(obedient, pdf()))
    await asyncio.sleep(0.1)
    os.kill(at_work, signal.SIGKILL)
    assert await judged == GOOD


async def test_nobody_gets_the_verdict_of_a_letter_that_was_given_up(obedient: Workers) -> None:
    """Who stops waiting takes his worker along: the next letter's verdict is its own."""
    given_up = asyncio.create_task(verdict(obedient, do("time.sleep(0.3)")))
    await asyncio.sleep(0.1)
    given_up.cancel()
    with suppress(asyncio.CancelledError):
        await given_up
    assert await verdict(obedient, pdf()) == GOOD


@pytest.mark.parametrize("deed", ["socket.socket()", "open('/etc/hostname')", "os.pipe()"])
async def test_a_parser_that_was_taken_over_reaches_nothing(obedient: Workers, deed: str) -> None:
    """In a worker there is no way to the network, and none to a file."""
    tried = f"try:\n    {deed}\nexcept OSError:\n    pages = 7"
    assert await verdict(obedient, do(tried)) == Verdict("obeyed", 7)


@pytest.mark.parametrize("what", ["NOFILE", "FSIZE", "NPROC", "CORE"])
async def test_what_a_worker_gave_up_is_gone_for_good(obedient: Workers, what: str) -> None:
    """Neither file nor process nor the image of a dead one comes from a worker, and it cannot allow itself any."""
    asked = f"pages = sum(resource.getrlimit(resource.RLIMIT_{what}))"
    assert await verdict(obedient, do(asked)) == Verdict("obeyed", 0)


async def test_a_worker_has_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service knows from its environment its workers do not."""
    monkeypatch.setenv("POR_S3_SECRET_KEY", "hush")
    monkeypatch.setattr(workers, "PROGRAM", ("-c", OBEDIENT))
    async with running(letter_workers=1) as made:
        counted = "pages = sum(name.startswith('POR_') for name in os.environ)"
        assert await verdict(made, do(counted)) == Verdict("obeyed", 0)


async def test_without_a_worker_a_letter_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """That no process can be started is the machine's fault, not the letter's: it is tried again later."""
    monkeypatch.setattr(workers, "PROGRAM", ("-c", "raise SystemExit(1)"))
    with pytest.raises(Transient, match="letter-worker-away"):
        await verdict(Workers(documents_settings()), pdf())


def test_workers_end_with_their_service() -> None:
    """However the service ends, its workers do not stay, not even one that is at work."""
    program = (
        "import asyncio, sys\n"
        "from services.documents.workers import Workers\n"
        "from tests.identity import documents_settings\n"
        "async def main():\n"
        "    made = Workers(documents_settings(letter_seconds=1))\n"
        "    await made.start()\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as service:
        assert service.stdout
        assert service.stdout.readline() == b"up\n"
        workers_of = psutil.Process(service.pid).children()
        assert len(workers_of) == 2
        service.kill()
    eventually(lambda: [each for each in workers_of if each.is_running()], lambda alive: not alive)
