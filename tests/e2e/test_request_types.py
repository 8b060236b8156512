"""The whole desk with other requests than changes of the producer: bank details, and holds that come and go."""

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from httpx import Response, codes
from pymongo import MongoClient

from ops.tokens import BANK_SCOPE
from tests.fixtures.desk import CANARIES, LETTER, Desk, Producer
from tests.fixtures.wait import eventually

# Digits that are nowhere else, of a bank that there might be.
ROUTING, ACCOUNT = "983120405", "83920174655012"
EFT = {
    "request_type": "eft-info",
    "bank_name": "First Harbor Bank",
    "routing_number": ROUTING,
    "bank_account_number": ACCOUNT,
    "bank_account_number_again": ACCOUNT,
    "account_type": "checking",
    "account_holder": CANARIES[1],
}
TRAINING = {
    "request_type": "sep-training",
    "plan_year": "2027",
    "completed_on": "2026-11-02",
    "npn": "8471023",
    "affirmed": "yes",
}


@pytest.fixture
def holds(desk: Desk) -> Iterator[Path]:
    """The file of holds that the running gateway reads; as it was, afterwards."""
    path = Path(desk.stack.info.holds)
    before = path.read_text()
    yield path
    path.write_text(before)


def on_disk(folder: Path, sought: str) -> set[str]:
    """The parts of the stack whose files hold these characters, log and data alike."""
    found = set()
    for path in filter(Path.is_file, folder.rglob("*")):
        with suppress(FileNotFoundError):  # a server may delete it meanwhile
            if sought.encode() in path.read_bytes():
                found.add(path.relative_to(folder).parts[0])
    return found


def in_databases(desk: Desk, sought: str) -> set[str]:
    """The collections that hold these characters: what MongoDB has on disk is compressed."""
    with MongoClient[dict[str, Any]](desk.stack.info.mongodb.url) as client:
        return {
            f"{name}.{collection}"
            for name in client.list_database_names()
            for collection in client[name].list_collection_names()
            if any(sought in str(document) for document in client[name][collection].find())
        }


def test_bank_details_are_nowhere_in_clear(desk: Desk, producer: Producer) -> None:
    """A request with bank details is worked to its end: no queue, stream, object, database, mail or log has a digit."""
    answer = producer.gateway.post_request(EFT, LETTER, part="bank_documentation", wait=20)
    assert answer.status_code == codes.CREATED, answer.text
    number, request_id = answer.json()["ticket_number"], answer.json()["request_id"]
    wrong = {**EFT, "bank_account_number": f"{ACCOUNT}x", "account_type": ACCOUNT, "effective_date": ROUTING}
    refused = producer.gateway.post_request(wrong, LETTER, part="bank_documentation")
    assert refused.status_code == codes.UNPROCESSABLE_ENTITY
    bank_staff = desk.anybody(desk.mint.staff("staff-bank", BANK_SCOPE))
    read = bank_staff.http.get(f"/v1/requests/{request_id}/private-fields")
    assert read.json()["fields"] == {"routing_number": ROUTING, "bank_account_number": ACCOUNT}
    for status in ("in-review", "approved", "resolved"):
        assert desk.staff.move(number, status).status_code == codes.OK
    assert desk.staff.ticket(number).json()["form"]["bank_account_number"] == "ends in 5012"
    assert len(desk.events(number, 4)) == 4
    desk.mails(number, 4)
    # That the search finds what is there: the mask is in each of them.
    home = desk.stack.home
    assert "tickets.tickets" in in_databases(desk, "ends in 5012")
    assert {"rabbitmq", "objects"} <= on_disk(home, "ends in 5012")
    for digits in (ROUTING, ACCOUNT):
        assert digits not in refused.text
        assert in_databases(desk, digits) == set()
        assert on_disk(home, digits) == set()
    log = eventually(lambda: desk.log("intake"), lambda text: "private fields read" in text)
    [line] = [each for each in log.splitlines() if "private fields read" in each and request_id in each]
    assert '"reader": "staff-bank"' in line


def test_a_hold_comes_and_goes_without_a_restart(desk: Desk, producer: Producer, holds: Path) -> None:
    """The running gateway refuses a type, parks it and takes it again, as its file of holds says; broken, as before."""

    def send() -> Response:
        return producer.gateway.post_request(TRAINING, None, wait=20)

    def put(effect: str) -> None:
        hold = f'text = "The course is being changed."\neffect = "{effect}"\nreason = "waiting-for-carrier"'
        holds.write_text(f'[[holds]]\n{hold}\nrequest_types = ["sep-training"]\nfrom = 2026-01-01T00:00:00Z\n')

    pid = desk.stack["intake"].pid
    shown = tomllib.loads(holds.read_text())["holds"][0]["text"]
    items = desk.anybody(None).http.get("/v1/request-types").json()["items"]
    assert [notice["text"] for entry in items for notice in entry["notices"]] == [shown]
    assert send().status_code == codes.CREATED
    put("refuse")
    refused = send()
    assert (refused.status_code, refused.json()["detail"]) == (codes.CONFLICT, "The course is being changed.")
    holds.write_text("what?")
    assert send().status_code == codes.CONFLICT
    assert "por_holds_broken 1.0" in desk.get("intake", "/metrics").text
    assert desk.is_ready("intake")
    put("park")
    parked = send().json()
    assert parked["notices"] == ["The course is being changed."]
    ticket = producer.gateway.ticket(parked["ticket_number"]).json()
    assert (ticket["status"], ticket["history"][0]["reason"]) == ("on-hold", "waiting-for-carrier")
    holds.write_text("holds = []")
    assert producer.gateway.ticket(send().json()["ticket_number"]).json()["status"] == "received"
    assert "por_holds_broken 0.0" in desk.get("intake", "/metrics").text
    assert desk.stack["intake"].pid == pid
