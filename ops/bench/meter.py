"""What the processes of a stack used while load was on them, and how far the mails have come."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.bench.figures import BenchFailed
from ops.bench.worker import Worker
from ops.stack import SERVICES, Stack

PROCESSES = (*SERVICES, "rabbitmq", "mongodb", "object_store", "smtp")
POLL_SECONDS = 0.2
# The second delay tier is 30 s: what is quiet for longer than that is not late, it is lost.
STALLED_SECONDS = 60.0


@dataclass(frozen=True)
class Usage:
    """CPU seconds, and resident bytes at start, middle and end, by process."""

    cpu: Mapping[str, float]
    rss: tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]]


def measure(stack: Stack, worker: Worker, mails: int, progress: Callable[[int], None]) -> Usage:
    """Let the worker off and watch until so many more mails are in the maildir, or no more come.

    Raises:
        BenchFailed: the worker failed, or is not answered.
    """
    maildir = Path(stack.info.smtp.maildir) / "new"
    already = _count(maildir)
    cpu, start, middle = _cpu(stack), _rss(stack), None
    worker.go()
    delivered, moved = 0, time.monotonic()
    while delivered < mails:
        time.sleep(POLL_SECONDS)
        before, delivered, finished = delivered, _count(maildir) - already, worker.done
        if delivered > before:
            moved = time.monotonic()
            progress(delivered)
        if middle is None and delivered * 2 >= mails:
            middle = _rss(stack)
        if time.monotonic() - moved > STALLED_SECONDS:
            if not finished:
                raise BenchFailed(f"nothing has moved for {STALLED_SECONDS:.0f} s")
            break
    used = {name: after - cpu[name] for name, after in _cpu(stack).items()}
    end = _rss(stack)
    return Usage(used, (start, middle or end, end))


def _count(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(1 for _ in entries)


def _cpu(stack: Stack) -> dict[str, float]:
    return {name: stack[name].cpu_seconds() for name in PROCESSES}


def _rss(stack: Stack) -> dict[str, int]:
    return {name: stack[name].rss() for name in PROCESSES}
