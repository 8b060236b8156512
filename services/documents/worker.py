"""The process that opens letters, so that no other one has to: ``python -m services.documents.worker``.

It reads letters from its input and writes verdicts to its output. When its input ends, or a letter asks for more than
it may have, it ends; the service takes another one.
"""

import codecs
import io
import os
import resource
import struct
import sys
from typing import BinaryIO

import pikepdf
from PIL import Image

from services.documents.checks import judge
from services.documents.verdict import VERDICT

HEAD = struct.Struct("!Q64s")  # the letter's length and its hash as announced
READY = b"ready\n"


def main(max_pages: int, memory: int, seconds: int) -> None:
    """Judge letters until there are no more: each with at most ``memory`` bytes beside what is in use now."""
    letters, verdicts = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library may print is no verdict
    _load()
    _confine(memory)
    verdicts.write(READY)
    verdicts.flush()
    while head := letters.read(HEAD.size):
        _allow(seconds)
        verdicts.write(_answer(letters, head, max_pages))
        verdicts.flush()


def _load() -> None:
    """Get ready all that opens files, for nothing can be opened later."""
    Image.init()
    codecs.lookup("cp437")  # how names are written in an archive
    with pikepdf.new() as pdf:  # random numbers, without which what is encrypted is not told from what is broken
        pdf.save(io.BytesIO(), encryption=pikepdf.Encryption(owner="", user=""))


def _answer(letters: BinaryIO, head: bytes, max_pages: int) -> bytes:
    size, sha256 = HEAD.unpack(head)
    return VERDICT.dump_json(judge(letters.read(size), sha256.decode(), max_pages)) + b"\n"


def _confine(memory: int) -> None:
    """Give up for ever what no letter needs: more memory, new files and connections, other processes."""
    in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115, PTH123
    for what, limit in (
        (resource.RLIMIT_AS, in_use + memory),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def _allow(seconds: int) -> None:
    """Let the next letter take so much time of a processor; then the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
