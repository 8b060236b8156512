"""How long a checked letter is kept, on a real MinIO with object lock and on stores without."""

import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from minio import Minio
from minio.commonconfig import ENABLED
from minio.error import S3Error
from minio.versioningconfig import VersioningConfig
from structlog.testing import capture_logs

from deploy.object_store_init import prepare
from ops.stack import Connection
from services.documents.custody import Custody
from services.documents.retention import Retention
from services.documents.workers import Workers
from shared.contracts.custody import letter_key, receipt_key
from shared.contracts.letters import LetterFault, Receipt, State
from shared.runtime.objects import ObjectStore
from tests.builders import encrypted_pdf, letter, pdf, submission, submitted
from tests.fixtures.object_stores import store_at
from tests.fixtures.servers import BUCKET as STACKS_BUCKET
from tests.fixtures.servers import s3_client
from tests.identity import documents_settings

BUCKET, DAYS = "locked-letters", 30
PART = 5 * 1024**2  # the least that S3 takes
SETTINGS = documents_settings(retention_days=DAYS, letter_workers=1)


@dataclass
class Archive:
    """A desk's bucket that locks, seen as documents does and as its owner does."""

    owner: Minio
    store: ObjectStore
    custody: Custody

    async def check(self, data: bytes) -> tuple[str, str]:
        """Have a letter checked; the keys of it and of its receipt."""
        request_id, sha256 = uuid4(), hashlib.sha256(data).hexdigest()
        await self.store.put(letter_key(request_id, sha256), io.BytesIO(data), len(data), "application/pdf")
        event = submitted(submission(request_id=request_id, letters=(letter(data),)))
        await self.custody.check(event)
        locked = self.owner.get_object_retention(BUCKET, letter_key(request_id, sha256))
        await self.custody.check(event)  # as a redelivery does
        assert self.owner.get_object_retention(BUCKET, letter_key(request_id, sha256)) == locked
        return letter_key(request_id, sha256), receipt_key(request_id, sha256)

    def versions(self, key: str) -> list[str]:
        """The versions under a key."""
        found = self.owner.list_objects(BUCKET, prefix=key, include_version=True)
        return [each.version_id or "" for each in found if each.object_name == key]


@pytest.fixture(scope="module")
def locking(minio: Connection) -> Connection:
    """The store as deployment makes it, by documents' own user."""
    prepare(minio.url, minio.username, minio.password, BUCKET, {"documents": "documents-secret"})
    return Connection(minio.url, "documents", "documents-secret")


@pytest.fixture
async def archive(minio: Connection, locking: Connection) -> AsyncIterator[Archive]:
    """Documents on a bucket that locks."""
    store, workers = store_at(locking, BUCKET), Workers(SETTINGS)
    yield Archive(s3_client(minio), store, Custody(store, workers, None, Retention(store, SETTINGS)))
    await workers.stop()
    store.close()


async def test_a_checked_letter_cannot_be_deleted_before_its_time(archive: Archive) -> None:
    """Letter and receipt in custody are locked for the time that is set: not even the store's owner deletes them."""
    began = datetime.now(UTC)
    for key in await archive.check(pdf()):
        kept = archive.owner.get_object_retention(BUCKET, key)
        assert kept is not None
        assert kept.mode == "GOVERNANCE"
        assert timedelta(0) <= kept.retain_until_date - (began + timedelta(days=DAYS)) < timedelta(minutes=1)
        for version in archive.versions(key):
            with pytest.raises(S3Error, match="WORM"):
                archive.owner.remove_object(BUCKET, key, version_id=version)
        data = archive.owner.get_object(BUCKET, key).read()
        assert data == pdf() or Receipt.model_validate_json(data).state is State.CUSTODY


async def test_a_refused_letter_is_not_locked(archive: Archive) -> None:
    """What is in quarantine is no record: it may be deleted."""
    letter_there, receipt_there = await archive.check(encrypted_pdf())
    assert archive.owner.get_object_retention(BUCKET, letter_there) is None
    written = archive.owner.get_object(BUCKET, receipt_there).read()
    assert b'"state":"quarantine"' in written
    assert Receipt.model_validate_json(written).letter.fault is LetterFault.ENCRYPTED
    archive.owner.remove_object(BUCKET, letter_there, version_id=archive.versions(letter_there)[0])
    assert archive.versions(letter_there) == []


class Breaks(io.BytesIO):
    """A letter that comes to its second part and no further."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= PART:
            raise ConnectionResetError("the letter breaks off")
        return super().read(size)


async def test_a_large_letter_that_breaks_off_leaves_nothing(minio: Connection, locking: Connection) -> None:
    """The services' own users may take back what they have half put: no part of it stays, and the reason is told."""
    data = Breaks(b"x" * 3 * PART)
    with pytest.raises(ConnectionResetError):
        s3_client(locking).put_object(BUCKET, "requests/half", data, 3 * PART, part_size=PART)
    uploads = s3_client(minio)._list_multipart_uploads(BUCKET, prefix="requests/half").uploads
    assert uploads == []


@pytest.fixture(params=["object_store", "minio", "minio with versions"])
def without_lock(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    """A store that knows no lock, and a bucket that was made without one, or with versions only."""
    name, _, versions = request.param.partition(" ")
    server = request.getfixturevalue(name)
    if versions:
        s3_client(server).make_bucket("versions")
        s3_client(server).set_bucket_versioning("versions", VersioningConfig(ENABLED))
    made = store_at(server, "versions" if versions else STACKS_BUCKET)
    yield made
    made.close()


async def test_a_store_without_lock_is_said_at_start(without_lock: ObjectStore) -> None:
    """Where letters are not locked the service says so once, and keeps them all the same."""
    retention = Retention(without_lock, SETTINGS)
    with capture_logs() as logs:
        await retention.look()
        assert await retention.lock_of(datetime.now(UTC)) is None
    assert [each["event"] for each in logs] == ["letters are not locked: the object store has no object lock"]


async def test_a_store_that_locks_is_said_at_start(locking: Connection) -> None:
    """Where letters are locked the service says for how long."""
    store = store_at(locking, BUCKET)
    with capture_logs() as logs:
        await Retention(store, SETTINGS).look()
    assert [(each["event"], each["days"]) for each in logs] == [("letters are locked", DAYS)]
    store.close()


async def test_a_store_that_is_away_at_start_is_asked_again() -> None:
    """A service starts without its store, and says that it does not know yet."""
    store = store_at(Connection("http://127.0.0.1:9", "nobody", "nothing"))
    with capture_logs() as logs:
        await Retention(store, SETTINGS).look()
    assert [each["event"] for each in logs] == ["whether letters can be locked is not known: the object store is away"]
    store.close()
