"""Whether everything that was promised is done and nothing is under way: when to look, never what the verdict is."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import aio_pika
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from ops.stack import StackInfo
from shared import topology
from tests.chaos.findings import WORKED
from tests.chaos.journal import Attempt, Kind

_BUSY = [queue.name for each in topology.WORK_QUEUES for queue in each.queues] + [
    topology.retry_tier(n) for n in range(1, topology.RETRY_TIERS + 1)
]


class Progress:
    """How far the desk has come with what was asked of it."""

    def __init__(self, info: StackInfo) -> None:
        self._info = info

    def undone(self, attempts: Sequence[Attempt], *, mails: bool = True) -> str:
        """What is still to be done, in a word; empty where nothing is. Without ``mails`` some may be parked."""
        try:
            with MongoClient[dict[str, Any]](
                self._info.mongodb.url, uuidRepresentation="standard", serverSelectionTimeoutMS=2000
            ) as client:
                return _undone(client, attempts, mails=mails) or asyncio.run(self._waiting())
        except (PyMongoError, aio_pika.exceptions.AMQPError, OSError) as error:
            return type(error).__name__

    async def _waiting(self) -> str:
        async with await aio_pika.connect(self._info.rabbitmq.url_with_credentials) as connection:
            channel = await connection.channel()
            for name in _BUSY:
                declared = await channel.declare_queue(name, passive=True)
                if count := declared.declaration_result.message_count:
                    return f"{count} in {name}"
        return ""


def _undone(client: MongoClient[dict[str, Any]], attempts: Sequence[Attempt], *, mails: bool) -> str:
    ids = [UUID(attempt.request_id) for attempt in attempts if attempt.kind is Kind.REQUEST]
    ours = {"_id": {"$in": ids}}
    tickets = {str(each["_id"]): each for each in client["tickets"]["tickets"].find(ours)}
    told = {str(each["_id"]): each.get("mails", {}) for each in client["notifier"]["ledger"].find(ours)}
    for attempt in attempts:
        if attempt.acknowledged and attempt.kind in {Kind.REQUEST, Kind.LETTERS}:
            ticket = tickets.get(attempt.request_id)
            if ticket is None:
                return "a ticket is not open"
            if not set(attempt.letters) <= {letter["sha256"] for letter in ticket["letters"]}:
                return "a letter is not on its ticket"
    for request_id, ticket in tickets.items():
        if ticket["published"] != ticket["version"]:
            return "an event is not out"
        sent, mailed = told.get(request_id, {}), (each for each in ticket["history"] if each["type"] != WORKED)
        if mails and any("sent_at" not in sent.get(str(entry["id"]), {}) for entry in mailed):
            return "a mail is not out"
    return ""
