"""What comes after the first letter: a further one, and the same event once more."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel

from ops.gateway import PDF
from ops.letter import load_sample, make_padded_letter
from ops.stack import Connection
from shared import topology
from shared.contracts.custody import letter_key
from shared.contracts.envelope import CONTENT_TYPE
from tests.fixtures.broker import with_credentials
from tests.fixtures.desk import LETTER, Desk, Producer
from tests.fixtures.servers import BUCKET, s3_client
from tests.fixtures.wait import eventually, eventually_async

FURTHER = make_padded_letter(load_sample(), 20_000, 7)


def send_letter(producer: Producer, number: str, letter: bytes = FURTHER, key: str = "further") -> int:
    """POST a further letter; the status of the answer."""
    answer = producer.gateway.http.post(
        f"/v1/tickets/{number}/letters",
        files=[("por_documentation", ("further.pdf", letter, PDF))],
        headers={"Idempotency-Key": f'"{key}"'},
    )
    return answer.status_code


@contextmanager
def without_documents(desk: Desk) -> Iterator[None]:
    """Letters are taken in and not looked at, until the end of the block."""
    desk.stack["documents"].stop()
    try:
        yield
    finally:
        desk.restart("documents")


def spoil(desk: Desk, request_id: str) -> None:
    """Change a byte of a request's letter where it lies."""
    store = desk.stack.info.object_store
    client = s3_client(Connection(store.url, store.username, store.password))
    key = letter_key(UUID(request_id), hashlib.sha256(LETTER).hexdigest())
    client.put_object(BUCKET, key, io.BytesIO(LETTER[:-1] + b"\0"), len(LETTER), PDF)


def test_a_further_letter_joins_the_ticket_once(desk: Desk, producer: Producer) -> None:
    """A letter sent twice for an open ticket is on it once, is served, is an event, and is told of by mail."""
    number = producer.open_ticket()
    assert send_letter(producer, number) == 202
    assert send_letter(producer, number) == 202
    ticket = eventually(lambda: producer.gateway.ticket(number).json(), lambda found: len(found["letters"]) == 2)
    assert producer.gateway.letter(ticket["letters"][1]["letter_id"]).content == FURTHER
    opened, added = desk.events(number, 2)[-2:]
    assert (opened.sequence, added.sequence, added.type) == ("1", "2", "por.ticket.letter-added.v1")
    texts = [mail.get_body(("plain",)) for mail in desk.mails(number, 2)]
    said = [text.get_content() for text in texts if text is not None]
    assert len(said) == 2
    assert sum("We will review your letter. No action is needed from you." in each for each in said) == 1


def test_a_damaged_letter_is_sent_again_as_the_mail_asks(desk: Desk, producer: Producer) -> None:
    """What the store spoilt opens a ticket in Action needed; the same letter again takes its place and is served."""
    with without_documents(desk):
        request_id = producer.post(wait=None).json()["request_id"]
        spoil(desk, request_id)
    number = desk.await_ticket(producer, request_id)
    (letter,) = producer.gateway.ticket(number).json()["letters"]
    assert letter["fault"] == "letter-damaged"
    assert send_letter(producer, number, LETTER) == 202
    added, back = desk.events(number, 3)[1:]
    assert (added.type, added.sequence, added.data.reason) == ("por.ticket.letter-added.v1", "2", None)
    assert (back.sequence, back.data.status) == ("3", "in-review")
    (whole,) = producer.gateway.ticket(number).json()["letters"]
    assert (whole["letter_id"], whole["fault"], whole["pages"]) == (letter["letter_id"], None, 1)
    assert producer.gateway.letter(letter["letter_id"]).content == LETTER
    assert len(desk.mails(number, 3)) == 3


def test_a_letter_that_is_spoilt_after_it_was_judged_is_never_served_whole(desk: Desk, producer: Producer) -> None:
    """Who asks for it has an answer that breaks off, not other bytes that he would take for the letter."""
    answer = producer.post().json()
    letter = producer.gateway.ticket(answer["ticket_number"]).json()["letters"][0]["letter_id"]
    assert producer.gateway.letter(letter).content == LETTER
    spoil(desk, answer["request_id"])
    with pytest.raises(httpx.RemoteProtocolError):
        producer.gateway.letter(letter)
    assert '"object damaged"' in desk.log("documents")
    assert desk.is_ready("intake")


def test_a_further_letter_needs_an_open_ticket_of_ones_own(desk: Desk, producer: Producer) -> None:
    """Another's ticket is 404, a mistyped number 400, a text file 415, a closed ticket 409."""
    number = producer.open_ticket()
    assert send_letter(desk.producer(), number) == 404
    assert send_letter(producer, f"{number[:-1]}{(int(number[-1]) + 1) % 10}") == 400
    assert send_letter(producer, number, b"only text") == 415
    assert desk.staff.move(number, "withdrawn", reason="withdrawn-by-producer").status_code == 200
    assert send_letter(producer, number) == 409


async def test_the_same_event_once_more_sends_no_second_mail(desk: Desk, producer: Producer) -> None:
    """An event delivered again to the running notifier is known to the ledger: no mail, and nothing is parked."""
    number = producer.open_ticket()
    [mail] = desk.mails(number)
    event = desk.events(number, 1)[0]
    async with await aio_pika.connect(with_credentials(desk.stack.info.rabbitmq)) as connection:
        channel = await connection.channel()
        parked = await _depth(channel, topology.PARKING)
        exchange = await channel.get_exchange(topology.EVENTS)
        body = event.model_dump_json().encode()
        for _ in range(3):
            await exchange.publish(
                aio_pika.Message(body, message_id=str(event.id), content_type=CONTENT_TYPE), event.routing_key
            )
        handled = f'"message_id": "{event.id}"'
        await eventually_async(lambda: _count(desk, handled), lambda count: count >= 4)
        assert await _depth(channel, topology.PARKING) == parked
    assert [each["Message-ID"] for each in desk.mails(number)] == [mail["Message-ID"]]


async def _count(desk: Desk, text: str) -> int:
    return desk.log("notifier").count(text)


async def _depth(channel: AbstractChannel, queue: str) -> int:
    declared = await channel.get_queue(queue)
    return declared.declaration_result.message_count or 0
