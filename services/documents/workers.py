"""The few processes in which letters are opened: what kills one of them is a verdict on its letter, and no more."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

from pydantic import ValidationError

from services.documents.settings import DocumentsSettings
from services.documents.verdict import VERDICT, Verdict
from services.documents.worker import HEAD, READY
from shared.contracts.letters import LetterFault
from shared.contracts.media import media_type_of
from shared.runtime.failures import Away
from shared.runtime.logs import log

PROGRAM = ("-m", "services.documents.worker")
START_SECONDS = 20.0
# Of the clock, for each second of a processor that a letter may take: the machine may have other work.
PATIENCE = 3


class Workers:
    """As many processes as are set; each opens one letter at a time."""

    def __init__(self, settings: DocumentsSettings) -> None:
        self._all = [_Worker(settings) for _ in range(settings.letter_workers)]
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        for worker in self._all:
            self._free.put_nowait(worker)

    async def start(self) -> None:
        """Start them all, so that the first letters need not wait."""
        await asyncio.gather(*(worker.start() for worker in self._all))

    async def stop(self) -> None:
        """End them all."""
        await asyncio.gather(*(worker.end() for worker in self._all))

    async def judge(self, data: bytes, sha256: str) -> Verdict:
        """The verdict on a letter, also where it is too much for a process.

        Raises:
            Away: no process can be started.
        """
        worker = await self._free.get()
        try:
            return await worker.judge(data, sha256)
        finally:
            self._free.put_nowait(worker)


class _Died(Exception):
    """The process ended before it had a verdict."""


class _Worker:
    """One process, started anew where the one before has ended."""

    def __init__(self, settings: DocumentsSettings) -> None:
        limits = (settings.max_pages, settings.letter_memory, settings.letter_seconds)
        self._argv = [sys.executable, *PROGRAM, *map(str, limits)]
        self._patience = settings.letter_seconds * PATIENCE
        self._process: Process | None = None

    async def start(self) -> None:
        # Nothing of the service's environment: there are passwords in it.
        environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
        try:
            async with asyncio.timeout(START_SECONDS):
                self._process = await asyncio.create_subprocess_exec(
                    *self._argv, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
                )
                assert self._process.stdout
                if await self._process.stdout.readline() != READY:
                    raise _Died  # noqa: TRY301  # as any other way not to start
        except (OSError, _Died) as error:
            await self.end()
            raise Away("letter-worker-away") from error

    async def judge(self, data: bytes, sha256: str) -> Verdict:
        too_complex = Verdict(media_type_of(data), fault=LetterFault.TOO_COMPLEX)
        # Twice: the first one may be worn by what came before, or have been killed for something else.
        for _ in range(2):
            if self._process is None:
                await self.start()
            try:
                async with asyncio.timeout(self._patience):
                    return await self._ask(data, sha256)
            except TimeoutError:
                await self._bury("out of time")
                return too_complex
            except _Died:
                if await self._bury("died") == -signal.SIGXCPU:
                    return too_complex
            except BaseException:
                await self.end()  # it would answer to whoever comes next
                raise
        return too_complex

    async def _ask(self, data: bytes, sha256: str) -> Verdict:
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(HEAD.pack(len(data), sha256.encode()))
            self._process.stdin.write(data)
            await self._process.stdin.drain()
            return VERDICT.validate_json(await self._process.stdout.readline())
        # ValueError: a line without an end, or one that is no verdict.
        except (OSError, ValueError, ValidationError) as error:
            raise _Died from error

    async def _bury(self, why: str) -> int | None:
        status = await self.end()
        log.warning("letter worker replaced", reason=why, status=status)
        return status

    async def end(self) -> int | None:
        """Kill the process; gives how it ended, which may have been before."""
        process, self._process = self._process, None
        if process is None:
            return None
        assert process.stdin
        process.stdin.close()
        # A moment for one that ends by itself, so that its own status is seen.
        with suppress(TimeoutError):
            return await asyncio.wait_for(process.wait(), 0.1)
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()
