"""Letters of forms that must be corrected: kept for their session, for no browser chooses a file again by itself."""

import asyncio
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import IO

LIFETIME = 30 * 60  # seconds
SWEEP_SECONDS = 60
MOST_BYTES = 1024**3  # of all sessions together; beyond it the oldest go
MOST_OF_SESSION = 256 * 1024**2


@dataclass(frozen=True)
class KeptLetter:
    """One letter on this machine's disk."""

    session_id: str
    part: str
    name: str
    media_type: str
    path: Path
    size: int
    id: str = field(default_factory=lambda: token_urlsafe(16))
    since: float = field(default_factory=time.monotonic)


class KeptLetters:
    """The letters under way; the folder is emptied at each start."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        self._folder = folder
        self._letters: dict[str, KeptLetter] = {}

    async def keep(self, session_id: str, part: str, name: str, media_type: str, content: IO[bytes]) -> KeptLetter:
        """Keep a copy of an upload."""
        path = self._folder / token_urlsafe(16)
        await asyncio.to_thread(_copy, content, path)
        letter = KeptLetter(session_id, part, name, media_type, path, path.stat().st_size)
        self._letters[letter.id] = letter
        self._make_room(session_id)
        return letter

    def find(self, session_id: str, ids: Iterable[str]) -> list[KeptLetter]:
        """Those of a session's letters that are still there, in the order asked for."""
        self._make_room(session_id)
        found = (self._letters.get(each) for each in dict.fromkeys(ids))
        return [each for each in found if each and each.session_id == session_id]

    def drop(self, letters: Iterable[KeptLetter]) -> None:
        """Delete letters."""
        for letter in letters:
            if self._letters.pop(letter.id, None):
                letter.path.unlink(missing_ok=True)

    async def drop_old_forever(self) -> None:
        """Delete what is too old as it becomes so, until cancelled: letters may hold bank details."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._drop_old()

    def drop_all_of(self, session_id: str) -> None:
        """Delete whatever a session has kept."""
        self.drop([letter for letter in self._letters.values() if letter.session_id == session_id])

    def _make_room(self, session_id: str) -> None:
        self._drop_old()
        self._shrink([letter for letter in self._letters.values() if letter.session_id == session_id], MOST_OF_SESSION)
        self._shrink(list(self._letters.values()), MOST_BYTES)

    def _drop_old(self) -> None:
        oldest = time.monotonic() - LIFETIME
        self.drop([letter for letter in self._letters.values() if letter.since < oldest])

    def _shrink(self, letters: list[KeptLetter], most: int) -> None:
        size = sum(letter.size for letter in letters)
        for letter in letters:  # a dict keeps them by age
            if size <= most:
                return
            self.drop([letter])
            size -= letter.size


def _copy(content: IO[bytes], path: Path) -> None:
    content.seek(0)
    with path.open("xb") as file:
        shutil.copyfileobj(content, file)
