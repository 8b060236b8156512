"""Writes and sends mails; the only file that imports an SMTP client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from importlib.resources import files

import aiosmtplib
from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape

from services.notifier import texts
from services.notifier.settings import NotifierSettings
from shared.contracts.addresses import in_ascii
from shared.contracts.requests import Producer
from shared.contracts.tickets import TicketEvent
from shared.runtime.failures import Away, Permanent, Transient

SENDER_NAME = "POR Desk"
CLOSING = 421  # the server shuts down (RFC 5321, 3.8), whatever it was told
_TEMPLATES = ("ticket.txt.j2", "ticket.html.j2")


class Mailer:
    """Mails about tickets over a few kept SMTP connections; who sends holds one of the ``slots``."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self.slots = asyncio.Semaphore(settings.smtp_connections)
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

    def write(self, event: TicketEvent, producer: Producer, message: str | None = None) -> EmailMessage:
        """The mail about ``event``, with what staff wrote; the same event gives the same Message-ID.

        Raises:
            Permanent: ``bad-address``, the producer's address is not one address that every server takes.
        """
        facts, mail, name = event.data, EmailMessage(), _on_one_line(producer.name)
        try:
            mail["To"] = Address(name, addr_spec=in_ascii(producer.email))
        except ValueError as error:
            raise Permanent("bad-address") from error
        domain = self._settings.mail_from.rpartition("@")[2]
        mail["From"] = Address(SENDER_NAME, addr_spec=self._settings.mail_from)
        mail["Subject"] = texts.subject(event)
        mail["Date"] = format_datetime(event.time)
        mail["Message-ID"] = f"<{event.id}@{domain}>"
        # One thread per ticket in the producer's mailbox.
        mail["References"] = f"<{facts.request_id}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        heading, said = texts.words(event, message) or (None, "")
        words = {
            "greeting": f"Hello {name}," if name else "Hello,",
            "ticket_number": facts.ticket_number,
            "request_type_label": facts.request_type_label,
            "status_label": facts.status.label,
            "headline": texts.headline(event),
            "heading": heading,
            "lines": [_on_one_line(line) for line in said.splitlines()],
            "next_step": texts.next_step(event),
            "portal_url": f"{self._settings.portal_url.rstrip('/')}/{facts.ticket_number}",
            "request_id": str(facts.request_id),
        }
        text, html = (self._templates.get_template(name).render(words) for name in _TEMPLATES)
        mail.set_content(text)
        mail.add_alternative(html, subtype="html")
        return mail

    async def send(self, mail: EmailMessage) -> None:
        """Hand a mail to the SMTP server within ``smtp_timeout``; it is the server's when this returns.

        Raises:
            Away: the server is, or refuses us: greeting, login, our sender's address.
            Transient: the server says 4xx to this mail or its recipient.
            Permanent: the server says 5xx to it.
        """
        try:
            async with asyncio.timeout(self._settings.smtp_timeout), self._connection() as client:
                await client.send_message(mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _verdict(error.recipients[0].code) from error
        except aiosmtplib.SMTPDataError as error:
            raise _verdict(error.code) from error
        except aiosmtplib.SMTPResponseException as error:
            # Every other mail would hear the same; to park them all at once helps nobody.
            raise Away(f"smtp-{error.code}") from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Away("smtp-away") from error

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection that still stands or a new one; kept where all went well, else closed."""
        client = self._idle.pop() if self._idle else self._client()
        try:
            if not client.is_connected:
                client.close()
                await client.connect()
            yield client
        except BaseException:
            client.close()
            raise
        self._idle.append(client)

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=(settings.smtp_password.get_secret_value() if settings.smtp_password else None),
            use_tls=False,
            start_tls=settings.smtp_starttls,
            timeout=settings.smtp_timeout,
        )

    async def close(self) -> None:
        """Wait for the mails under way, which may be out before it is known, and close the connections."""
        for _ in range(self._settings.smtp_connections):
            await self.slots.acquire()
        for client in self._idle:
            client.close()


def _on_one_line(name: str) -> str:
    """A name that is safe in a header: what cannot be printed and runs of blanks become one space."""
    # The email library would decode an encoded word in the name, line ends and all.
    undecoded = name.replace("=?", "= ?")
    return " ".join("".join(char if char.isprintable() else " " for char in undecoded).split())


def _verdict(code: int) -> Permanent | Transient:
    reason = f"smtp-{code}"
    if code == CLOSING:
        return Away(reason)
    return Permanent(reason) if code >= 500 else Transient(reason)
