"""What becomes of a letter that is not one: the ticket and the mail say why, and nobody is harmed by it."""

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from httpx import Response, codes

from shared.contracts.custody import receipt_key
from shared.contracts.letters import LetterFault
from tests.fixtures import hostile
from tests.fixtures.clamd import Clamd
from tests.fixtures.desk import FORM, LETTER, Desk, Producer
from tests.fixtures.servers import BUCKET, s3_client
from tests.fixtures.wait import eventually

BOUNDARY = "names"

REFUSED: dict[str, tuple[Callable[[], bytes], LetterFault]] = {
    "script": (hostile.under_a_hexed_name, LetterFault.ACTIVE),
    "file within": (hostile.ATTACHMENT["file"], LetterFault.ATTACHMENT),
    "polyglot": (hostile.MIXED["letter and archive"], LetterFault.MIXED),
    "bomb": (hostile.bomb, LetterFault.TOO_COMPLEX),
    "cut off": (hostile.UNREADABLE["letter cut in the middle"], LetterFault.UNREADABLE),
    "infected": (lambda: hostile.changed(hostile.content(hostile.eicar())), LetterFault.INFECTED),
}


def refused_with(answer: Response, status: int, code: str) -> bool:
    """Whether the answer is this problem."""
    return (answer.status_code, answer.json()["type"]) == (status, f"urn:por-desk:problem:{code}")


@pytest.mark.parametrize("case", REFUSED)
def test_a_hostile_letter_opens_a_ticket_that_says_why(desk: Desk, producer: Producer, case: str) -> None:
    """Ticket and mail say what is wrong and what to do; no producer is served with it, staff only without a virus."""
    make, fault = REFUSED[case]
    letter = make()
    number = producer.open_ticket(letter)
    detail = producer.gateway.ticket(number).json()
    assert (detail["status"], detail["history"][0]["reason"]) == ("action-needed", fault.value)
    (kept,) = detail["letters"]
    assert kept["fault"] == fault.value
    assert refused_with(producer.gateway.letter(kept["letter_id"]), codes.NOT_FOUND, "unknown-letter")
    assert refused_with(desk.producer().gateway.letter(kept["letter_id"]), codes.NOT_FOUND, "unknown-letter")
    served = desk.staff.letter(kept["letter_id"])
    if fault is LetterFault.INFECTED:
        assert refused_with(served, codes.FORBIDDEN, "letter-withheld")
    else:
        assert (served.status_code, served.content) == (codes.OK, letter)
        assert served.headers["x-content-type-options"] == "nosniff"
        assert served.headers["content-disposition"].startswith("attachment;")
    (mail,) = desk.mails(number)
    text = mail.get_body(("plain",))
    assert text is not None
    assert fault.sentence in " ".join(text.get_content().split())


def test_a_letter_that_is_not_judged_is_served_to_nobody(desk: Desk, producer: Producer) -> None:
    """A letter in the store without a receipt is none to anybody who asks."""
    answer = producer.post()
    (letter,) = producer.gateway.ticket(answer.json()["ticket_number"]).json()["letters"]
    assert producer.gateway.letter(letter["letter_id"]).status_code == codes.OK
    store = s3_client(desk.stack.info.object_store)
    store.remove_object(BUCKET, receipt_key(answer.json()["request_id"], letter["sha256"]))
    for gateway in (producer.gateway, desk.staff):
        assert refused_with(gateway.letter(letter["letter_id"]), codes.NOT_FOUND, "unknown-letter")


def test_without_its_scanner_the_desk_judges_no_letter(desk: Desk, producer: Producer, scanner: Clamd) -> None:
    """With the scanner away a request is accepted and its letter not judged; it has its ticket when that is back."""
    assert desk.get("documents", "/readyz").json()["checks"]["scanner"] is True
    scanner.kill()
    try:
        answer = producer.post(wait=1)
        assert answer.status_code == codes.ACCEPTED
        request_id = answer.json()["request_id"]
        assert desk.get("documents", "/readyz").json()["checks"]["scanner"] is False
        assert desk.state_of(producer, request_id)["state"] == "accepted"
        store = s3_client(desk.stack.info.object_store)
        kept = [each.object_name or "" for each in store.list_objects(BUCKET, f"requests/{request_id}/")]
        assert not [name for name in kept if name.endswith(".receipt.json")]
    finally:
        scanner.start()
        scanner.wait_ready()
    number = desk.await_ticket(producer, request_id)
    (letter,) = producer.gateway.ticket(number).json()["letters"]
    assert producer.gateway.letter(letter["letter_id"]).content == LETTER
    eventually(lambda: desk.is_ready("documents"))


def post_named(producer: Producer, filename: bytes) -> Response:
    """A form whose file has this name, byte by byte as no client library would send it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in FORM.items()
    ]
    head = b'Content-Disposition: form-data; name="por_documentation"; filename="' + filename + b'"\r\n\r\n'
    body = b"".join([*parts, f"--{BOUNDARY}\r\n".encode(), head, LETTER, f"\r\n--{BOUNDARY}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Prefer": "wait=20"}
    return producer.gateway.http.post("/v1/requests", content=body, headers=headers)


NAMES = {
    "way up": (b"../../../etc/cron.d/letter.pdf", "letter.pdf"),
    "way up on Windows": (b"..\\..\\windows\\letter.pdf", "letter.pdf"),
    "only a way": (b"../..", "letter.pdf"),
    "NUL": (b"letter.pdf\x00.exe", "letter.pdf.pdf"),
    "line breaks as browsers send them": (b"a%0D%0ASet-Cookie: b.pdf", "a%0D%0ASet-Cookie: b.pdf"),
    "right to left": ("letter\u202efdp.exe".encode(), "letterfdp.pdf"),
    "4,000 characters": (b"x" * 4000 + b".pdf", "x" * 255 + ".pdf"),
    "many of a script of four bytes": ("\U00010348".encode() * 900, "\U00010348" * 255 + ".pdf"),
    "a line of its own": (b"a.pdf\r\nX-Evil: yes", '"a.pdf'),
    "quotes": (b"a%22; filename=%22evil.exe", "a%22; filename=%22evil.pdf"),
}


@pytest.mark.parametrize("case", NAMES)
def test_no_name_of_a_letter_deceives_or_breaks_out(producer: Producer, case: str) -> None:
    """Whatever a file is called, its letter is kept, and served under a name that is safe in a header and on a disk."""
    filename, safe = NAMES[case]
    answer = post_named(producer, filename)
    assert answer.status_code == codes.CREATED, answer.text
    (letter,) = producer.gateway.ticket(answer.json()["ticket_number"]).json()["letters"]
    assert len(letter["filename"]) <= 255
    assert letter["filename"].isprintable()
    served = producer.gateway.letter(letter["letter_id"])
    assert (served.status_code, served.content) == (codes.OK, LETTER)
    plain, _, own = served.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert (plain, unquote(own)) == ('attachment; filename="letter.pdf"', safe)
    assert "set-cookie" not in served.headers


def test_a_name_without_end_is_no_form(producer: Producer) -> None:
    """A name that is longer than a header may be makes the form ill-formed."""
    answer = post_named(producer, "\U00010348".encode() * 4000)
    assert refused_with(answer, codes.BAD_REQUEST, "ill-formed-body")
