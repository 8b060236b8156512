"""Who may see what: another producer's things do not exist, refused letters are staff's alone, logs name nobody."""

import io
import json
from collections.abc import Callable, Sized
from functools import partial
from urllib.parse import unquote

import pikepdf
import pytest
from httpx import Response, codes

from tests.fixtures.desk import CANARIES, FORM, LETTER, Desk, Producer
from tests.fixtures.wait import eventually

SERVICES = ("intake", "documents", "tickets", "notifier")


def encrypted() -> bytes:
    """A letter that nobody can read without its password."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(LETTER)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user="secret"))
    return out.getvalue()


def test_what_is_anothers_does_not_exist(desk: Desk, producer: Producer) -> None:
    """Another producer's ticket, letter and request are 404 in every route, like ones that never were, and unlisted."""
    answer = producer.post()
    number, request_id = answer.json()["ticket_number"], answer.json()["request_id"]
    letter_id = producer.gateway.ticket(number).json()["letters"][0]["letter_id"]
    stranger = desk.producer()
    stranger.open_ticket()

    def answers(of: Producer) -> list[Response]:
        get: Callable[[str], Response] = of.gateway.http.get
        return [get(f"/v1/{path}") for path in (f"tickets/{number}", f"letters/{letter_id}", f"requests/{request_id}")]

    assert [each.status_code for each in answers(producer)] == [codes.OK] * 3
    refused = answers(stranger)
    assert [each.status_code for each in refused] == [codes.NOT_FOUND] * 3
    assert [each.json()["type"].rpartition(":")[2] for each in refused] == [
        *("unknown-ticket", "unknown-letter", "unknown-request"),
    ]
    listed = stranger.gateway.tickets(state="all").json()
    assert listed["total"] == 1
    assert number not in {row["ticket_number"] for row in listed["items"]}
    asked = stranger.gateway.tickets(state="all", request_id=request_id).json()
    assert asked == {"items": [], "first": 0, "last": 0, "total": 0}


def test_encrypted_letter_opens_a_ticket_that_asks_for_another(desk: Desk, producer: Producer) -> None:
    """A letter with a password opens a ticket in Action needed that says why; only staff may fetch the file."""
    pdf = encrypted()
    number = producer.open_ticket(pdf)
    detail = producer.gateway.ticket(number).json()
    assert (detail["status"], detail["history"][0]["reason"]) == ("action-needed", "letter-encrypted")
    (letter,) = detail["letters"]
    assert (letter["fault"], letter.get("pages")) == ("letter-encrypted", None)
    assert producer.gateway.letter(letter["letter_id"]).status_code == codes.NOT_FOUND
    served = desk.staff.letter(letter["letter_id"])
    assert (served.status_code, served.content) == (codes.OK, pdf)
    (mail,) = desk.mails(number)
    text = mail.get_body(("plain",))
    assert text is not None
    assert mail["subject"] == f"{number}: Action needed"
    assert "password-protected" in " ".join(text.get_content().split())


@pytest.mark.parametrize(
    ("sent", "served"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\dana\\Brief für Müller.pdf", "Brief für Müller.pdf"),
        ("two\u202efdp.exe.pdf", "twofdp.exe.pdf"),
        ("../../evil.hta", "evil.pdf"),
        ("..", "letter.pdf"),
        ("semi;colon'quote.pdf", "semi;colon'quote.pdf"),
    ],
)
def test_letter_is_served_as_it_was_sent_under_a_safe_name(producer: Producer, sent: str, served: str) -> None:
    """The bytes are equal; the name is an attachment's, without path and without characters that deceive."""
    answer = producer.gateway.post_request(FORM, LETTER, filename=sent, wait=20)
    assert answer.status_code == codes.CREATED
    detail = producer.gateway.ticket(answer.json()["ticket_number"]).json()
    letter = producer.gateway.letter(detail["letters"][0]["letter_id"])
    assert (letter.status_code, letter.content) == (codes.OK, LETTER)
    plain, _, own = letter.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert plain == 'attachment; filename="letter.pdf"'
    assert unquote(own) == served
    assert letter.headers["content-type"] == "application/pdf"
    assert letter.headers["content-length"] == str(len(LETTER))
    assert letter.headers["x-content-type-options"] == "nosniff"
    assert letter.headers["cache-control"] == "private, no-store"


def lines(desk: Desk, service: str) -> list[dict[str, object]]:
    """What a service has logged; every line is JSON."""
    return [json.loads(line) for line in desk.log(service).splitlines()]


def is_as_long_as(other: Sized, each: Sized) -> bool:
    """Whether at least as many are there."""
    return len(each) >= len(other)


def test_each_request_is_one_line_that_names_what_it_was_about(desk: Desk, producer: Producer) -> None:
    """A request through the gateway is one line there and one at its owner; each message is one line at its handler."""
    before = {service: len(lines(desk, service)) for service in SERVICES}
    answer = producer.post()
    number, request_id = answer.json()["ticket_number"], answer.json()["request_id"]
    desk.mails(number)
    assert producer.gateway.ticket(number).status_code == codes.OK

    def about(service: str) -> list[tuple[object, ...]]:
        return [
            (line["event"], line.get("route") or line.get("queue"), line["outcome"], line.get("ticket_number"))
            for line in lines(desk, service)[before[service] :]
            if request_id == line.get("request_id") or line.get("route") == "/v1/tickets/{number}"
        ]

    expected: dict[str, list[tuple[object, ...]]] = {
        "intake": [
            ("request", "/v1/requests", "done", number),
            ("request", "/v1/tickets/{number}", "done", number),
        ],
        "documents": [("message", "documents.check-letter", "done", None)],
        "tickets": [
            ("message", "tickets.open-ticket", "done", number),
            ("request", "/v1/tickets/{number}", "done", number),
        ],
        "notifier": [
            ("message", "notifier.learn-address", "done", None),
            ("message", "notifier.send-mail", "done", number),
        ],
    }
    for service in SERVICES:
        found = eventually(partial(about, service), partial(is_as_long_as, expected[service]))
        retried = [each for each in found if each[2] != "retry"]  # a mail may be due before its address is known
        assert sorted(map(str, retried)) == sorted(map(str, expected[service]))
    numbered = [line["ms"] for service in SERVICES for line in lines(desk, service)[before[service] :] if "ms" in line]
    assert all(isinstance(ms, int | float) and ms >= 0 for ms in numbered)


def test_no_log_names_a_person(desk: Desk, producer: Producer) -> None:
    """After correct, wrong and refused requests no service has logged a name, an address, a comment or an account."""
    number = producer.open_ticket()
    producer.open_ticket(encrypted())
    producer.gateway.post_request({**FORM, "effective_date": CANARIES[0], "account_number": CANARIES[1]}, LETTER)
    producer.gateway.post_request(FORM, b"no letter", filename=f"{CANARIES[0]}.pdf")
    producer.gateway.http.get(f"/v1/tickets/{CANARIES[0]}")
    producer.gateway.http.get("/v1/requests/1", params={"email": CANARIES[2]})
    assert desk.staff.move(number, "on-hold", reason="other", comment=" ".join(CANARIES)).status_code == codes.OK
    desk.mails(number, 2)
    for service in SERVICES:
        log = desk.log(service)
        assert "request" in log
        assert [canary for canary in CANARIES if canary in log] == []
        assert producer.token not in log
