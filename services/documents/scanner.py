"""The door to ClamAV, by INSTREAM; the only file that speaks to clamd. What is unclear is not clean."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, cast
from urllib.parse import urlsplit

from shared.contracts.letters import LetterFault
from shared.runtime.failures import Away, Transient
from shared.runtime.logs import log

CONNECT_SECONDS = 3.0
SCAN_SECONDS = 130.0  # longer than clamd's own MaxScanTime, so that a slow letter gets its verdict
CHUNK = 256 * 1024
_LENGTH = struct.Struct("!L")
# No virus was found: the scanner looked no further, could not, or saw something odd.
_SUSPICION = "Heuristics."
# The test file of all scanners, in pieces: whole it would be found in our own file.
_EICAR = b"".join((rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS", b"-TEST-FILE!$H+H*"))


class Scanner:
    """One clamd; it counts only after it has found the test file, for without signatures it finds nothing at all."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._proven = False

    async def ready(self) -> bool:
        """Whether clamd answers and finds what it must."""
        try:
            await self._prove()
            return await self._talk(b"zPING\0") == "PONG"
        except (OSError, Transient):
            self._proven = False
            return False

    async def scan(self, data: bytes) -> LetterFault | None:
        """What is wrong with a letter; None is clean.

        Raises:
            Away: clamd is, or finds nothing at all.
            Transient: it says what is no verdict.
        """
        try:
            await self._prove()
            return _verdict(await self._instream(data))
        except OSError as error:
            self._proven = False
            raise Away("scanner-away") from error

    async def _prove(self) -> None:
        if not self._proven:
            self._proven = (await self._instream(_EICAR)).endswith(" FOUND")
        if not self._proven:
            log.error("the scanner does not find the test file")
            raise Away("scanner-away")

    async def _instream(self, data: bytes) -> str:
        chunks = (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
        return await self._talk(b"zINSTREAM\0", *chunks)

    async def _talk(self, command: bytes, *chunks: bytes) -> str:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(SCAN_SECONDS), self._connection() as connection:
            # Who has heard enough answers and hangs up while we are still writing. The answer is read all the same,
            # which a stream of asyncio would not do.
            with suppress(ConnectionError):
                await loop.sock_sendall(connection, command)
                for chunk in chunks:
                    await loop.sock_sendall(connection, _LENGTH.pack(len(chunk)) + chunk)
                if chunks:
                    await loop.sock_sendall(connection, _LENGTH.pack(0))
            answer = b""
            while more := await loop.sock_recv(connection, CHUNK):
                answer += more
            return answer.decode(errors="replace").rstrip("\0").removeprefix("stream: ")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[socket.socket]:
        loop, url = asyncio.get_running_loop(), urlsplit(self._url)
        family, address = socket.AF_UNIX, cast("Any", url.path)
        async with AsyncExitStack() as open_:
            async with asyncio.timeout(CONNECT_SECONDS):
                if url.scheme == "tcp":
                    found = await loop.getaddrinfo(url.hostname, url.port, type=socket.SOCK_STREAM)
                    family, address = found[0][0], found[0][4]
                connection = open_.enter_context(socket.socket(family, socket.SOCK_STREAM))
                connection.setblocking(False)
                await loop.sock_connect(connection, address)
            yield connection


def _verdict(answer: str) -> LetterFault | None:
    if answer == "OK":
        return None
    if answer == "INSTREAM size limit exceeded. ERROR":
        return LetterFault.NOT_SCANNABLE
    if answer.endswith(" FOUND"):
        log.warning("letter not clean", signature=answer.removesuffix(" FOUND"))
        return LetterFault.NOT_SCANNABLE if answer.startswith(_SUSPICION) else LetterFault.INFECTED
    raise Transient("scanner-away")
