"""The doctor at what is kept: events that are not out, and what the object store has that led to nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, TypeAlias
from uuid import UUID

from minio import Minio
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from ops.access import OperatorSettings, open_database, open_store
from ops.doctor.finding import Finding, Severity
from ops.doctor.folders import Folder, Leftovers, Ticket, folders
from ops.objects import StoreFault
from ops.terminal import counted, progress

Tickets: TypeAlias = Collection[dict[str, Any]]

UNMARKED_FOR = timedelta(minutes=1)
BATCH = 500


def look_at_events(desk: OperatorSettings) -> Iterator[Finding]:
    """Tickets whose events should have been out for a minute and more."""
    if desk.mongodb_url is None:
        return
    try:
        with open_database(desk) as client:
            # Not when it is due: a sweep that fails puts that off, and an event may be stuck for hours.
            entry_at = {"$arrayElemAt": ["$history.at", "$published"]}
            long_ago = datetime.now(UTC) - UNMARKED_FOR
            query = {"due_at": {"$exists": True}, "$expr": {"$lt": [entry_at, long_ago]}}
            late = client[desk.mongodb_database]["tickets"].count_documents(query)
    except PyMongoError as error:
        yield _away("mongodb", "MongoDB", error)
        return
    if late:
        yield Finding(
            "events-unmarked",
            Severity.BAD,
            f"{counted(late, 'ticket has', 'tickets have')} had unpublished events for more than a minute.",
            "Check that RabbitMQ and tickets are running. Log lines 'outbox sweep failed' say what the problem is.",
        )


def look_at_letters(desk: OperatorSettings, older_than: timedelta) -> Iterator[Finding]:
    """Letters of what was never accepted, and what was accepted and is on no ticket; what is younger is left out.

    Without the tickets nobody can tell which it is, and nothing is said.
    """
    if desk.s3_endpoint is None or desk.mongodb_url is None:
        return
    found = Leftovers()
    try:
        with open_store(desk) as store, open_database(desk) as client, progress("objects") as looked:
            old = folders(store, desk.s3_bucket, datetime.now(UTC) - older_than, looked)
            while batch := [*islice(old, BATCH)]:
                known = _known(client[desk.mongodb_database]["tickets"], batch)
                for folder in batch:
                    found.judge(folder, known, partial(_read, store, desk.s3_bucket))
    except StoreFault as error:
        yield _away("object-store", "The object store", error)
        return
    except PyMongoError as error:
        yield _away("mongodb", "MongoDB", error)
        return
    yield from found.findings()


def _known(tickets: Tickets, batch: list[Folder]) -> dict[str, Ticket]:
    ids = [request_id for folder in batch if (request_id := _uuid(folder.request))]
    found = tickets.find({"_id": {"$in": ids}}, {"letters.letter_id": 1, "history.reply_id": 1})
    return {
        str(each["_id"]): Ticket(
            letters=frozenset(letter["letter_id"].rpartition(".")[2] for letter in each["letters"]),
            replies=frozenset(item["reply_id"] for item in each["history"] if "reply_id" in item),
        )
        for each in found
    }


def _read(store: Minio, bucket: str, key: str) -> bytes:
    answer = store.get_object(bucket_name=bucket, object_name=key)
    try:
        body: bytes = answer.read()
        return body
    finally:
        answer.close()
        answer.release_conn()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _away(code: str, name: str, error: Exception) -> Finding:
    return Finding(
        f"{code}-away",
        Severity.BAD,
        f"{name} does not answer ({type(error).__name__}).",
        "Start it again; the services hold their messages until then.",
    )
