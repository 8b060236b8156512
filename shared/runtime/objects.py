"""The object store as both its users see it: S3 put, get, lock and nothing else, off the event loop."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import IO, BinaryIO, Literal, TypeVar, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error
from minio.retention import Retention
from pydantic import BaseModel, ValidationError

from shared.runtime.logs import log
from shared.runtime.settings import ObjectStoreSettings


class ObjectDamaged(Exception):
    """What lies in the store is not what was put there."""


ObjectStoreError = (MinioException, urllib3.exceptions.HTTPError, OSError, ObjectDamaged)

THREADS = 16
CHUNK = 256 * 1024
DEADLINE = 30.0  # seconds for one call with all its retries

# Not there, not known, or not ours to use.
_NO_LOCK = frozenset({"ObjectLockConfigurationNotFoundError", "NotImplemented", "AccessDenied"})

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Lock:
    """Until when nobody may delete an object; in GOVERNANCE who has a right of its own for that still may."""

    until: datetime
    mode: Literal["GOVERNANCE", "COMPLIANCE"]


class ObjectStore:
    """One bucket; every call is bounded in time and runs in a thread (the library blocks)."""

    def __init__(self, settings: ObjectStoreSettings) -> None:
        address = urlsplit(settings.s3_endpoint)
        self._bucket = settings.s3_bucket
        self._client = Minio(
            endpoint=address.netloc,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            secure=address.scheme == "https",
            # Without a region the library asks the server for one, which not every S3 answers.
            region=settings.s3_region,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=3, read=DEADLINE),
                maxsize=THREADS,
                # 500: S3 says to try again, and rclone says it to one of two who put the same object at once.
                retries=urllib3.Retry(total=4, connect=1, read=1, backoff_factor=0.1, status_forcelist=[500, 502, 503]),
            ),
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._free = asyncio.Semaphore(THREADS)
        # Its own thread, of which one look at the store at a time makes use: a store that hangs holds up no more.
        self._ping_thread = ThreadPoolExecutor(1, thread_name_prefix="s3-ping")
        self._ping: asyncio.Future[bool] | None = None

    async def put(self, key: str, data: IO[bytes], size: int, media_type: str, lock: Lock | None = None) -> None:
        """Store ``size`` bytes under ``key``, locked if asked for; they are durable when this returns."""
        await self._run(
            lambda: self._client.put_object(
                bucket_name=self._bucket,
                object_name=key,
                data=cast("BinaryIO", data),
                length=size,
                content_type=media_type,
                retention=Retention(lock.mode, lock.until) if lock else None,
            )
        )

    async def lock(self, key: str, lock: Lock) -> None:
        """Lock what is under ``key`` now; what is locked already stays as it is."""
        await self._run(lambda: self._lock(key, Retention(lock.mode, lock.until)))

    async def can_lock(self) -> bool:
        """Whether our bucket has object lock."""
        return await self._run(self._has_object_lock)

    async def get(self, key: str) -> bytes | None:
        """The bytes under ``key``, or None where there are none."""
        return await self._run(lambda: self._read(key))

    async def stream(self, key: str) -> tuple[Iterator[bytes], int]:
        """The bytes under ``key`` in chunks, to be read in a thread, and how many there are."""
        response = await self._run(lambda: self._client.get_object(bucket_name=self._bucket, object_name=key))

        def chunks() -> Iterator[bytes]:
            try:
                yield from response.stream(CHUNK)
            finally:
                response.close()
                response.release_conn()

        return chunks(), int(response.headers["content-length"])

    async def ping(self) -> bool:
        """Whether the store answers and has our bucket."""
        if self._ping is None or self._ping.done():
            loop = asyncio.get_running_loop()
            self._ping = loop.run_in_executor(self._ping_thread, self._client.bucket_exists, self._bucket)
            # Whoever asked may be gone when it fails.
            self._ping.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._ping)

    def close(self) -> None:
        """Let go of the threads."""
        for threads in (self._threads, self._ping_thread):
            threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, key: str) -> bytes | None:
        try:
            response = self._client.get_object(bucket_name=self._bucket, object_name=key)
        except (S3Error, InvalidResponseError) as error:
            if _is_missing(error):
                return None
            raise
        try:
            data: bytes = response.read()
        finally:
            response.close()
            response.release_conn()
        return data

    def _lock(self, key: str, retention: Retention) -> None:
        if self._client.get_object_retention(bucket_name=self._bucket, object_name=key) is None:
            self._client.set_object_retention(bucket_name=self._bucket, object_name=key, config=retention)

    def _has_object_lock(self) -> bool:
        try:
            # A store that knows nothing of either takes both questions for a listing, and answers it.
            if self._client.get_bucket_versioning(bucket_name=self._bucket).status != "Enabled":
                return False
            self._client.get_object_lock_config(bucket_name=self._bucket)
        except S3Error as error:
            if error.code in _NO_LOCK:
                return False
            raise
        return True

    async def _run(self, call: Callable[[], T]) -> T:
        # Retries add up, and a thread cannot be told to stop: whoever waits is let go, the thread ends later.
        # Waiting for a thread does not count: many letters at once are no reason to refuse them.
        async with self._free, asyncio.timeout(DEADLINE):
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)


async def read_as(kind: type[M], store: ObjectStore, key: str) -> M | None:
    """What is kept under ``key`` as JSON, or None where there is nothing.

    Raises:
        ObjectDamaged: it is not of this kind.
        ObjectStoreError: whatever else keeps it from being read.
    """
    found = await store.get(key)
    try:
        return kind.model_validate_json(found) if found is not None else None
    except ValidationError as error:
        log.error("object damaged", key=key)
        raise ObjectDamaged from error


def _is_missing(error: S3Error | InvalidResponseError) -> bool:
    """Whether S3 says that there is no such object.

    The library reads errors only as ``application/xml``; rclone sends ``text/xml``.
    """
    if isinstance(error, S3Error):
        return error.code == "NoSuchKey"
    return "<Code>NoSuchKey</Code>" in str(error)
