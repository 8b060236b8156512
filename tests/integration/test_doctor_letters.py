"""What the doctor says of letters, forms and replies that led to nothing, on real stores."""

import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from minio import Minio
from pymongo import MongoClient

from ops import access
from ops.doctor.folders import folders
from ops.stack import Connection
from shared.contracts.custody import form_key, letter_key, receipt_key, reply_key
from shared.contracts.letters import letter_id
from shared.contracts.requests import LetterReply
from tests import builders
from tests.fixtures.proxy import door
from tests.fixtures.servers import s3_client
from tests.fixtures.terminal import Terminal
from tests.fixtures.typed import typed

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
LETTERS = {"letters-orphaned", "forms-missing", "forms-without-ticket", "replies-not-on-ticket"}


class Kept:
    """A bucket and a ticket database that are this test's own."""

    def __init__(self, store: Minio, bucket: str, tickets: Any, environment: dict[str, str]) -> None:
        self.store, self.bucket, self.tickets, self.environment = store, bucket, tickets, environment

    def keep(self, *keys: str, body: bytes = b"x") -> None:
        """Put objects into the bucket."""
        for key in keys:
            self.store.put_object(bucket_name=self.bucket, object_name=key, data=io.BytesIO(body), length=len(body))

    def request(self, *letters: str) -> UUID:
        """A request with its ticket, as it is when all went well."""
        request_id = uuid4()
        self.keep(
            form_key(request_id), *(key(request_id, each) for each in letters for key in (letter_key, receipt_key))
        )
        on_ticket = [{"letter_id": letter_id(request_id, each)} for each in letters]
        self.tickets.insert_one({"_id": request_id, "letters": on_ticket, "history": [{"sequence": 1}]})
        return request_id

    def reply(self, request_id: UUID, *letters: str, comment: str | None = None) -> str:
        """A reply with further letters, kept; gives its id."""
        reply = LetterReply(
            request_id=request_id,
            reply_id=uuid4(),
            producer_id="P1001",
            letters=tuple(builders.letter(sha256=each) for each in letters),
            comment=comment,
            received_at=builders.MOMENT,
        )
        self.keep(reply_key(request_id, reply.reply_id), body=reply.model_dump_json().encode())
        return str(reply.reply_id)

    async def findings(self, *words: str) -> dict[str, str]:
        """What the doctor says of it, by code."""
        found = json.loads((await typed(self.environment, "doctor", "--json", *words)).stdout)
        return {each["code"]: each["what"] for each in found if each["code"] in LETTERS}


@pytest.fixture
def kept(environment: dict[str, str], object_store: Connection, mongodb: Connection) -> Iterator[Kept]:
    """An empty bucket and an empty database."""
    name, store = f"test-{uuid4().hex[:8]}", s3_client(object_store)
    store.make_bucket(bucket_name=name)
    environment |= {
        "POR_S3_ENDPOINT": object_store.url,
        "POR_S3_ACCESS_KEY": object_store.username,
        "POR_S3_SECRET_KEY": object_store.password,
        "POR_S3_BUCKET": name,
        "POR_MONGODB_URL": mongodb.url,
        "POR_MONGODB_DATABASE": name,
    }
    with MongoClient[dict[str, Any]](mongodb.url, uuidRepresentation="standard") as client:
        yield Kept(store, name, client[name]["tickets"], environment)
        client.drop_database(name)


async def all_of(kept: Kept) -> dict[str, str]:
    """What the doctor says where nothing is too young."""
    return await kept.findings("--older-than", "0")


async def test_letters_without_form_and_forms_without_ticket_are_counted(kept: Kept) -> None:
    """What was kept and led to nothing is counted, with the first of it; what somebody left there stops nothing."""
    orphan, accepted = uuid4(), uuid4()
    kept.keep(letter_key(orphan, A), letter_key(accepted, B), form_key(accepted), form_key("no-id"))
    kept.request(A)
    found = await all_of(kept)
    assert found["letters-orphaned"].startswith("1 ")
    assert letter_key(orphan, A) in found["letters-orphaned"]
    assert found["forms-without-ticket"].startswith("2 ")
    assert str(accepted) in found["forms-without-ticket"]
    assert set(found) == {"letters-orphaned", "forms-without-ticket"}


async def test_letters_of_a_ticket_that_lost_its_form_are_no_orphans(kept: Kept) -> None:
    """A ticket whose form is gone from the store is told as such: nobody is advised to delete its letters."""
    request_id = kept.request(A)
    kept.store.remove_object(bucket_name=kept.bucket, object_name=form_key(request_id))
    assert await all_of(kept) == {"forms-missing": f"1 ticket has lost its form. First: {request_id}."}


