"""Writes and sends mails; the only file that imports an SMTP client."""

import asyncio
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from importlib.resources import files

import aiosmtplib
from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape

from services.notifier import texts
from services.notifier.settings import NotifierSettings
from shared.contracts.requests import Producer
from shared.contracts.tickets import TicketEvent
from shared.runtime.failures import Permanent, Transient

SENDER_NAME = "POR Desk"
TIMEOUT_SECONDS = 20
_TEMPLATES = ("ticket.txt.j2", "ticket.html.j2")


class Mailer:
    """Mails about tickets over a few kept SMTP connections."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.smtp_connections)
        self._idle: list[aiosmtplib.SMTP] = []
        folder = files("services.notifier") / "templates"
        self._templates = Environment(
            loader=DictLoader({name: (folder / name).read_text() for name in _TEMPLATES}),
            autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def write(self, event: TicketEvent, producer: Producer) -> EmailMessage:
        """The mail about ``event``; the same event gives the same Message-ID.

        Raises:
            Permanent: ``bad-address``, the producer's address is not one address.
        """
        facts, mail = event.data, EmailMessage()
        try:
            mail["To"] = Address(producer.name, addr_spec=producer.email)
        except (ValueError, IndexError) as error:
            raise Permanent("bad-address") from error
        domain = self._settings.mail_from.rpartition("@")[2]
        mail["From"] = Address(SENDER_NAME, addr_spec=self._settings.mail_from)
        mail["Subject"] = texts.subject(event)
        mail["Date"] = format_datetime(event.time)
        mail["Message-ID"] = f"<{event.id}@{domain}>"
        # One thread per ticket in the producer's mailbox.
        mail["References"] = f"<{facts.request_id}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        words = {
            "recipient_name": producer.name,
            "ticket_number": facts.ticket_number,
            "request_type_label": facts.request_type.label,
            "status_label": facts.status.label,
            "headline": texts.headline(event),
            "reason": texts.reason_sentence(facts.reason),
            "next_step": texts.next_step(facts.status),
            "portal_url": f"{self._settings.portal_url.rstrip('/')}/{facts.ticket_number}",
            "request_id": str(facts.request_id),
        }
        text, html = (self._templates.get_template(name).render(words) for name in _TEMPLATES)
        mail.set_content(text)
        mail.add_alternative(html, subtype="html")
        return mail

    async def send(self, mail: EmailMessage) -> None:
        """Hand a mail to the SMTP server; it is the server's when this returns.

        Raises:
            Transient: the server is away or says 4xx.
            Permanent: the server says 5xx to this mail or its recipient.
        """
        async with self._slots:
            client = self._idle.pop() if self._idle else None
            try:
                client = client if client and client.is_connected else await self._connect()
                await client.send_message(mail)
            except aiosmtplib.SMTPRecipientsRefused as error:
                raise _verdict(error.recipients[0].code) from error
            except aiosmtplib.SMTPResponseException as error:
                raise _verdict(error.code) from error
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                raise Transient("smtp-away") from error
            self._idle.append(client)

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=(settings.smtp_password.get_secret_value() if settings.smtp_password else None),
            use_tls=False,
            start_tls=settings.smtp_starttls,
            timeout=TIMEOUT_SECONDS,
        )
        await client.connect()
        return client

    async def close(self) -> None:
        """Say goodbye to the server."""
        for client in self._idle:
            client.close()


def _verdict(code: int) -> Permanent | Transient:
    return Permanent(f"smtp-{code}") if code >= 500 else Transient(f"smtp-{code}")
