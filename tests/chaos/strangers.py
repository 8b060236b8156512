"""What comes to the pipeline otherwise than by the gateway: poison, and messages ahead of their letters."""

import asyncio
import hashlib
import io
import time
from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractExchange

from ops.letter import load_sample, make_padded_letter
from ops.stack import Connection, StackInfo
from shared import topology
from shared.contracts.custody import form_key, letter_key
from shared.contracts.envelope import CONTENT_TYPE
from shared.contracts.requests import Submission
from tests.chaos.journal import Answer, Attempt, Kind
from tests.fixtures import events
from tests.fixtures.servers import s3_client

EVERY_SECONDS = 0.7
AHEAD_SECONDS = 0.5
# A channel that is closed is a RuntimeError to the library.
BROKER_AWAY = (aio_pika.exceptions.AMQPError, OSError, RuntimeError)
_POISONED = ("request.submitted", "letter.checked", "address.given", "message.written")


class Strangers:
    """Sends one of each again and again; what was sent is in ``attempts``."""

    def __init__(self, info: StackInfo, attempts: list[Attempt], grains: Iterator[int], producer: str) -> None:
        self._info, self._attempts, self._producer = info, attempts, producer
        store = info.object_store
        self._store = s3_client(Connection(store.url, store.username, store.password))
        self._sample, self._grains = load_sample(), grains

    async def come(self, gone: asyncio.Event) -> None:
        """Come until everybody is to go; who finds the broker away comes again with something else."""
        while not gone.is_set():
            with suppress(*BROKER_AWAY):
                async with await aio_pika.connect(self._info.rabbitmq.url_with_credentials) as connection:
                    channel = await connection.channel()
                    await self._come_in(await channel.get_exchange(topology.PIPELINE), gone)
            await asyncio.sleep(EVERY_SECONDS)

    async def _come_in(self, pipeline: AbstractExchange, gone: asyncio.Event) -> None:
        while not gone.is_set():
            for key in _POISONED:
                await self._poison(pipeline, key)
            await self._be_ahead(pipeline)
            await asyncio.sleep(EVERY_SECONDS)

    async def _poison(self, pipeline: AbstractExchange, key: str) -> None:
        """What is no message of ours, which must be parked while its neighbours flow on."""
        attempt = Attempt(Kind.POISON, str(uuid4()), sent=1)
        self._attempts.append(attempt)
        await pipeline.publish(aio_pika.Message(b"poison", message_id=attempt.request_id, delivery_mode=2), key)
        attempt.answers.append(Answer(time.time(), 202))

    async def _be_ahead(self, pipeline: AbstractExchange) -> None:
        """A request that is heard of before its letter can be read, as in a store that shows things late."""
        letter = make_padded_letter(self._sample, 8_000, next(self._grains))
        request = _request(letter, self._producer)
        key, sha256 = str(request.request_id), request.letters[0].sha256
        attempt = Attempt(Kind.REQUEST, key, self._producer, request.producer.email, (sha256,), sent=1)
        self._attempts.append(attempt)
        event = events.submitted("/por-desk/intake", request)
        body = event.model_dump_json(exclude_none=True).encode()
        message = aio_pika.Message(
            body,
            content_type=CONTENT_TYPE,
            message_id=str(event.id),
            correlation_id=key,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        try:
            await pipeline.publish(message, event.routing_key)
            await asyncio.sleep(AHEAD_SECONDS)
        finally:  # it may be under way, whatever the broker said
            await asyncio.to_thread(self._put, letter_key(key, sha256), letter)
            await asyncio.to_thread(self._put, form_key(key), request.model_dump_json().encode())
        attempt.answers.append(Answer(time.time(), 202))

    def _put(self, key: str, body: bytes) -> None:
        self._store.put_object(self._info.object_store.bucket, key, io.BytesIO(body), len(body))


def _request(letter: bytes, producer: str) -> Submission:
    request = events.submission(producer_id=producer)
    facts = {"sha256": hashlib.sha256(letter).hexdigest(), "size": len(letter)}
    return request.model_copy(update={"letters": (request.letters[0].model_copy(update=facts),)})
