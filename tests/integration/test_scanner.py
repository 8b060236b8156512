"""Our door to a real clamd: what it does not clear is not clean."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.documents import scanner as door_to_clamd
from services.documents.scanner import Scanner
from shared.contracts.letters import LetterFault
from shared.runtime.failures import Transient
from tests.builders import pdf
from tests.fixtures.clamd import Clamd
from tests.fixtures.hostile import MIB, changed, content, eicar
from tests.fixtures.proxy import door

SCANS, TAKES = MIB, 2 * MIB


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    """A scanner that works."""
    with Clamd(tmp_path_factory.mktemp("clamd"), scans=SCANS, takes=TAKES) as running:
        yield running


async def away(scanner: Scanner) -> bool:
    """Whether a good letter is not cleared."""
    with pytest.raises(Transient) as raised:
        await scanner.scan(pdf())
    return raised.value.reason == "scanner-away" and not await scanner.ready()


async def test_a_letter_is_clean_and_a_virus_is_not(clamd: Clamd) -> None:
    """A letter passes; the test file of all scanners is found, alone and within a letter."""
    scanner = Scanner(clamd.url)
    assert await scanner.ready()
    assert await scanner.scan(pdf()) is None
    assert await scanner.scan(eicar()) is LetterFault.INFECTED
    assert await scanner.scan(changed(content(eicar()))) is LetterFault.INFECTED


async def test_many_letters_at_once(clamd: Clamd) -> None:
    """Each of many at once gets its own verdict."""
    scanner = Scanner(clamd.url)
    found = await asyncio.gather(*(scanner.scan(eicar() if each % 2 else pdf()) for each in range(20)))
    assert found == [None, LetterFault.INFECTED] * 10


@pytest.mark.parametrize("size", [SCANS + 1, TAKES + 1, 8 * TAKES])
async def test_what_is_not_looked_into_is_not_clean(clamd: Clamd, size: int) -> None:
    """A letter beyond what the scanner looks into, or even takes, is refused as that, not passed."""
    assert await Scanner(clamd.url).scan(pdf().ljust(size)) is LetterFault.NOT_SCANNABLE


async def test_a_scanner_without_signatures_clears_nothing(tmp_path: Path) -> None:
    """A scanner that does not find the test file finds nothing at all: no letter is clean by it."""
    with Clamd(tmp_path, blind=True) as blind:
        assert await away(Scanner(blind.url))


async def test_a_scanner_that_is_away_clears_nothing(clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scanner that is gone or hangs leaves letters unjudged, and clears them again when it is back."""
    async with door("127.0.0.1", clamd.port) as entrance:
        scanner = Scanner(f"tcp://127.0.0.1:{entrance.port}")
        assert await scanner.scan(pdf()) is None
        entrance.stop_up()
        with monkeypatch.context() as impatient:
            impatient.setattr(door_to_clamd, "SCAN_SECONDS", 0.3)
            assert await away(scanner)
        await entrance.shut()
        assert await away(scanner)
        await entrance.open()
        assert await scanner.scan(pdf()) is None
        assert await scanner.ready()


async def test_a_scanner_on_a_socket_of_this_machine(clamd: Clamd) -> None:
    """A clamd may listen on a path instead of a port."""
    scanner = Scanner(f"unix:{clamd.cwd}/clamd.ctl")
    assert await scanner.scan(eicar()) is LetterFault.INFECTED


@pytest.mark.parametrize("answer", [b"stream: Can't allocate memory ERROR\0", b"stream: \0", b"", b"OK, well\0"])
async def test_an_answer_that_is_no_verdict_clears_nothing(answer: bytes) -> None:
    """An error of the scanner, half an answer, or none is no clean letter."""
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.write(b"stream: Eicar-Test FOUND\0" if asked == 1 else answer)
        writer.write_eof()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        with pytest.raises(Transient, match="scanner-away"):
            await Scanner(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}").scan(pdf())
    assert asked == 2


async def test_a_slow_scan_is_waited_for(clamd: Clamd, monkeypatch: pytest.MonkeyPatch) -> None:
    """To connect takes a moment or fails; to scan may take longer."""
    monkeypatch.setattr(door_to_clamd, "CONNECT_SECONDS", 0.3)
    async with door("127.0.0.1", clamd.port) as entrance:
        entrance.stop_up()
        asked = asyncio.create_task(Scanner(f"tcp://127.0.0.1:{entrance.port}").scan(pdf()))
        await asyncio.sleep(0.5)
        entrance.let_through()
        assert await asked is None
