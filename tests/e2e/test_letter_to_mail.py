"""The flow that the desk is for: a letter in, a ticket number out, the producer told, the events for everybody."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx import codes

from tests.fixtures.desk import ACCOUNT_NUMBER, CANARIES, EMAIL, FORM, LETTER, NAME, WAIT, Desk, Producer
from tests.fixtures.remains import await_quiet

NUMBER = re.compile(r"SR-[0-9]{8}-[0-9]")


def test_letter_becomes_a_ticket_and_the_producer_is_told(desk: Desk, producer: Producer) -> None:
    """A letter opens a ticket, staff takes it to its end, and each step is mailed, listed, and an event in sequence."""
    answer = producer.post()
    assert answer.status_code == codes.CREATED
    assert answer.headers["preference-applied"] == "wait=20"
    body = answer.json()
    number = body["ticket_number"]
    assert NUMBER.fullmatch(number)
    assert answer.headers["location"] == f"/v1/requests/{body['request_id']}"
    assert producer.gateway.http.get(answer.headers["location"]).json() == body

    detail = producer.gateway.ticket(number).json()
    assert {name: detail["form"][name] for name in FORM if name != "request_type"} == {
        name: value for name, value in FORM.items() if name != "request_type"
    }
    assert [(each["sha256"], each["pages"], each.get("fault")) for each in detail["letters"]] == [
        (hashlib.sha256(LETTER).hexdigest(), 1, None)
    ]
    assert [row["ticket_number"] for row in producer.gateway.tickets().json()["items"]] == [number]

    for status in ("in-review", "approved", "resolved"):
        assert desk.staff.move(number, status).status_code == codes.OK
    assert producer.gateway.tickets().json()["items"] == []
    assert [row["status"] for row in producer.gateway.tickets(state="closed").json()["items"]] == ["resolved"]
    history = producer.gateway.ticket(number).json()["history"]
    assert [entry["status"] for entry in history] == ["received", "in-review", "approved", "resolved"]

    events = desk.events(number, 4)
    assert [event.sequence for event in events] == ["1", "2", "3", "4"]
    assert [event.type.split(".")[2] for event in events] == ["opened", *["status-changed"] * 3]
    assert len({event.id for event in events}) == 4
    for event in events:
        words = event.model_dump_json()
        assert not [canary for canary in (*CANARIES, NAME, EMAIL, ACCOUNT_NUMBER) if canary in words]
        assert str(event.data.request_id) == body["request_id"]

    mails = desk.mails(number, 4)
    assert sorted(mail["subject"] for mail in mails) == sorted(
        f"{number}: {label}" for label in ("Received", "In review", "Approved", "Resolved")
    )
    assert {mail["message-id"].partition("@")[0] for mail in mails} == {f"<{event.id}" for event in events}
    for mail in mails:
        assert mail["to"] == f"{NAME} <{EMAIL}>"
        assert mail["x-rcptto"] == EMAIL
        label = mail["subject"].partition(": ")[2]
        for kind in ("plain", "html"):
            part = mail.get_body((kind,))
            assert part is not None
            text = part.get_content()
            assert all(word in text for word in (f"Hello {NAME}", number, label, body["request_id"]))


def test_without_prefer_the_answer_does_not_wait(desk: Desk, producer: Producer) -> None:
    """A post without Prefer is 202 and says where to ask; there the number appears."""
    answer = producer.post(wait=None)
    assert answer.status_code == codes.ACCEPTED
    assert "preference-applied" not in answer.headers
    body = answer.json()
    assert body["state"] == "accepted"
    number = desk.await_ticket(producer, body["request_id"])
    assert producer.gateway.ticket(number).json()["request_id"] == body["request_id"]
    assert answer.headers["location"] == f"/v1/requests/{body['request_id']}"


def test_ten_at_once_under_one_key_get_one_number(desk: Desk, producer: Producer) -> None:
    """However concurrently a request is sent under one key, there is one ticket, one letter, one mail."""
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: producer.post(key="once"), range(10)))
    # Nobody waits in vain for an event that passed before he listened.
    assert max(answer.elapsed.total_seconds() for answer in answers) < WAIT / 2
    assert {answer.status_code for answer in answers} == {codes.CREATED}
    (number,) = {answer.json()["ticket_number"] for answer in answers}
    assert producer.gateway.tickets(state="all").json()["total"] == 1
    assert len(producer.gateway.ticket(number).json()["letters"]) == 1
    desk.mails(number)
    await_quiet(desk)
    assert len(desk.mails(number)) == 1


def test_same_key_for_another_request_is_refused(producer: Producer) -> None:
    """A key stands for one form and its letters: with another account or letter it is 422, and nothing is opened."""
    first = producer.post(key="again")
    assert first.status_code == codes.CREATED
    other_form = producer.gateway.post_request({**FORM, "account_number": "000001"}, LETTER, key="again", wait=5)
    other_letter = producer.post(LETTER + b"\n% changed", key="again")
    for answer in (other_form, other_letter):
        assert answer.status_code == codes.UNPROCESSABLE_ENTITY
        assert answer.json()["type"] == "urn:por-desk:problem:key-reused"
    assert producer.post(key="again").json() == first.json()
    assert producer.gateway.tickets(state="all").json()["total"] == 1


def test_same_key_for_two_requests_at_the_same_moment(producer: Producer) -> None:
    """Of two who use one key at once one wins and the other is told; then each of them hears the same again."""
    letters = [LETTER, LETTER + b"\n% changed"]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda letter: producer.post(letter, key="race"), letters))
    won, lost = sorted(range(2), key=lambda which: answers[which].status_code)
    assert [answers[won].status_code, answers[lost].status_code] == [codes.CREATED, codes.UNPROCESSABLE_ENTITY]
    assert producer.post(letters[won], key="race").json() == answers[won].json()
    assert producer.post(letters[lost], key="race").json()["type"] == "urn:por-desk:problem:key-reused"
    assert producer.gateway.tickets(state="all").json()["total"] == 1


def test_same_key_of_another_producer_is_another_request(desk: Desk, producer: Producer) -> None:
    """Keys are each producer's own: two who choose the same get a ticket each."""
    numbers = {each.post(key="order-1").json()["ticket_number"] for each in (producer, desk.producer())}
    assert len(numbers) == 2


@pytest.mark.parametrize("prefer", ["wait=20", "respond-async, wait=20", 'wait="20"', "respond-async\nwait=20"])
def test_prefer_is_read_as_rfc_7240_writes_it(producer: Producer, prefer: str) -> None:
    """The preference may be quoted and stand among others, or on a line of its own."""
    fields: list[tuple[str, Any]] = [(name, (None, value)) for name, value in FORM.items()]
    files = [*fields, ("por_documentation", ("letter.pdf", LETTER))]
    headers = [("Prefer", line) for line in prefer.split("\n")]
    answer = producer.gateway.http.post("/v1/requests", files=files, headers=headers)
    assert (answer.status_code, answer.headers["preference-applied"]) == (codes.CREATED, "wait=20")
