"""Our door to the object store, on a real S3 server."""

import asyncio
import io
import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest

from ops.stack import Connection
from shared.runtime import objects
from shared.runtime.objects import CHUNK, ObjectStore, ObjectStoreError
from tests.fixtures.object_stores import store_at
from tests.fixtures.servers import BUCKET, s3_client


@pytest.fixture(params=["object_store", "minio"])
def s3(request: pytest.FixtureRequest) -> Connection:
    """The session's store, and a real MinIO: S3 is the contract, so both must do."""
    connection: Connection = request.getfixturevalue(request.param)
    return connection


@pytest.fixture
def store(s3: Connection) -> Iterator[ObjectStore]:
    """A door to the real server."""
    made = store_at(s3)
    yield made
    made.close()


@pytest.mark.parametrize("size", [1, CHUNK, 6 * 1024 * 1024 + 1], ids=["a-byte", "a-chunk", "many-parts"])
async def test_what_is_put_is_got_and_streamed(store: ObjectStore, s3: Connection, size: int) -> None:
    """The same bytes come back whole and in chunks, and another client sees them too."""
    key, body = f"test/{uuid4()}", bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    await store.put(key, io.BytesIO(body), size, "application/pdf")
    assert await store.get(key) == body
    stream, announced = await store.stream(key)
    chunks = await asyncio.to_thread(list[bytes], stream)
    assert announced == size
    assert b"".join(chunks) == body
    assert max(map(len, chunks)) <= CHUNK
    assert s3_client(s3).stat_object(BUCKET, key).size == size


async def test_putting_again_replaces(store: ObjectStore) -> None:
    """A repeated put leaves one object, with the bytes that came last."""
    key = f"test/{uuid4()}"
    for body in (b"first", b"second"):
        await store.put(key, io.BytesIO(body), len(body), "text/plain")
    assert await store.get(key) == b"second"


async def test_same_object_put_by_many_at_once_is_kept_by_each(store: ObjectStore) -> None:
    """Who puts the same object at the same moment as others is not refused, and each reads it whole afterwards."""
    body = b"x" * 200_000
    for _ in range(5):
        key = f"test/{uuid4()}"
        await asyncio.gather(*(store.put(key, io.BytesIO(body), len(body), "text/plain") for _ in range(10)))
        assert await store.get(key) == body


async def test_what_is_missing_is_none(store: ObjectStore) -> None:
    """An object that is not there is no error, and streaming it is one that callers know."""
    assert await store.get(f"test/{uuid4()}") is None
    with pytest.raises(ObjectStoreError):
        await store.stream(f"test/{uuid4()}")


async def test_missing_bucket_is_not_a_missing_object(s3: Connection) -> None:
    """A bucket that is gone must not make every letter look as if it had never been there."""
    store = store_at(s3, "no-such-bucket")
    assert not await store.ping()
    with pytest.raises(ObjectStoreError):
        await store.get("any")
    store.close()


async def test_wrong_secret_is_an_error(s3: Connection) -> None:
    """A refused signature is an error of the store, not a missing object."""
    store = store_at(Connection(s3.url, s3.username, "wrong"))
    with pytest.raises(ObjectStoreError):
        await store.get("any")
    store.close()


async def test_store_that_is_away_is_an_error_that_callers_know() -> None:
    """Every call on a store that nobody serves ends, soon, with one of the errors that callers handle."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        store = store_at(Connection(f"http://127.0.0.1:{nobody.getsockname()[1]}", "nobody", "nothing"))
        async with asyncio.timeout(10):
            for call in (
                store.get("any"),
                store.put("any", io.BytesIO(b"x"), 1, "text/plain"),
                store.stream("any"),
                store.ping(),
            ):
                with pytest.raises(ObjectStoreError):
                    await call
    store.close()


async def test_store_is_ready_when_it_has_our_bucket(store: ObjectStore) -> None:
    """The readiness question is answered by the real server."""
    assert await store.ping()


async def test_a_store_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to a store that takes the connection and says nothing ends in time; one look at it waits at once."""
    monkeypatch.setattr(objects, "DEADLINE", 0.3)
    taken = 0

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        taken += 1
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        hanging = store_at(Connection(f"http://127.0.0.1:{port}", "access", "secret-secret"))
        try:
            with pytest.raises(TimeoutError):
                await hanging.get("any")
            calls = taken
            looks = [asyncio.create_task(hanging.ping()) for _ in range(20)]
            await asyncio.wait(looks, timeout=0.2)
            assert taken <= calls + 2, "each look at the store took a connection of its own"
            for look in looks:
                look.cancel()
        finally:
            hanging.close()
