"""Accepted means durable, whatever dies: each service and each server is killed while requests come in."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from httpx import Response, codes

from tests.fixtures.desk import Desk, Producer, timed
from tests.fixtures.remains import await_quiet
from tests.fixtures.wait import PATIENCE, eventually

SERVICES = ("intake", "documents", "tickets", "notifier")
SOON = 12.0  # the publish timeout is 5 s, an S3 call tries to connect twice for 3 s
CLAIM = 28.0  # a mail in the hands of a killed notifier is free after POR_SMTP_TIMEOUT and 8 s


class Traffic:
    """A producer who keeps posting, each request under a key of its own and again until it is accepted."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._post_on)
        self.accepted: list[str] = []
        self.refused: list[int | str] = []

    def _post_on(self) -> None:
        for number in count():
            while not self._post(f"traffic-{number}"):
                self._end.wait(0.1)
            if self._end.wait(0.05):
                return

    def _post(self, key: str) -> bool:
        try:
            answer = self._producer.post(key=key, wait=None)
        except httpx.HTTPError as error:
            self.refused.append(type(error).__name__)
            return False
        if answer.is_success:
            self.accepted.append(answer.json()["request_id"])
        else:
            self.refused.append(answer.status_code)
        return answer.is_success

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Post while in the block; the last request is accepted at its end."""
        self._thread.start()
        try:
            yield
        finally:
            self._end.set()
            self._thread.join(60)
        assert not self._thread.is_alive(), "the last request was never accepted"


def assert_mailed_once(desk: Desk, numbers: set[str], copies: int = 1) -> None:
    """Each ticket has its one mail, and no more ``copies`` of it than may be."""
    for number in numbers:
        desk.mails(number, patience=CLAIM + PATIENCE)
    await_quiet(desk)
    for number in numbers:
        mails = desk.mails(number)
        assert len({mail["message-id"] for mail in mails}) == 1
        assert len(mails) <= copies


@pytest.mark.parametrize("victim", SERVICES)
def test_everything_accepted_reaches_its_ticket_when_a_service_is_killed(
    desk: Desk, producer: Producer, victim: str
) -> None:
    """A service is killed in full work and comes back: each accepted request has one ticket, and its one mail.

    Only where notifier itself is killed may a mail have gone out unmarked, and go out once more.
    """
    traffic = Traffic(producer)
    with traffic.flowing():
        eventually(lambda: len(traffic.accepted) >= 5)
        desk.stack[victim].kill()
        if victim != "intake":
            more = len(traffic.accepted) + 5
            eventually(lambda: len(traffic.accepted) >= more)
        desk.restart(victim)
        more = len(traffic.accepted) + 5
        eventually(lambda: len(traffic.accepted) >= more)
    if victim == "intake":
        assert set(traffic.refused) <= {"ConnectError", "ReadError", "RemoteProtocolError"}
    else:
        assert traffic.refused == []
    numbers = {desk.await_ticket(producer, request_id) for request_id in traffic.accepted}
    assert len(numbers) == len(traffic.accepted) == len(set(traffic.accepted))
    assert producer.gateway.tickets(state="all").json()["total"] == len(numbers)
    assert_mailed_once(desk, numbers, copies=2 if victim == "notifier" else 1)


def unavailable(answer: Response) -> dict[str, Any]:
    """A 503 that says when to come back."""
    assert answer.status_code == codes.SERVICE_UNAVAILABLE, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == "urn:por-desk:problem:unavailable"
    return problem


@pytest.mark.parametrize("part", ["rabbitmq", "object_store"])
def test_without_what_accepting_needs_it_is_503_and_later_the_same_key_succeeds(
    desk: Desk, producer: Producer, part: str
) -> None:
    """With broker or object store dead a post is 503 in a few seconds; when it is back the same key succeeds."""
    desk.stack[part].kill()
    try:
        for _ in range(2):
            answer, seconds = timed(lambda: producer.post(key="patience", wait=None))
            problem = unavailable(answer)
            assert seconds < SOON
        if part == "rabbitmq":
            state = producer.gateway.http.get(f"/v1/requests/{problem['request_id']}")
            assert state.status_code == codes.NOT_FOUND, "what was refused was kept"
        not_ready = desk.get("intake", "/readyz")
        assert (not_ready.status_code, not_ready.json()["checks"][part]) == (codes.SERVICE_UNAVAILABLE, False)
        assert desk.get("intake", "/healthz").status_code == codes.OK
    finally:
        desk.restart(part)
    answer = producer.post(key="patience")
    assert (answer.status_code, answer.json()["request_id"]) == (codes.CREATED, problem["request_id"])
    assert producer.gateway.tickets(state="all").json()["total"] == 1
    assert_mailed_once(desk, {answer.json()["ticket_number"]})


def test_without_tickets_requests_are_accepted_and_its_routes_alone_are_503(desk: Desk, producer: Producer) -> None:
    """With tickets dead a post is 202, also one that waits, and its state is truthful; only its own routes are 503."""
    number = producer.open_ticket()
    letter_id = producer.gateway.ticket(number).json()["letters"][0]["letter_id"]
    desk.stack["tickets"].kill()
    try:
        answer = producer.post(wait=1)
        assert (answer.status_code, answer.json()["state"]) == (codes.ACCEPTED, "accepted")
        request_id = answer.json()["request_id"]
        assert desk.state_of(producer, request_id) == answer.json()
        unavailable(producer.gateway.tickets())
        unavailable(producer.gateway.ticket(number))
        unavailable(desk.staff.move(number, "in-review"))
        assert producer.gateway.letter(letter_id).status_code == codes.OK
        assert desk.is_ready("intake")
    finally:
        desk.restart("tickets")
    desk.await_ticket(producer, request_id)


def test_without_documents_letters_alone_are_503(desk: Desk, producer: Producer) -> None:
    """With documents dead a post is 202 and the grid works; a letter is 503, and the ticket comes later."""
    number = producer.open_ticket()
    letter_id = producer.gateway.ticket(number).json()["letters"][0]["letter_id"]
    desk.stack["documents"].kill()
    try:
        answer = producer.post(wait=1)
        assert answer.status_code == codes.ACCEPTED
        assert producer.gateway.tickets().json()["total"] == 1
        unavailable(producer.gateway.letter(letter_id))
    finally:
        desk.restart("documents")
    desk.await_ticket(producer, answer.json()["request_id"])


def test_without_the_database_requests_are_accepted(desk: Desk, producer: Producer) -> None:
    """With MongoDB dead a post is 202 and reading tickets is 503; when it is back the request gets its ticket."""
    desk.stack["mongodb"].kill()
    try:
        answer = producer.post(wait=None)
        assert answer.status_code == codes.ACCEPTED
        assert desk.is_ready("intake")
        with ThreadPoolExecutor(1) as thread:
            asked = thread.submit(producer.gateway.tickets)
            listed, seconds = timed(lambda: desk.staff.http.get(f"{desk.stack.info.services['tickets']}/v1/tickets"))
            through_gateway = asked.result()
    finally:
        desk.restart("mongodb")
    desk.mails(desk.await_ticket(producer, answer.json()["request_id"]))
    unavailable(through_gateway)
    unavailable(listed)
    assert seconds < SOON


def test_without_the_mail_server_the_ticket_opens_and_the_mail_comes_later(desk: Desk, producer: Producer) -> None:
    """With the mail server dead the number is given all the same, and the mail is delivered when it is back."""
    desk.stack["smtp"].kill()
    try:
        number = producer.open_ticket()
        eventually(lambda: "smtp-away" in desk.log("notifier"))
    finally:
        desk.restart("smtp")
    assert_mailed_once(desk, {number})
    assert [mail["subject"] for mail in desk.mails(number)] == [f"{number}: Received"]
