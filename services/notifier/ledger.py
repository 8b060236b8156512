"""The ledger of mails: one document per request, whom to write to and what was written.

The only file here that imports the MongoDB driver.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReturnDocument

from shared.contracts.envelope import now
from shared.contracts.requests import Producer


@dataclass(frozen=True)
class Entry:
    """What the ledger holds for one mail."""

    producer: Producer
    is_out: bool


class Ledger:
    """Who to write to, by request id, and which mails are out, by event id."""

    def __init__(self, url: str, database: str) -> None:
        self._client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            url,
            w="majority",
            journal=True,
            serverSelectionTimeoutMS=3000,
            timeoutMS=4000,
        )
        db = self._client.get_database(
            database,
            CodecOptions(tz_aware=True, uuid_representation=UuidRepresentation.STANDARD),
        )
        self._ledger = db["ledger"]

    async def learn(self, request_id: UUID, producer: Producer) -> None:
        """Remember whom to mail about a request."""
        await self._ledger.update_one({"_id": request_id}, {"$set": {"producer": producer.model_dump()}}, upsert=True)

    async def begin(self, request_id: UUID, event_id: UUID) -> Entry | None:
        """Note that the mail about an event is about to go out; None where nobody knows yet to whom."""
        mail = f"mails.{event_id}"
        found = await self._ledger.find_one_and_update(
            {"_id": request_id},
            {"$min": {f"{mail}.begun_at": now()}, "$inc": {f"{mail}.attempts": 1}},
            projection={"producer": True, f"{mail}.sent_at": True},
            return_document=ReturnDocument.AFTER,
        )
        if found is None:
            return None
        return Entry(Producer.model_validate(found["producer"]), is_out="sent_at" in found["mails"][str(event_id)])

    async def finish(self, request_id: UUID, event_id: UUID) -> None:
        """Note that the server has taken the mail."""
        await self._ledger.update_one({"_id": request_id}, {"$set": {f"mails.{event_id}.sent_at": now()}})

    async def ping(self) -> bool:
        """Whether the database answers."""
        await self._client.admin.command("ping")
        return True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
