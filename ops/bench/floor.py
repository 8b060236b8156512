"""The floor, `python -m ops.bench.floor`: what the I/O of a ticket costs when nothing else is done.

The same writes and reads with the same client libraries: letter put, event, letter read and hashed, event, counter and
ticket, event, ledger entry and mail. No HTTP, no framework, no checks, no contracts, no log, no outbox. Nothing that
makes as much durable on these servers can be much faster.
"""

import asyncio
import hashlib
import io
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aio_pika
import aiosmtplib
import uvloop
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from minio import Minio
from minio.deleteobjects import DeleteObject
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReturnDocument

from ops.bench.worker import report, told, wait_for_go

QUEUES = ("bench-floor.documents", "bench-floor.tickets", "bench-floor.notifier")
DATABASE = "bench-floor"
PREFIX = "bench-floor/"
THREADS = 16
PREFETCH = 32
SMTP_CONNECTIONS = 8

Stage = Callable[[dict[str, Any]], Awaitable[None]]
T = TypeVar("T")


class Floor:
    """One bare pipeline in one process."""

    def __init__(self, spec: dict[str, Any]) -> None:
        store = spec["object_store"]
        self._bucket: str = store["bucket"]
        self._s3 = Minio(
            urlsplit(store["url"]).netloc,
            access_key=store["username"],
            secret_key=store["password"],
            region=store["region"],
            secure=False,
        )
        self._threads = ThreadPoolExecutor(THREADS)
        self._mongo: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(spec["mongodb_url"], w="majority")
        self._db = self._mongo[DATABASE]
        self._amqp_url: str = spec["amqp_url"]
        self._smtp = urlsplit(spec["smtp_url"])
        self._letter = os.urandom(spec["letter_bytes"])
        self._mailers: asyncio.Queue[aiosmtplib.SMTP] = asyncio.Queue()
        self._done: asyncio.Queue[str] = asyncio.Queue()

    async def open(self) -> None:
        """Everything that happens once: connections, queues, index."""
        await self._db.tickets.create_index("request_id", unique=True)
        self._connection = await aio_pika.connect(self._amqp_url)
        self._channel = await self._connection.channel()
        for queue, stage in zip(QUEUES, (self._check, self._number, self._mail), strict=True):
            await self._work_off(queue, stage)
        for _ in range(SMTP_CONNECTIONS):
            mailer = aiosmtplib.SMTP(hostname=self._smtp.hostname, port=self._smtp.port, start_tls=False)
            await mailer.connect()
            self._mailers.put_nowait(mailer)

    async def run(self, requests: int, in_flight: int, name: str) -> float:
        """Tickets from end to end; the seconds that they took."""
        waiting = iter(f"{name}-{n}" for n in range(requests))
        began = time.perf_counter()
        await asyncio.gather(*(self._client(waiting) for _ in range(in_flight)))
        for _ in range(requests):
            await self._done.get()
        return time.perf_counter() - began

    async def close(self) -> None:
        """Leave nothing behind on the servers."""
        await self._connection.close()  # and with it the consumers
        async with await aio_pika.connect(self._amqp_url) as connection:
            channel = await connection.channel()
            for queue in QUEUES:
                await channel.queue_delete(queue)
        await self._mongo.drop_database(DATABASE)
        await self._in_thread(self._remove_letters)

    async def _client(self, waiting: Iterator[str]) -> None:
        for request in waiting:
            await self._in_thread(partial(self._put, request))
            await self._publish(self._channel, QUEUES[0], {"id": request, "producer": "P1", "account": "123456"})

    async def _check(self, message: dict[str, Any]) -> None:
        message["sha256"] = await self._in_thread(partial(self._hash, message["id"]))

    async def _number(self, message: dict[str, Any]) -> None:
        counter = await self._db.counters.find_one_and_update(
            {"_id": "tickets"}, {"$inc": {"count": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        number = message["number"] = counter["count"]
        await self._db.tickets.insert_one(
            {"_id": number, "request_id": message["id"], "status": "received", "sha256": message["sha256"]}
        )

    async def _mail(self, message: dict[str, Any]) -> None:
        await self._db.mails.insert_one({"_id": message["id"]})
        mail = EmailMessage()
        mail["From"], mail["To"] = "desk@carrier.example", "p1@agency.example"
        mail["Subject"] = f"Floor {message['number']}"
        mail.set_content("We received your request.\n")
        mailer = await self._mailers.get()
        await mailer.send_message(mail)
        self._mailers.put_nowait(mailer)
        self._done.put_nowait(message["id"])

    async def _work_off(self, name: str, stage: Stage) -> None:
        channel = await self._connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
        onward = dict(pairwise(QUEUES)).get(name)

        async def take(delivery: AbstractIncomingMessage) -> None:
            message = json.loads(delivery.body)
            await stage(message)
            if onward:
                await self._publish(channel, onward, message)
            await delivery.ack()

        await queue.consume(take)

    async def _publish(self, channel: AbstractChannel, queue: str, message: dict[str, Any]) -> None:
        body = aio_pika.Message(json.dumps(message).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(body, routing_key=queue)  # returns when the broker has confirmed

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _put(self, name: str) -> None:
        self._s3.put_object(self._bucket, PREFIX + name, io.BytesIO(self._letter), len(self._letter), "application/pdf")

    def _hash(self, name: str) -> str:
        response = self._s3.get_object(self._bucket, PREFIX + name)
        try:
            return hashlib.sha256(response.read()).hexdigest()
        finally:
            response.close()
            response.release_conn()

    def _remove_letters(self) -> None:
        names = [DeleteObject(str(each.object_name)) for each in self._s3.list_objects(self._bucket, PREFIX)]
        for error in self._s3.remove_objects(self._bucket, names):
            raise RuntimeError(f"a letter of the floor was not removed: {error}")


async def measure(spec: dict[str, Any]) -> None:
    """A short run to warm up, then the run that counts."""
    floor = Floor(spec)
    await floor.open()
    await floor.run(spec["warm_up"], spec["in_flight"], "warm-up")
    wait_for_go()
    before = time.process_time()
    seconds = await floor.run(spec["requests"], spec["in_flight"], "run")
    cpu = time.process_time() - before
    report({"seconds": seconds, "cpu_seconds": cpu})
    await floor.close()


def main() -> None:
    """Prepare, wait for the word, run, say how long it took, clean up."""
    uvloop.run(measure(told()))


if __name__ == "__main__":
    main()
