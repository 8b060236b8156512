"""The database and the object store are killed, step down, are slow, fail, and lie."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

from ops.tokens import Mint
from shared.contracts.custody import letter_key
from tests.chaos.background import Background
from tests.chaos.customers import TIMEOUT, Line, new_key
from tests.chaos.journal import Attempt, Kind
from tests.chaos.scenario import Scenario
from tests.chaos.storefront import KEPT, Storefront, storefront
from tests.chaos.world import World, strikes_mail
from tests.fixtures.servers import s3_client

AWAY_SECONDS = 6.0
ENOUGH = 2  # of each kind
DAMAGED = "letter-damaged"


def kill_mongod(world: World) -> None:
    """The database is killed in full work."""
    _away(world, "mongodb")


def kill_store(world: World) -> None:
    """The object store is killed in full work."""
    _away(world, "object_store")


def _away(world: World, part: str) -> None:
    with world.fault(f"{part} away", strikes_mail=strikes_mail(part)):
        world.kill(part)
        world.pass_time(AWAY_SECONDS)
        world.bring_back(part)


def step_down(world: World) -> None:
    """The primary steps down, three times; until it is elected again nobody takes a write."""
    with MongoClient[dict[str, Any]](world.stack.info.mongodb.url) as client:
        for _ in range(3):
            with world.fault("primary stepped down", strikes_mail=True):
                with suppress(AutoReconnect, OperationFailure):
                    client.admin.command({"replSetStepDown": 2, "secondaryCatchUpPeriodSecs": 0, "force": True})
                world.until(world.stack["mongodb"].answers, "the primary is elected")
            world.pass_time(2)


def be_slow(world: World) -> None:
    """Every call to the store takes seconds."""
    with _front(world) as front, world.fault("store slow"):
        front.delay = 2.0
        world.until(lambda: front.struck > 20, "the store is slow to somebody")
        world.pass_time(AWAY_SECONDS)
        front.delay = 0.0


def fail(world: World) -> None:
    """Every call to the store fails with 500."""
    with _front(world) as front, world.fault("store fails"):
        front.failing = True
        world.until(lambda: front.struck > 20, "the store fails somebody")
        world.pass_time(AWAY_SECONDS)
        front.failing = False


def lie(world: World) -> None:
    """The store gives other bytes than it was given: what needs them is put off, and of letters the producers are told.

    These send their letters again.
    """
    with _front(world) as front:
        with world.fault("store spoils what it gives"):
            front.spoiling = frozenset(KEPT)
            world.until(lambda: front.spoilt["letter"] > 20, "letters are spoilt")
            front.spoiling -= {"letter"}  # each of them has to be sent again
            world.until(lambda: min(front.spoilt.values()) >= ENOUGH, lambda: f"all is spoilt: {dict(front.spoilt)}")
            front.spoiling = frozenset()
        world.pass_time(3)  # mostly, what was read spoilt is on its ticket by then
        sent = set[str]()
        asyncio.run(_send_again(world, sent))

        def are_mended() -> bool:
            asyncio.run(_send_again(world, sent))  # those that were late
            return not _damaged(world)

        world.until(are_mended, "the letters sent again are held to be good")


def _damaged(world: World) -> list[tuple[dict[str, Any], str]]:
    """The letters that are held to be damaged, each with its ticket."""
    with MongoClient[dict[str, Any]](world.stack.info.mongodb.url, uuidRepresentation="standard") as client:
        tickets = [*client["tickets"]["tickets"].find({"letters.fault": DAMAGED})]
    return [
        (ticket, letter["sha256"]) for ticket in tickets for letter in ticket["letters"] if letter["fault"] == DAMAGED
    ]


async def _send_again(world: World, sent: set[str]) -> None:
    """Every producer who was told so sends his letter again, once, all at the same time."""
    due = [(ticket, sha256) for ticket, sha256 in _damaged(world) if sha256 not in sent]
    sent.update(sha256 for _, sha256 in due)
    gateway, limits = world.stack.info.services["intake"], httpx.Limits(max_connections=10)
    async with httpx.AsyncClient(base_url=gateway, timeout=TIMEOUT, limits=limits, trust_env=False) as http:
        await asyncio.gather(*(_send_letter_again(world, http, ticket, sha256) for ticket, sha256 in due))


async def _send_letter_again(world: World, http: httpx.AsyncClient, ticket: dict[str, Any], sha256: str) -> None:
    info, request_id, producer = world.stack.info, str(ticket["_id"]), ticket["producer_id"]
    attempt = Attempt(Kind.LETTERS, request_id, producer, letters=(sha256,))
    world.attempts.append(attempt)
    # What the producer has on his own disk is what the store was given.
    kept = s3_client(info.object_store).get_object(info.object_store.bucket, letter_key(request_id, sha256))
    line = Line(http, Mint(Path(info.signing_key)).producer(producer))
    path = f"/v1/tickets/{ticket['number']}/letters"
    await line.post_form(attempt, path, [kept.read()], key=new_key(), patient=True)


@contextmanager
def _front(world: World) -> Iterator[Storefront]:
    """A front before the store, through which intake and documents go."""
    background = Background()
    with background.running(), background.inside(storefront(world.stack.info.object_store.url)) as front:
        through = {"POR_S3_ENDPOINT": front.url}
        world.instead({"intake": through, "documents": through})
        yield front
        world.as_ever()


SCENARIOS = (
    Scenario("mongod-killed", "MongoDB killed and restarted", kill_mongod),
    Scenario("step-down", "the primary steps down, three times", step_down),
    Scenario("store-killed", "the object store killed and restarted", kill_store),
    Scenario("store-slow", "each call to the object store takes 2 s", be_slow),
    Scenario("store-500", "each call to the object store fails with 500", fail),
    Scenario("store-lies", "the object store gives other bytes than it was given; letters are sent again", lie, 5.0),
)
