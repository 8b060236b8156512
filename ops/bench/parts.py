"""What became of the accepted requests, read from where it must be: the ticket database and the mails."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from ops.stack import StackInfo

# Each mail of a ticket refers to its request, and its subject begins with the ticket's number.
_REFERENCES = re.compile(rb"^References: *<([0-9a-f-]{36})@", re.MULTILINE)
_SUBJECT = re.compile(rb"^Subject: *(SR-[0-9]{8}-[0-9])\b", re.MULTILINE)


@dataclass(frozen=True)
class Mail:
    """A delivered mail: the ticket it names, and when it lay in the box."""

    ticket_number: str
    delivered_ns: int


@dataclass(frozen=True)
class Outcome:
    """Tickets of one producer and all mails, by request id."""

    tickets: dict[str, str]
    mails: dict[str, list[Mail]]

    def lost(self, accepted: list[str]) -> int:
        """Accepted requests without a ticket of their own, or whose ticket no mail names."""
        told = {
            request
            for request in accepted
            if any(mail.ticket_number == self.tickets.get(request) for mail in self.mails.get(request, ()))
        }
        return len(accepted) - len(told)

    def duplicated(self, accepted: list[str], sent: int) -> int:
        """Mails beyond the first about a ticket, numbers given twice, tickets that nobody asked for."""
        mails = sum(max(0, len(self.mails.get(request, ())) - 1) for request in set(accepted))
        numbers = len(self.tickets) - len(set(self.tickets.values()))
        return mails + numbers + max(0, len(self.tickets) - sent)


def read_outcome(info: StackInfo, producer_id: str) -> Outcome:
    """Read both parts."""
    with MongoClient[dict[str, Any]](info.mongodb.url, uuidRepresentation="standard") as client:
        found = client["tickets"]["tickets"].find({"producer_id": producer_id}, {"number": 1})
        tickets = {str(ticket["_id"]): str(ticket["number"]) for ticket in found}
    mails: dict[str, list[Mail]] = {}
    for path in (Path(info.smtp.maildir) / "new").iterdir():
        head = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        request, subject = _REFERENCES.search(head), _SUBJECT.search(head)
        if request and subject:
            mail = Mail(subject[1].decode(), path.stat().st_mtime_ns)
            mails.setdefault(request[1].decode(), []).append(mail)
    return Outcome(tickets, {request: sorted(each, key=lambda m: m.delivered_ns) for request, each in mails.items()})
