"""Many at once under one key, through one gateway and through two."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from httpx import Response, codes

from ops.gateway import Gateway
from tests.fixtures.desk import FORM, LETTER, Desk, Producer
from tests.fixtures.gateways import gateway_beside
from tests.fixtures.remains import await_quiet

MANY = 50


@pytest.fixture(scope="module")
def other_gateway(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A second gateway process with the same settings."""
    with gateway_beside(desk, tmp_path_factory.mktemp("gateway")) as service:
        yield service.url


def at_once(gateways: list[Gateway], key: str) -> list[Response]:
    """The answers to as many posts at the same moment, in turn to each gateway."""
    with ThreadPoolExecutor(MANY) as threads:
        posts = [
            threads.submit(gateways[n % len(gateways)].post_request, FORM, LETTER, key=key, wait=20)
            for n in range(MANY)
        ]
        return [post.result() for post in posts]


def assert_one_ticket(desk: Desk, producer: Producer, gateways: list[Gateway]) -> None:
    """All answers accept the same request, and one ticket, one mail and nothing parked came of them."""
    parked = await_quiet(desk)["por.parking"]
    answers = at_once(gateways, "at-once")
    assert {answer.status_code for answer in answers} <= {codes.CREATED, codes.ACCEPTED}
    assert len({answer.json()["request_id"] for answer in answers}) == 1
    rows = producer.gateway.tickets(state="all").json()["items"]
    assert len(rows) == 1
    assert {answer.json().get("ticket_number") for answer in answers} <= {rows[0]["ticket_number"], None}
    assert await_quiet(desk)["por.parking"] == parked
    assert len(desk.mails(rows[0]["ticket_number"])) == 1


def test_one_key_is_one_ticket(desk: Desk, producer: Producer) -> None:
    """Fifty identical posts at once are accepted, each of them, as one request with one number."""
    assert_one_ticket(desk, producer, [producer.gateway])


def test_one_key_is_one_ticket_through_two_gateways(desk: Desk, producer: Producer, other_gateway: str) -> None:
    """The same through two processes, which know nothing of each other."""
    assert_one_ticket(desk, producer, [producer.gateway, Gateway(other_gateway, producer.token)])


@pytest.mark.parametrize("other", ["form", "letter"])
def test_the_key_of_another_request_is_refused(desk: Desk, producer: Producer, other_gateway: str, other: str) -> None:
    """A key that was used is 422 for another form or letter, also at the other gateway, and changes nothing."""
    assert producer.post(key="used").status_code == codes.CREATED
    before = await_quiet(desk)
    form = {**FORM, "comments": "Changed."} if other == "form" else FORM
    letter = LETTER if other == "form" else LETTER + b"\n"
    for gateway in (producer.gateway, Gateway(other_gateway, producer.token)):
        answer = gateway.post_request(form, letter, key="used")
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:por-desk:problem:key-reused")
    assert await_quiet(desk) == before
