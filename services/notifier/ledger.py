"""The address book and the ledger of mails; the only file here that imports the MongoDB driver."""

from typing import Any

from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReturnDocument

from shared.contracts.envelope import now
from shared.contracts.requests import Producer


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
        self._addresses, self._mails = db["addresses"], db["mails"]

    async def learn(self, request_id: object, producer: Producer) -> None:
        """Remember whom to mail about a request."""
        await self._addresses.update_one({"_id": request_id}, {"$set": producer.model_dump()}, upsert=True)

    async def producer_of(self, request_id: object) -> Producer | None:
        """Whom to mail about a request, if that is known yet."""
        found = await self._addresses.find_one({"_id": request_id})
        return Producer.model_validate(found) if found else None

    async def begin(self, event_id: object) -> bool:
        """Note that a mail is about to go out; False where it has gone out already."""
        entry = await self._mails.find_one_and_update(
            {"_id": event_id},
            {"$setOnInsert": {"begun_at": now()}, "$inc": {"attempts": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return "sent_at" not in entry

    async def finish(self, event_id: object) -> None:
        """Note that the server has taken the mail."""
        await self._mails.update_one({"_id": event_id}, {"$set": {"sent_at": now()}})

    async def ping(self) -> bool:
        """Whether the database answers."""
        await self._client.admin.command("ping")
        return True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
