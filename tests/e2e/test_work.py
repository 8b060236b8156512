"""Staff works its queue, and the producer answers: from the list to the end, with every word where it belongs."""

from functools import partial

from httpx import codes

from ops.letter import load_sample, make_padded_letter
from tests.e2e.test_further_letter import send_letter
from tests.fixtures.desk import ACCOUNT_NUMBER, Desk, Producer
from tests.fixtures.wait import eventually

WORDS = "Page 2 of the letter for Canarywood lacks the signature.\nPlease have it signed & dated."


def text_of(desk: Desk, number: str, subject: str, count: int) -> str:
    """The text of the mail with this status, once so many mails are there."""
    mail = next(mail for mail in desk.mails(number, count) if mail["subject"] == f"{number}: {subject}")
    text = mail.get_body(("plain",))
    assert text is not None
    content: str = text.get_content()
    return content.replace("\r\n", "\n")


def test_from_the_queue_to_the_end_by_way_of_a_better_letter(desk: Desk, producer: Producer) -> None:
    """Staff finds the ticket, claims it, asks in its own words for a better letter, gets it, and resolves it."""
    number, staff = producer.open_ticket(), desk.staff
    found = staff.tickets(search=number, assignee="nobody", status="received").json()
    assert [row["ticket_number"] for row in found["items"]] == [number]
    assert staff.act(number, "claim").json()["staff"]["assignee"] == "staff-1"
    assert staff.tickets(search=number, assignee="me").json()["total"] == 1
    staff.act(number, "notes", audience="staff", text="The signer has left the group.")
    assert staff.move(number, "in-review").status_code == codes.OK
    moved = staff.move(number, "action-needed", reason="signature-missing", message=WORDS)
    assert moved.status_code == codes.OK

    asked = text_of(desk, number, "Action needed", 3)
    assert WORDS in asked
    assert "The letter is not signed and dated." not in asked
    assert send_letter(producer, number, make_padded_letter(load_sample(), 20_000, 11)) == codes.ACCEPTED
    answered = eventually(lambda: staff.tickets(search=number, answered="true").json()["items"])
    assert (answered[0]["status"], answered[0]["staff"]["answered"]) == ("in-review", True)

    for status in ("approved", "resolved"):
        assert staff.move(number, status).status_code == codes.OK
    page = producer.gateway.ticket(number).json()
    said = str(page)
    assert "staff-1" not in said
    assert "The signer has left" not in said
    assert [item["message"] for item in page["history"] if item["message"]] == [WORDS]
    whole = staff.ticket(number).json()["history"]
    assert [item["sequence"] for item in whole] == list(range(1, len(whole) + 1))
    events = desk.events(number, len(whole))
    assert [int(event.sequence) for event in events] == [item["sequence"] for item in whole]
    public = "".join(event.model_dump_json() for event in events)
    assert not [word for word in ("staff-1", "Canarywood", "signer") if word in public]


def test_a_producer_takes_his_request_back(desk: Desk, producer: Producer) -> None:
    """A withdrawn ticket is closed, told by mail, gone from his list, and cannot be withdrawn again."""
    number = producer.open_ticket()
    etag = producer.gateway.ticket(number).headers["etag"]
    withdraw = partial(producer.gateway.act, number, "withdrawal", comment="The group has changed its mind.")
    assert desk.producer().gateway.act(number, "withdrawal").status_code == codes.NOT_FOUND
    done = withdraw()
    assert (done.status_code, done.json()["status"]) == (codes.OK, "withdrawn")
    assert done.headers["etag"] != etag
    assert "You asked to withdraw this request." in text_of(desk, number, "Withdrawn", 2)
    assert producer.gateway.tickets().json()["total"] == 0
    assert withdraw().json()["type"] == "urn:por-desk:problem:ticket-closed"


def test_two_who_ask_for_the_same_are_shown_to_staff_alone(desk: Desk, producer: Producer) -> None:
    """A second open request for one account and line is contested, in staff's list and on both pages, till one ends."""
    other = desk.producer()
    numbers = [each.open_ticket() for each in (producer, other)]
    listed = desk.staff.tickets(search=ACCOUNT_NUMBER, contested="true", size=100).json()["items"]
    assert set(numbers) <= {row["ticket_number"] for row in listed}
    for number, rival in (numbers, numbers[::-1]):
        assert rival in desk.staff.ticket(number).json()["staff"]["contested_with"]
    assert producer.gateway.ticket(numbers[0]).json()["staff"] is None
    assert numbers[1] not in producer.gateway.ticket(numbers[0]).text
    assert producer.gateway.tickets(contested="true").status_code == codes.FORBIDDEN
    assert desk.staff.tickets().json()["total"] == desk.staff.http.get("/v1/tickets/counts").json()["open"]
    other.gateway.act(numbers[1], "withdrawal", comment="No longer.")
    assert numbers[1] not in desk.staff.ticket(numbers[0]).json()["staff"]["contested_with"]
