"""A mail server that misbehaves when told to, and delivers into the same box as the stack's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from ops.smtp_sink import Maildir
from tests.chaos.background import serving
from tests.fixtures.mail_server import Conversation, Server


class PostOffice(Server):
    """Delivers; answers RCPT with ``refusal`` where there is one, or hangs up after DATA: ``cutting``."""

    def __init__(self, maildir: Path) -> None:
        super().__init__()
        self._box = Maildir(maildir)
        self.refusal, self.cutting, self.struck = "", False, 0

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:  # noqa: N802  # the library's name
        if self.refusal:
            self.struck += 1
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # the library's name
        answer = await self._box.handle_DATA(server, session, envelope)
        if self.cutting:
            self.struck += 1
            self.hang_up()
        return answer


@asynccontextmanager
async def post_office(maildir: Path) -> AsyncIterator[PostOffice]:
    """A post office that does its work until told otherwise."""
    office = PostOffice(maildir)
    async with serving(lambda: Conversation(office)) as office.port:
        yield office
    office.hang_up()
