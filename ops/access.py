"""How an operator's commands reach a desk: by ``POR_*`` variables, or the local stack that is up in this folder."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity
from minio import Minio
from pydantic import Field, SecretStr
from pymongo import MongoClient

from ops.objects import object_store
from ops.stack import StackInfo
from ops.tokens import AUDIENCE, ISSUER
from shared.runtime.amqp import BusAway, stuck_is_away
from shared.runtime.auth import OPS, Caller, TokenVerifier
from shared.runtime.problems import Problem
from shared.runtime.settings import SECRETS_DIR, ConfigurationError, HttpAddress, ServiceSettings, read_settings

HOME = Path(".local")
CONNECT_SECONDS = 10.0
STORE_SECONDS = 20.0
TOKEN_VARIABLE = "POR_OPS_TOKEN"  # noqa: S105  # the name of a variable


class Refused(Exception):
    """What a command was given does not work; the message says what does."""


class OperatorSettings(ServiceSettings):
    """Where a desk's servers are; all but the broker are optional, and what is not known is not looked at."""

    rabbitmq_management_url: SecretStr | None = Field(default=None, description="http(s)://user:password@host:port")
    mongodb_url: SecretStr | None = None
    mongodb_database: str = "tickets"
    s3_endpoint: HttpAddress | None = None
    s3_access_key: SecretStr = SecretStr("")
    s3_secret_key: SecretStr = SecretStr("")
    s3_bucket: str = "por-letters"
    s3_region: str = "us-east-1"
    service_urls: dict[str, HttpAddress] = Field(default_factory=dict, description="JSON: name to base URL.")


def find_desk(home: Path = HOME) -> OperatorSettings:
    """The desk that ``POR_AMQP_URL`` names, else the local stack in ``home``.

    Raises:
        Refused: there is neither, or the variables are wrong.
    """
    if "POR_AMQP_URL" in os.environ or (SECRETS_DIR / "por_amqp_url").is_file():
        try:
            return read_settings(OperatorSettings)
        except ConfigurationError as error:
            raise Refused(str(error)) from None
    try:
        info = StackInfo.load(home)
    except FileNotFoundError:
        raise Refused("No local stack is running here, and POR_AMQP_URL is not set. Start one with: make run") from None
    return OperatorSettings(
        profile="local",
        amqp_url=SecretStr(info.rabbitmq.url_with_credentials),
        jwt_key_file=Path(info.jwks),
        jwt_issuer=ISSUER,
        jwt_audience=AUDIENCE,
        rabbitmq_management_url=SecretStr(info.rabbitmq_management.url_with_credentials),
        mongodb_url=SecretStr(info.mongodb.url),
        s3_endpoint=info.object_store.url,
        s3_access_key=SecretStr(info.object_store.username),
        s3_secret_key=SecretStr(info.object_store.password),
        s3_bucket=info.object_store.bucket,
        s3_region=info.object_store.region,
        service_urls=dict(info.services),
    )


@asynccontextmanager
async def connect(desk: OperatorSettings) -> AsyncIterator[aio_pika.abc.AbstractConnection]:
    """A connection to the desk's broker.

    Raises:
        Refused: it does not answer, or lets nobody in, or breaks off.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await aio_pika.connect(desk.amqp_url.get_secret_value())
    except BusAway as error:
        raise Refused(f"RabbitMQ cannot be reached ({type(error).__name__}). Check POR_AMQP_URL.") from None
    try:
        with stuck_is_away():
            async with connection:
                yield connection
    except BusAway as error:
        raise Refused(f"RabbitMQ stopped answering ({type(error).__name__}). Run the command again.") from error


def open_database(desk: OperatorSettings) -> MongoClient[dict[str, Any]]:
    """The desk's MongoDB, where it is known; nothing is asked of it for longer than five seconds."""
    assert desk.mongodb_url is not None
    return MongoClient(desk.mongodb_url.get_secret_value(), uuidRepresentation="standard", timeoutMS=5000)


async def counts(connection: aio_pika.abc.AbstractConnection, queue: str) -> tuple[int, int] | None:
    """How many messages of a queue are ready and how many consumers it has, of this moment; None: no such queue."""
    channel = await connection.channel()  # of its own, for the broker closes it where the queue is missing
    try:
        found = (await channel.declare_queue(queue, passive=True)).declaration_result
    except ChannelNotFoundEntity:
        return None
    await channel.close()
    return found.message_count or 0, found.consumer_count or 0


@contextmanager
def open_store(desk: OperatorSettings) -> Iterator[Minio]:
    """The desk's object store, where it is known; nothing is asked of it without an end."""
    assert desk.s3_endpoint is not None
    keys = (desk.s3_access_key.get_secret_value(), desk.s3_secret_key.get_secret_value())
    with object_store(desk.s3_endpoint, *keys, desk.s3_region, STORE_SECONDS) as store:
        yield store


async def require(connection: aio_pika.abc.AbstractConnection, queue: str) -> tuple[int, int]:
    """As :func:`counts`, of a queue without which the command makes no sense.

    Raises:
        Refused: there is no such queue.
    """
    found = await counts(connection, queue)
    if found is None:
        raise Refused(f"The queue {queue} does not exist. Restart any service to declare it; see: pordesk doctor")
    return found


async def operator(desk: OperatorSettings, token: str | None) -> Caller:
    """Who acts, by an access token with the scope ``ops``.

    Raises:
        Refused: there is no token, or it is not one that may do this.
    """
    hint = f"Set {TOKEN_VARIABLE} to an access token with the scope ops; on the local stack: pordesk token --ops"
    if not token:
        raise Refused(f"You must identify yourself. {hint}")
    try:
        caller = await TokenVerifier(desk).caller(token)
    except ConfigurationError as error:
        raise Refused(str(error)) from None
    except Problem as error:
        raise Refused(f"{error.body.detail} {hint}") from None
    if OPS not in caller.scopes:
        raise Refused(f"Your token lacks the scope ops. {hint}")
    return caller