async def test_reply_of_which_a_letter_is_missing_is_counted(kept: Kept) -> None:
    """A reply that its history names, and whose second letter the ticket has not, is half done: no letter is spare."""
    request_id = kept.request(A, B)
    kept.keep(letter_key(request_id, C))
    reply_id = kept.reply(request_id, B, C, comment="Two letters.")
    kept.tickets.update_one({"_id": request_id}, {"$push": {"history": {"sequence": 2, "reply_id": reply_id}}})
    found = await all_of(kept)
    assert set(found) == {"replies-not-on-ticket"}
    assert reply_key(request_id, reply_id) in found["replies-not-on-ticket"]


async def test_further_letters_of_no_reply_are_counted(kept: Kept) -> None:
    """A letter beside an open ticket that no reply lists came with a post that was broken off."""
    request_id = kept.request(A)
    kept.keep(letter_key(request_id, B))
    assert await all_of(kept) == {
        "letters-orphaned": "1 object belongs to a request or reply that was never accepted. "
        f"First: {letter_key(request_id, B)}."
    }


@pytest.mark.parametrize(
    ("letters", "comment"), [((B,), None), ((A, B), None), ((A,), "Please see page 2.")], ids=["new", "some", "words"]
)
async def test_reply_that_is_not_on_its_ticket_is_counted(
    kept: Kept, letters: tuple[str, ...], comment: str | None
) -> None:
    """A reply whose letters or words the ticket has not is told by its file, and its letters are no orphans."""
    request_id = kept.request(A)
    kept.keep(*(letter_key(request_id, each) for each in letters))
    reply_id = kept.reply(request_id, *letters, comment=comment)
    found = await all_of(kept)
    assert set(found) == {"replies-not-on-ticket"}
    assert reply_key(request_id, reply_id) in found["replies-not-on-ticket"]


async def test_replies_that_are_on_their_ticket_are_no_findings(kept: Kept) -> None:
    """What the history names is done, and so is a letter that came once more with not a word: it leaves no trace."""
    request_id = kept.request(A, B)
    named = kept.reply(request_id, B, comment="Here it is.")
    kept.tickets.update_one({"_id": request_id}, {"$push": {"history": {"sequence": 2, "reply_id": named}}})
    kept.reply(request_id, A)
    assert await all_of(kept) == {}


async def test_what_is_young_may_be_under_way(kept: Kept) -> None:
    """Of what came within the hour nothing is told: it may not have arrived yet."""
    request_id = kept.request(A)
    kept.keep(letter_key(request_id, C), letter_key(uuid4(), A), form_key(uuid4()))
    kept.reply(request_id, B)
    assert await kept.findings() == {}
    assert set(await all_of(kept)) == LETTERS - {"forms-missing"}


@pytest.mark.parametrize("server", ["object_store", "minio"])
def test_a_store_of_many_pages_is_walked_in_folders(server: str, request: pytest.FixtureRequest) -> None:
    """Each request comes once and whole, also where a page ends within it, and no more is read than is asked for."""
    store, bucket = s3_client(request.getfixturevalue(server)), f"test-{uuid4().hex[:8]}"
    store.make_bucket(bucket_name=bucket)
    keys = [key for request_id in (uuid4() for _ in range(251)) for key in five_of(request_id)]
    put = partial(store.put_object, bucket, length=1)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: put(object_name=key, data=io.BytesIO(b"x")), reversed(keys)))
    looked: list[int] = []
    found = folders(store, bucket, datetime.now(UTC) + timedelta(minutes=1), looked.append)
    first = next(found)
    assert looked == [5]
    walked = [first, *found]
    assert len(walked) == 251
    assert {f"requests/{each.request}/{name}" for each in walked for name in each.names} == set(keys)
    assert sum(looked) == len(keys)


def five_of(request_id: UUID) -> list[str]:
    """What a request with two replies leaves in the store."""
    replies = [reply_key(request_id, uuid4()) for _ in range(2)]
    return [letter_key(request_id, A), receipt_key(request_id, A), form_key(request_id), *replies]


async def test_a_store_that_hangs_is_told_in_time(
    kept: Kept, object_store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that accepts connections and never answers costs seconds, and is a finding like one that is away."""
    monkeypatch.setattr(access, "STORE_SECONDS", 0.5)
    address = urlsplit(object_store.url)
    async with door(address.hostname or "", address.port or 0) as way:
        way.stop_up()
        hangs = {"POR_S3_ENDPOINT": f"http://127.0.0.1:{way.port}"}
        began = time.monotonic()
        run = await typed({**kept.environment, **hangs}, "doctor", "--json")
        took = time.monotonic() - began
        way.let_through()
    assert "object-store-away" in {each["code"] for each in json.loads(run.stdout)}
    assert took < 15


def test_a_person_sees_how_far_the_walk_is(kept: Kept) -> None:
    """On a terminal the objects are counted while they are looked at."""
    kept.request(A)
    with Terminal(kept.environment, "doctor") as screen:
        screen.read_until(r"objects .* 3/")
        screen.end()
