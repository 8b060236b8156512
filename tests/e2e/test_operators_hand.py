"""An operator puts a parked request right, on the whole desk."""

import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from aio_pika import Message
from pymongo import MongoClient

from ops.doctor import keeping
from ops.doctor.folders import Leftovers, folders
from ops.gateway import PDF
from ops.letter import load_sample, make_padded_letter
from ops.stack import Connection, Stack
from shared import topology
from shared.contracts.custody import letter_key
from shared.contracts.requests import Letter, Producer
from tests.fixtures.broker import Vhost
from tests.fixtures.desk import EMAIL, LETTER, NAME, Desk
from tests.fixtures.desk import Producer as Person
from tests.fixtures.events import submission, submitted
from tests.fixtures.management import Management
from tests.fixtures.servers import BUCKET, s3_client
from tests.fixtures.typed import typed
from tests.fixtures.wait import eventually

FURTHER = make_padded_letter(load_sample(), 20_000, 8)


@pytest.fixture
def environment_of_desk(environment: dict[str, str], stack: Stack) -> dict[str, str]:
    """What an operator of the whole desk has set."""
    return {
        **environment,
        "POR_AMQP_URL": stack.info.rabbitmq.url_with_credentials,
        "POR_MONGODB_URL": stack.info.mongodb.url,
    }


async def test_parked_request_is_replayed_to_its_ticket(
    desk: Desk, producer: Person, object_store: Connection, environment_of_desk: dict[str, str]
) -> None:
    """A request that was parked on its way gets its ticket and its mail when an operator replays it, once."""
    sha256 = hashlib.sha256(LETTER).hexdigest()
    sent = submission(producer_id=producer.producer_id).model_copy(
        update={
            "producer": Producer(producer_id=producer.producer_id, name=NAME, email=EMAIL),
            "letters": (Letter(sha256=sha256, filename="a.pdf", media_type="application/pdf", size=len(LETTER)),),
        }
    )
    event = submitted(of=sent)
    s3_client(object_store).put_object(
        bucket_name=BUCKET,
        object_name=letter_key(sent.request_id, sha256),
        data=io.BytesIO(LETTER),
        length=len(LETTER),
    )
    url = environment_of_desk["POR_AMQP_URL"]
    assert urlsplit(url).path == "/"
    vhost = Vhost(url, Management(desk.stack.info.rabbitmq_management, "/"))
    body = event.model_dump_json(exclude_none=True).encode()
    for queue in (topology.CHECK_LETTER.name, topology.LEARN_ADDRESS.name):
        async with vhost.channel() as channel:
            exchange = await channel.get_exchange(topology.DEAD_LETTERS)
            message = Message(
                body,
                message_id=str(event.id),
                correlation_id=str(sent.request_id),
                headers={"por-queue": queue, "por-reason": "unreadable"},
                delivery_mode=2,
            )
            await exchange.publish(message, queue)
    choice = ["--request", str(sent.request_id)]
    listed = json.loads((await typed(environment_of_desk, "parked", "list", *choice, "--json")).stdout)
    assert {row["queue"] for row in listed} == {topology.CHECK_LETTER.name, topology.LEARN_ADDRESS.name}
    for _ in range(2):
        run = await typed(environment_of_desk, "parked", "replay", *choice, "--yes")
        assert run.returncode == 0, run.stderr
    number = desk.await_ticket(producer, str(sent.request_id))
    assert len(desk.mails(number)) == 1
    assert json.loads((await typed(environment_of_desk, "parked", "list", "--ticket", number, "--json")).stdout) == []


def test_what_came_through_the_desk_is_no_finding(desk: Desk, producer: Person, object_store: Connection) -> None:
    """A request and a reply with words, as the services leave them, are all on their ticket for the doctor too."""
    number = producer.open_ticket()
    answer = producer.gateway.http.post(
        f"/v1/tickets/{number}/letters",
        files=[("por_documentation", ("further.pdf", FURTHER, PDF)), ("comment", (None, "Here it is."))],
    )
    assert answer.status_code == 202
    ticket = eventually(lambda: producer.gateway.ticket(number).json(), lambda found: len(found["letters"]) == 2)
    store = s3_client(object_store)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    kept = next(each for each in folders(store, BUCKET, soon, lambda _: None) if each.request == ticket["request_id"])
    assert {len(name) for name in kept.names if "." not in name} == {64}
    assert [name for name in kept.names if name.startswith("replies/")]
    with MongoClient[dict[str, Any]](desk.stack.info.mongodb.url, uuidRepresentation="standard") as client:
        tickets = keeping._known(client["tickets"]["tickets"], [kept])
    found = Leftovers()
    found.judge(kept, tickets, lambda key: store.get_object(bucket_name=BUCKET, object_name=key).read())
    assert [*found.findings()] == []
    assert tickets[kept.request].replies
