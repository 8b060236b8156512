"""Sends the portal's own mails; the only file that imports an SMTP client."""

import asyncio
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import aiosmtplib

from portal.logs import log
from portal.settings import PortalSettings

TIMEOUT = 20.0


class Mailer:
    """Sends mails beside the answers, so that no answer tells by its time whether a mail goes out."""

    def __init__(self, settings: PortalSettings) -> None:
        self._settings = settings
        self._under_way: set[asyncio.Task[None]] = set()

    def send(self, to: str, subject: str, text: str) -> None:
        """Begin to send one mail; a failure is logged, for nobody may be told."""
        task = asyncio.create_task(self._send(self._mail(to, subject, text)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Wait for the mails under way."""
        await asyncio.gather(*self._under_way)

    def _mail(self, to: str, subject: str, text: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = Address(self._settings.name, addr_spec=self._settings.mail_from)
        mail["To"] = Address(addr_spec=to)
        mail["Subject"] = subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = make_msgid(domain=self._settings.mail_from.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        return mail

    async def _send(self, mail: EmailMessage) -> None:
        settings = self._settings
        try:
            await aiosmtplib.send(
                mail,
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_username,
                password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
                start_tls=settings.smtp_starttls,
                timeout=TIMEOUT,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            log.error("mail not sent", reason=type(error).__name__)
