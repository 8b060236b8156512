"""The ledger of mails: one document per request, whom to write to, what staff wrote, and which mails are out.

The only file here that imports the MongoDB driver.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import ConnectionFailure, ExecutionTimeout, WTimeoutError

from shared.contracts.envelope import now
from shared.contracts.requests import Producer

LedgerAway = (ConnectionFailure, ExecutionTimeout, WTimeoutError)

CALL_SECONDS = 4
AGAIN_SECONDS = 0.2
# A claim outlasts its mail's sending by the two calls around it, each at its longest.
CLAIM_MARGIN = timedelta(seconds=2 * CALL_SECONDS)


@dataclass(frozen=True)
class Entry:
    """What the ledger holds for one mail: it is out, it is ours until ``claim``, or else another is sending it."""

    producer: Producer
    message: str | None = None
    is_out: bool = False
    claim: datetime | None = None


class Ledger:
    """Who to write to, by request id, and which mails are out or being sent, by event id."""

    def __init__(self, url: str, database: str, claim: timedelta) -> None:
        self._claim = claim
        self._client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            url,
            w="majority",
            journal=True,
            serverSelectionTimeoutMS=3000,
            timeoutMS=CALL_SECONDS * 1000,
        )
        db = self._client.get_database(
            database,
            CodecOptions(tz_aware=True, uuid_representation=UuidRepresentation.STANDARD),
        )
        self._ledger = db["ledger"]

    async def learn(self, request_id: UUID, producer: Producer) -> None:
        """Remember whom to mail about a request."""
        await self._ledger.update_one({"_id": request_id}, {"$set": {"producer": producer.model_dump()}}, upsert=True)

    async def learn_message(self, request_id: UUID, event_id: UUID, text: str) -> None:
        """Remember what the mail about an event says."""
        await self._ledger.update_one({"_id": request_id}, {"$set": {f"messages.{event_id}": text}}, upsert=True)

    async def begin(self, request_id: UUID, event_id: UUID) -> Entry | None:
        """Claim the sending of the mail about an event, in one step; None where nobody knows yet to whom.

        Of any number who ask at once one gets the claim. It runs out by itself where its holder dies.
        """
        mail, message, moment = f"mails.{event_id}", f"messages.{event_id}", now()
        until = moment + self._claim
        ours = await self._ledger.find_one_and_update(
            {
                "_id": request_id,
                "producer": {"$exists": True},
                f"{mail}.sent_at": None,
                "$or": [{f"{mail}.claimed_until": None}, {f"{mail}.claimed_until": {"$lt": moment}}],
            },
            {
                "$set": {f"{mail}.claimed_until": until},
                "$min": {f"{mail}.begun_at": moment},
                "$inc": {f"{mail}.attempts": 1},
            },
            projection={"producer": True, message: True},
        )
        if ours is not None:
            words = ours.get("messages", {}).get(str(event_id))
            return Entry(Producer.model_validate(ours["producer"]), words, claim=until)
        found = await self._ledger.find_one({"_id": request_id}, {"producer": True, f"{mail}.sent_at": True})
        if found is None or "producer" not in found:
            return None
        is_out = "sent_at" in found.get("mails", {}).get(str(event_id), {})
        return Entry(Producer.model_validate(found["producer"]), is_out=is_out)

    async def release(self, request_id: UUID, event_id: UUID, claim: datetime) -> None:
        """Give a claim back, where it is still the one that holds."""
        until = f"mails.{event_id}.claimed_until"
        await self._ledger.update_one({"_id": request_id, until: claim}, {"$unset": {until: ""}})

    async def finish(self, request_id: UUID, event_id: UUID, claim: datetime) -> None:
        """Note that the server has taken the mail; again and again while the claim holds, for nobody else can know.

        Raises:
            LedgerAway: the database was away until the claim had run out.
        """
        mail = f"mails.{event_id}"
        is_out = {"$set": {f"{mail}.sent_at": now()}, "$unset": {f"{mail}.claimed_until": ""}}
        while True:
            try:
                await self._ledger.update_one({"_id": request_id}, is_out)
            except LedgerAway:
                if now() >= claim:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def ping(self) -> bool:
        """Whether the database answers."""
        await self._client.admin.command("ping")
        return True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
