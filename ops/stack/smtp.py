"""The mail server of the local stack: `ops.smtp_sink` as a process."""

import sys
from pathlib import Path

from ops.stack.connections import MailSink
from ops.stack.ports import Ports
from ops.stack.probes import greets
from ops.stack.processes import Process


class SmtpServer(Process):
    """The sink; its mails stay in `maildir`, one file each."""

    def __init__(self, home: Path, log: Path, ports: Ports, env: dict[str, str]) -> None:
        self.port = ports.reserve()
        self.connection = MailSink(f"smtp://127.0.0.1:{self.port}", maildir=str(home / "maildir"))
        argv = [
            sys.executable,
            "-m",
            "ops.smtp_sink",
            "--port",
            str(self.port),
            "--maildir",
            self.connection.maildir,
        ]
        super().__init__("smtp", argv, log=log, env=env, grace=3.0)

    def answers(self) -> bool:
        """The server says 220."""
        return greets(self.port, b"", b"220")
