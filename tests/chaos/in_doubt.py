"""Which mails a notifier may have let out without a mark: if it dies now, they go out once more, and rightly so."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from email.message import EmailMessage
from functools import wraps
from uuid import UUID

from services.notifier.ledger import Ledger
from services.notifier.mailer import Mailer
from tests.chaos.findings import event_of


def watch() -> AbstractSet[str]:
    """The events of the mails that this process has begun to send and not marked, at any time from now on."""
    in_doubt: set[str] = set()
    send, finish = Mailer.send, Ledger.finish

    @wraps(send)
    async def watched_send(mailer: Mailer, mail: EmailMessage) -> None:
        in_doubt.add(event_of(str(mail["Message-ID"])))
        await send(mailer, mail)

    @wraps(finish)
    async def watched_finish(ledger: Ledger, request_id: UUID, event_id: UUID, claim: datetime) -> None:
        await finish(ledger, request_id, event_id, claim)
        in_doubt.discard(str(event_id))

    setattr(Mailer, "send", watched_send)  # noqa: B010  # mypy lets no method be assigned
    setattr(Ledger, "finish", watched_finish)  # noqa: B010  # the same
    return in_doubt
