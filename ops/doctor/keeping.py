"""The doctor at what is kept: events that are not out, letters without a form, forms without a ticket."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import urlsplit
from uuid import UUID

from minio import Minio
from minio.error import MinioException
from pymongo.errors import PyMongoError
from urllib3.exceptions import HTTPError

from ops.access import OperatorSettings, open_database
from ops.doctor.finding import Finding, Severity

UNMARKED_FOR = timedelta(minutes=1)
MOST_OBJECTS = 50_000
_BATCH = 1000
_FORM = "request.json"


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
            f"{late} tickets have events that are not published for more than a minute.",
            "Is RabbitMQ there, and tickets up? Its log lines 'outbox sweep failed' say what stops it.",
        )


def look_at_letters(desk: OperatorSettings, older_than: timedelta) -> Iterator[Finding]:
    """Letters that were kept for a request that was never accepted, and accepted forms that never became a ticket."""
    if desk.s3_endpoint is None:
        return
    try:
        folders, whole = _folders(desk, datetime.now(UTC) - older_than)
    except (MinioException, HTTPError, OSError) as error:
        yield _away("object-store", "The object store", error)
        return
    if not whole:
        yield Finding(
            "letters-not-all-seen",
            Severity.WATCH,
            f"Only the first {MOST_OBJECTS} objects were looked at.",
            "Nothing; a desk of this size is better checked from a copy of the store.",
        )
    orphans = [request for request, names in folders.items() if _FORM not in names]
    if orphans:
        yield Finding(
            "letters-orphaned",
            Severity.WATCH,
            f"{len(orphans)} requests have letters and no form: they were not accepted. First: {orphans[0]}.",
            "Nothing was promised for them; delete requests/<id>/ when the producer has not sent it again.",
        )
    yield from _forms_without_ticket(desk, [request for request, names in folders.items() if _FORM in names])


def _forms_without_ticket(desk: OperatorSettings, requests: list[str]) -> Iterator[Finding]:
    if desk.mongodb_url is None:
        return
    missing: list[str] = []
    try:
        with open_database(desk) as client:
            tickets = client[desk.mongodb_database]["tickets"]
            for first in range(0, len(requests), _BATCH):
                batch = requests[first : first + _BATCH]
                ids = [request_id for each in batch if (request_id := _uuid(each))]
                found = tickets.find({"_id": {"$in": ids}}, {"_id": 1})
                missing += sorted(set(batch) - {str(each["_id"]) for each in found})
    except PyMongoError as error:
        yield _away("mongodb", "MongoDB", error)
        return
    if missing:
        yield Finding(
            "forms-without-ticket",
            Severity.BAD,
            f"{len(missing)} forms are kept and have no ticket. First: {missing[0]}.",
            "pordesk parked list --request <id>; if it is not there its post was answered 503 and not sent again.",
        )


def _folders(desk: OperatorSettings, before: datetime) -> tuple[dict[str, set[str]], bool]:
    """What is kept of each request that is not new, and whether that is all."""
    address = urlsplit(desk.s3_endpoint or "")
    store = Minio(
        endpoint=address.netloc,
        access_key=desk.s3_access_key.get_secret_value(),
        secret_key=desk.s3_secret_key.get_secret_value(),
        secure=address.scheme == "https",
        region=desk.s3_region,
    )
    folders: dict[str, set[str]] = defaultdict(set)
    young: set[str] = set()
    seen, request = 0, ""
    objects = store.list_objects(bucket_name=desk.s3_bucket, prefix="requests/", recursive=True)
    for each in islice(objects, MOST_OBJECTS + 1):
        seen += 1
        _, _, rest = (each.object_name or "").partition("/")
        request, _, name = rest.partition("/")
        folders[request].add(name)
        if each.last_modified and each.last_modified > before:
            young.add(request)
    if seen > MOST_OBJECTS:  # of the last one there may be more
        young.add(request)
    return {request: names for request, names in folders.items() if request not in young}, seen <= MOST_OBJECTS


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
        "Bring it back; services hold their messages meanwhile.",
    )
