"""The ticket database: one document per ticket, whose history is the outbox.

Every change is one atomic update: new status, version + 1 and a history entry that *is* the event.
``published`` counts the entries that are out; ``due_at`` exists while some are not. The only file of
this service that imports the MongoDB driver.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from pymongo.errors import ConnectionFailure, DuplicateKeyError, ExecutionTimeout, PyMongoError, WTimeoutError

from services.tickets.indexes import SORTS, indexes, order
from shared.contracts.envelope import now
from shared.runtime.together import together

Document = dict[str, Any]

# What a row of the grid is made of.
ROW = (
    "open",
    "number",
    "producer_id",
    "producer_name",
    "producer_email",
    *SORTS.values(),
    "request_type_label",
    "assignee",
    "answered",
    "fingerprint",
    "form.account_number",
    "form.line_of_business",
)
LEASE = timedelta(seconds=15)
FIRST_BACKOFF, LAST_BACKOFF = 1.0, 300.0
DOUBLINGS = 10  # more than lead from the first to the last

StoreError = PyMongoError
# Of these errors: that no server answers in time, whatever was asked of it.
StoreAway = (ConnectionFailure, ExecutionTimeout, WTimeoutError)


class TicketStore:
    """Tickets in MongoDB, acknowledged by the majority and journaled."""

    def __init__(self, url: str, database: str) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            w="majority",
            journal=True,
            # What only one member has may be undone when it is lost: it is told to nobody, and no event is made of it.
            readConcernLevel="majority",
            serverSelectionTimeoutMS=3000,
            timeoutMS=4000,
        )
        self._db = self._client.get_database(
            database,
            CodecOptions(tz_aware=True, uuid_representation=UuidRepresentation.STANDARD),
        )
        self._tickets, self._counters = self._db["tickets"], self._db["counters"]

    async def prepare(self) -> None:
        """Create the indexes; existing ones are left as they are."""
        await self._tickets.create_indexes([IndexModel(fields, **options) for fields, options in indexes()])

    async def ping(self) -> bool:
        """Whether the database answers."""
        await self._client.admin.command("ping")
        return True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def next_count(self) -> int:
        """The next ticket's count; a crash may leave a gap, never a second use."""
        counter = await self._counters.find_one_and_update(
            {"_id": "tickets"},
            {"$inc": {"count": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert counter is not None
        return int(counter["count"])

    async def open(self, ticket: Document, holder: UUID) -> bool:
        """Insert a ticket with its first history entry, leased to ``holder`` for publishing.

        Returns False where this request has its ticket already.
        """
        moment = now()
        try:
            await self._tickets.insert_one(
                {
                    **ticket,
                    "version": 1,
                    "published": 0,
                    "due_at": moment + LEASE,
                    "lease": {"holder": holder, "until": moment + LEASE},
                }
            )
        except DuplicateKeyError:
            return False
        return True

    async def change(self, request_id: UUID, version: int, *entries: Document, **fields: Any) -> Document | None:
        """Append ``entries`` and set ``fields`` if the ticket is still at ``version``, which grows by one for each.

        Returns the ticket as it is then, or None where somebody else was faster.
        """
        sets = {"updated_at": entries[-1]["at"], "due_at": now(), **fields}
        return await self._tickets.find_one_and_update(
            {"_id": request_id, "version": version},
            {"$set": sets, "$inc": {"version": len(entries)}, "$push": {"history": {"$each": [*entries]}}},
            return_document=ReturnDocument.AFTER,
        )

    async def get(self, request_id: UUID) -> Document | None:
        """One ticket by the request that opened it."""
        return await self._tickets.find_one({"_id": request_id})

    async def find(self, number: str, sees_only: str | None) -> Document | None:
        """One ticket by its number, if it is one that the caller may see."""
        return await self._tickets.find_one({"number": number, **_visible(sees_only)})

    async def page(
        self,
        *,
        sees_only: str | None,
        is_open: bool | None,
        where: Document,
        sort: str,
        descending: bool,
        skip: int,
        limit: int,
    ) -> tuple[list[Document], int]:
        """A page of tickets without their history, and how many there are in all; ``where`` narrows them further."""
        # Naming both values lets the one index serve "all" too, by merging its open and closed half.
        query = {**_visible(sees_only), "open": {"$in": [True, False]} if is_open is None else is_open, **where}
        by = order(SORTS[sort], DESCENDING if descending else ASCENDING)
        cursor = self._tickets.find(query, dict.fromkeys(ROW, 1))
        rows = cursor.sort(by).skip(skip).limit(limit).to_list(limit)
        return await together(rows, self._tickets.count_documents(query))

    async def aggregate(self, pipeline: list[Document], index: tuple[str, ...]) -> list[Document]:
        """What a pipeline gives that can be read off one index, named by its fields."""
        return await self._tickets.aggregate(pipeline, hint=dict.fromkeys(index, ASCENDING)).to_list(None)

    async def lease(self, request_id: UUID, holder: UUID) -> Document | None:
        """Become the one publisher of a ticket's unpublished history.

        Returns None where nothing is unpublished or another holds the lease.
        """
        moment = now()
        return await self._tickets.find_one_and_update(
            {
                "_id": request_id,
                "due_at": {"$exists": True},
                "$or": [
                    {"lease": {"$exists": False}},
                    {"lease.until": {"$lt": moment}},
                ],
            },
            {"$set": {"lease": {"holder": holder, "until": moment + LEASE}}},
            return_document=ReturnDocument.AFTER,
        )

    async def mark_published(self, request_id: UUID, holder: UUID, through: int) -> bool:
        """Mark the entries up to ``through`` as out and release the lease.

        Returns False where the ticket has grown meanwhile, or the lease was lost: lease again.
        """
        done = await self._tickets.update_one(
            {"_id": request_id, "lease.holder": holder, "version": through},
            {
                "$set": {"published": through},
                "$unset": {"lease": "", "due_at": "", "sweeps": ""},
            },
        )
        if done.modified_count:
            return True
        await self._tickets.update_one(
            {"_id": request_id, "lease.holder": holder},
            {"$set": {"published": through}, "$unset": {"lease": ""}},
        )
        return False

    async def release(self, request_id: UUID, holder: UUID, sweeps: int) -> None:
        """Give the lease back after a failure; the sweeper comes later each time."""
        wait = min(FIRST_BACKOFF * 2 ** min(sweeps, DOUBLINGS), LAST_BACKOFF)
        await self._tickets.update_one(
            {"_id": request_id, "lease.holder": holder},
            {
                "$set": {"due_at": now() + timedelta(seconds=wait)},
                "$inc": {"sweeps": 1},
                "$unset": {"lease": ""},
            },
        )

    async def due(self, moment: datetime, limit: int) -> list[UUID]:
        """Tickets whose history should have been published by ``moment``."""
        cursor = self._tickets.find({"due_at": {"$lte": moment}}, {"_id": 1})
        return [each["_id"] for each in await cursor.sort("due_at").limit(limit).to_list(limit)]


def _visible(sees_only: str | None) -> Document:
    return {} if sees_only is None else {"producer_id": sees_only}
