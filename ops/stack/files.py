"""Small files that only their owner may read, written whole or not at all; and whether who wrote one still lives."""

import fcntl
import os
import secrets
from pathlib import Path
from typing import TextIO


def write_private(path: Path, text: str) -> Path:
    """Write a file with mode 0600, atomically: a reader, or a runner killed half way, never sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)
    return path


def kept_secret(path: Path) -> str:
    """A random word, made on first use and the same ever after, because data on disk remembers it too."""
    if not path.exists():
        write_private(path, secrets.token_hex(16))
    return path.read_text()


def hold(file: TextIO) -> None:
    """Mark an open file as of a living process; the mark ends with its holder, however that ends."""
    fcntl.flock(file, fcntl.LOCK_EX)


def is_held(file: TextIO) -> bool:
    """Whether another open file holds this one's mark."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
