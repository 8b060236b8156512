"""Names, addresses, accounts, comments and file names stay where they were written: a search of all the rest."""

import io
from collections.abc import Callable, Iterator
from uuid import uuid4

import pikepdf
import pytest
from httpx import Response, codes

from ops.gateway import Gateway
from shared import topology
from shared.contracts.requests import Producer as ProducerData
from tests.builders import form, letter, submission, submitted
from tests.fixtures.broker import Vhost, with_credentials
from tests.fixtures.canaries import envelope_of, events, finds, logs, metrics, names
from tests.fixtures.desk import ACCOUNT_NAME, CANARIES, COMMENT, EMAIL, FILENAME, LETTER, NAME, Desk
from tests.fixtures.management import Management
from tests.fixtures.wait import eventually

ACCOUNT = "904417"  # in no example, and searched for as a whole number
SEEDED = (*CANARIES, ACCOUNT)
FORM = {
    "request_type": "group-por-change",
    "line_of_business": "group-medical",
    "account_number": ACCOUNT,
    "account_name": ACCOUNT_NAME,
    "effective_date": "2027-01-01",
    "comments": COMMENT,
}
EVERYTHING = f"{NAME} {EMAIL} {ACCOUNT_NAME} {ACCOUNT} {COMMENT} {FILENAME}"


def encrypted() -> bytes:
    """A letter that is refused."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(LETTER)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user=COMMENT))
    return out.getvalue()


def refusals(gateway: Gateway, stranger: Gateway, number: str) -> Iterator[Response]:
    """Answers to questions that are wrong in every field, header and part of the address."""
    http, multipart = gateway.http, f"multipart/form-data; boundary={ACCOUNT}"
    yield from (gateway.post_request({**FORM, name: EVERYTHING}, LETTER) for name in FORM if name != "comments")
    yield gateway.post_request({**FORM, "colour": EVERYTHING}, LETTER)
    yield gateway.post_request(FORM, b"no letter", filename=FILENAME)
    yield gateway.post_request(FORM, b"", filename=FILENAME)
    yield http.post("/v1/requests", files={NAME: (FILENAME, LETTER)})
    yield http.post("/v1/requests", content=EVERYTHING.encode(), headers={"Content-Type": multipart})
    for header in (
        "Idempotency-Key",
        "Content-Type",
        "If-Match",
        "Prefer",
        "User-Agent",
        "X-Request-Id",
        "traceparent",
    ):
        yield http.post(f"/v1/tickets/{number}/status", headers={header: EVERYTHING}, content=EVERYTHING)
        yield http.post("/v1/requests", headers={header.encode(): f'"{EVERYTHING}ü"'.encode()})
    yield http.post(f"/v1/tickets/{number}/status", json={"status": EVERYTHING, "reason": NAME, "comment": 1})
    for path in (f"/v1/tickets/{COMMENT}", f"/v1/requests/{COMMENT}", f"/v1/letters/{COMMENT}", f"/{COMMENT}"):
        yield http.get(path, params={"q": EVERYTHING, "page": EVERYTHING, "sort": EVERYTHING, "request_id": NAME})
    yield http.get("/v1/forms/group-por-transfer", params={"signature": EVERYTHING, "account_number": ACCOUNT_NAME})
    yield http.request(COMMENT.upper(), "/v1/tickets")
    yield stranger.ticket(number)
    for authorization in (f"Bearer {COMMENT}", f"Basic {COMMENT}", COMMENT, f"Bearer {gateway.http.headers}"[:200]):
        yield http.get("/v1/tickets", headers={"Authorization": authorization})


def parked_and_retried() -> list[bytes]:
    """Messages that fail: one that nobody can read, and one whose letter is nowhere."""
    producer = ProducerData(producer_id="P-canary", name=NAME, email=EMAIL)
    lost = submission(
        request_id=uuid4(),
        producer=producer,
        form=form(account_name=ACCOUNT_NAME, account_number=ACCOUNT, comments=COMMENT),
        letters=(letter(uuid4().bytes, filename=FILENAME),),
    )
    return [EVERYTHING.encode(), submitted(lost).model_dump_json().encode()]


async def test_canaries_are_nowhere_else(desk: Desk) -> None:
    """After requests that went well, were refused, retried and parked no log, metric, name or event has one."""
    producer = desk.producer()
    number = producer.gateway.post_request(FORM, LETTER, filename=FILENAME, wait=20).json()["ticket_number"]
    refused = producer.gateway.post_request(FORM, encrypted(), filename=FILENAME, wait=20).json()["ticket_number"]
    assert desk.staff.move(number, "on-hold", reason="other", comment=EVERYTHING).status_code == codes.OK
    desk.mails(number, 2)
    desk.mails(refused)
    answers = list(refusals(producer.gateway, desk.producer().gateway, number))
    assert [answer.status_code for answer in answers if not 400 <= answer.status_code < 500] == []
    # A problem names the path, and what fields are called, to whoever asked; nothing else of the question.
    told = [
        finds(answer.text.replace(answer.request.url.path, "").replace(repr(NAME), ""), SEEDED) for answer in answers
    ]
    assert [each for each in told if each] == []

    info = desk.stack.info
    vhost = Vhost(with_credentials(info.rabbitmq), Management(info.rabbitmq_management, "/"))
    before = await vhost.count(topology.PARKING)
    sent = parked_and_retried()
    for body in sent:
        await vhost.publish_raw(body, topology.PIPELINE, "request.submitted")
    parked = [message for message in await vhost.drain(topology.PARKING, before + len(sent)) if message.body in sent]
    assert {str(message.headers["por-reason"]) for message in parked} == {"unreadable", "letter-not-there"}

    searched: list[tuple[str, str]] = [*logs(desk), *metrics(desk), *names(desk), *await events(desk)]
    searched += [("parked", envelope_of(message)) for message in parked]
    assert {"intake.log", "mongodb.log", "rabbitmq.log", "object_store.log", "smtp.log"} <= {
        name for name, _ in searched
    }
    assert [(name, found) for name, text in searched if (found := finds(text, SEEDED))] == []
    assert producer.token not in "".join(text for _, text in searched)


@pytest.mark.parametrize("canary", SEEDED)
def test_the_search_finds_what_is_there(desk: Desk, canary: str) -> None:
    """A canary that is planted in a log is found there, and one in the mail that was meant to have it."""
    planted = desk.stack.home / "logs" / "planted.log"
    planted.write_text(f'{{"event": "request", "account": "{canary}"}}\n')
    try:
        found: Callable[[], list[str]] = lambda: [name for name, text in logs(desk) if finds(text, [canary])]  # noqa: E731
        assert eventually(found) == [planted.name]
    finally:
        planted.unlink()
