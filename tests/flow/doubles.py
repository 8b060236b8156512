"""In-memory stand-ins for the doors out, for flow tests only; the real ones have tests of their own on real servers."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID

from services.documents.checks import judge
from services.documents.settings import DocumentsSettings
from services.documents.verdict import Verdict
from services.notifier.ledger import Entry
from services.tickets.indexes import SORTS
from services.tickets.store import LEASE, ROW
from shared.contracts.envelope import now
from shared.contracts.requests import Producer
from shared.runtime.objects import Lock

Document = dict[str, Any]


class MemoryObjects:
    """The object store: what was put can be got."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, key: str, data: IO[bytes], size: int, media_type: str, lock: Lock | None = None) -> None:
        """Keep exactly ``size`` bytes."""
        self.kept[key] = data.read(size)

    async def get(self, key: str) -> bytes | None:
        """What was kept, or None."""
        return self.kept.get(key)

    async def stream(self, key: str) -> tuple[Iterator[bytes], int]:
        """What was kept, in pieces, and its size."""
        data = self.kept[key]
        return iter([data[:1000], data[1000:]]), len(data)

    async def can_lock(self) -> bool:
        """No."""
        return False

    async def ping(self) -> bool:
        """There."""
        return True


class WorkersInProcess:
    """The processes in which letters are opened: the same rules, without the process."""

    def __init__(self, settings: DocumentsSettings) -> None:
        self._max_pages = settings.max_pages

    async def judge(self, data: bytes, sha256: str) -> Verdict:
        """The verdict."""
        return judge(data, sha256, self._max_pages)


class MemoryTickets:
    """The ticket database: the same promises in one process, where every call is atomic by itself."""

    def __init__(self) -> None:
        self.tickets: dict[UUID, Document] = {}
        self.count = 0

    async def ping(self) -> bool:
        """There."""
        return True

    async def next_count(self) -> int:
        """Counted up, with gaps where a ticket is already there."""
        self.count += 1
        return self.count

    async def open(self, ticket: Document, holder: UUID) -> bool:
        """Insert once per request."""
        if ticket["_id"] in self.tickets:
            return False
        lease = {"holder": holder, "until": now() + LEASE}
        more = {"version": 1, "published": 0, "due_at": now() + LEASE, "lease": lease}
        self.tickets[ticket["_id"]] = deepcopy({**ticket, **more})
        return True

    async def change(self, request_id: UUID, version: int, *entries: Document, **fields: Any) -> Document | None:
        """Compare the version, then change and append."""
        ticket = self.tickets.get(request_id)
        if ticket is None or ticket["version"] != version:
            return None
        ticket.update({"updated_at": entries[-1]["at"], "due_at": now(), **deepcopy(fields)})
        ticket["version"] += len(entries)
        ticket["history"] += entries
        return deepcopy(ticket)

    async def get(self, request_id: UUID) -> Document | None:
        """One by its request."""
        return deepcopy(self.tickets.get(request_id))

    async def find(self, number: str, sees_only: str | None) -> Document | None:
        """One by its number, for those who may see it."""
        visible = (each for each in self.tickets.values() if sees_only in {None, each["producer_id"]})
        return deepcopy(next((each for each in visible if each["number"] == number), None))

    async def page(self, **query: Any) -> tuple[list[Document], int]:
        """Filtered, sorted and cut."""
        found = [
            each
            for each in self.tickets.values()
            if query["sees_only"] in {None, each["producer_id"]}
            and query["is_open"] in {None, each["open"]}
            and all(each[name] == value for name, value in query["where"].items())
        ]
        found.sort(key=lambda each: (each[SORTS[query["sort"]]], each["number"]), reverse=query["descending"])
        return [_row(each) for each in found[query["skip"] :][: query["limit"]]], len(found)

    async def aggregate(self, *_: object) -> list[Document]:
        """Nothing: nobody contests anybody here."""
        return []

    async def lease(self, request_id: UUID, holder: UUID) -> Document | None:
        """One publisher at a time, and only where something is unpublished."""
        ticket = self.tickets[request_id]
        if "due_at" not in ticket or ("lease" in ticket and ticket["lease"]["until"] >= now()):
            return None
        ticket["lease"] = {"holder": holder, "until": now() + LEASE}
        return deepcopy(ticket)

    async def mark_published(self, request_id: UUID, holder: UUID, through: int) -> bool:
        """Mark and release; False where there is more to publish or the lease was lost."""
        ticket = self.tickets[request_id]
        if ticket.get("lease", {}).get("holder") != holder:
            return False
        ticket["published"] = through
        del ticket["lease"]
        if ticket["version"] != through:
            return False
        ticket.pop("due_at", None)
        return True

    async def release(self, request_id: UUID, holder: UUID, sweeps: int) -> None:
        """Give the lease back."""
        ticket = self.tickets[request_id]
        if ticket.get("lease", {}).get("holder") == holder:
            del ticket["lease"]
            ticket["due_at"] = now() + timedelta(seconds=2**sweeps)

    async def due(self, moment: datetime, limit: int) -> list[UUID]:
        """Those that should have been published."""
        due = [key for key, each in self.tickets.items() if each.get("due_at", moment + LEASE) <= moment]
        return due[:limit]


def _row(ticket: Document) -> Document:
    """What the database gives of a ticket for a page."""
    row = {name: ticket[name] for name in ("_id", *ROW) if name in ticket}
    form = {name: value for name, value in ticket["form"].items() if f"form.{name}" in ROW}
    return deepcopy({**row, "form": form})


class MemoryLedger:
    """The address book and the ledger of mails: one sender at a time, who does not die."""

    def __init__(self) -> None:
        self.producers: dict[object, Producer] = {}
        self.messages: dict[object, str] = {}
        self.sent: set[object] = set()
        self.claims: dict[object, datetime] = {}

    async def learn(self, request_id: object, producer: Producer) -> None:
        """Remember an address."""
        self.producers[request_id] = producer

    async def learn_message(self, _: object, event_id: object, text: str) -> None:
        """Remember what a mail says."""
        self.messages[event_id] = text

    async def begin(self, request_id: object, event_id: object) -> Entry | None:
        """Whom to write to, whether the mail is out, and if not, the claim where nobody has it."""
        producer = self.producers.get(request_id)
        if producer is None:
            return None
        if event_id in self.sent or event_id in self.claims:
            return Entry(producer, is_out=event_id in self.sent)
        self.claims[event_id] = now() + LEASE
        return Entry(producer, self.messages.get(event_id), claim=self.claims[event_id])

    async def release(self, _: object, event_id: object, claim: datetime) -> None:
        """Give the claim back."""
        if self.claims.get(event_id) == claim:
            del self.claims[event_id]

    async def finish(self, _: object, event_id: object, __: datetime) -> None:
        """The mail is out."""
        self.sent.add(event_id)
        self.claims.pop(event_id, None)

    async def ping(self) -> bool:
        """There."""
        return True
