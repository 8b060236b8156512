"""An SMTP server that keeps every mail it is given as one file of a maildir: `python -m ops.smtp_sink`."""

import argparse
import asyncio
import itertools
import os
import signal
import time
from pathlib import Path

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session


class Maildir:
    """Receives mails; each becomes visible in `new/` at once and whole.

    Not `mailbox.Maildir`: that one waits for the disk (fsync) for every mail, most of the work done here.
    """

    def __init__(self, folder: Path) -> None:
        self._tmp, self._new = folder / "tmp", folder / "new"
        for part in (self._tmp, self._new, folder / "cur"):
            part.mkdir(parents=True, exist_ok=True)
        self._names = (f"{time.time_ns()}.{os.getpid()}_{n}.localhost" for n in itertools.count())

    async def handle_DATA(  # noqa: N802  # the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail as it came, below one X-RcptTo line for each recipient."""
        name = next(self._names)
        recipients = "".join(f"X-RcptTo: {address}\r\n" for address in envelope.rcpt_tos)
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        (self._tmp / name).write_bytes(recipients.encode() + raw)
        (self._tmp / name).rename(self._new / name)
        return "250 OK"


def main() -> None:
    """Serve on 127.0.0.1 until TERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--maildir", type=Path, required=True)
    options = parser.parse_args()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    controller = UnthreadedController(
        Maildir(options.maildir),
        hostname="127.0.0.1",
        port=options.port,
        loop=loop,
        server_hostname="localhost",  # else it asks the resolver for our name
        enable_SMTPUTF8=True,
    )
    controller.begin()  # type: ignore[no-untyped-call]
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, loop.stop)
    loop.run_forever()


if __name__ == "__main__":
    main()
