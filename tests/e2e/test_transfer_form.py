"""The transfer form on the whole desk: downloaded, filled in, uploaded, and beside its request for staff alone."""

from ops.gateway import PDF
from shared.contracts.transfer_forms import FORM as NAME
from shared.contracts.transfer_forms import VERSION
from tests.builders import picture
from tests.e2e.test_further_letter import send_letter
from tests.fixtures.canaries import finds, logs, metrics
from tests.fixtures.desk import ACCOUNT_NAME, ACCOUNT_NUMBER, Desk, Producer
from tests.fixtures.desk import NAME as PRODUCER_NAME
from tests.fixtures.transfer_forms import filled
from tests.fixtures.wait import eventually

SIGNER = "Wilhelmina Canarysigner"
# The date is another than in the request, and nobody has signed.
TYPED = {
    "account_number": f"{ACCOUNT_NUMBER[:3]}-{ACCOUNT_NUMBER[3:]}",
    "line_of_business": "group-medical",
    "effective_date": "2/1/2027",
    "current_producer": "None",
    "current_producer_id": "None",
    "agency": "Canary Benefits",
    "reason": "Nobody answers.",
    "signer": SIGNER,
    "signer_title": "CFO",
}


def test_a_form_is_beside_its_request_for_staff_alone(desk: Desk, producer: Producer) -> None:
    """A form with what is known in it, filled in, is compared field by field; a scan is not readable."""
    known = {"new_producer": PRODUCER_NAME, "new_producer_id": producer.producer_id, "account_name": ACCOUNT_NAME}
    answer = producer.gateway.http.get(f"/v1/forms/{NAME}", params=known)
    assert (answer.status_code, answer.headers["content-type"]) == (200, PDF)
    letter = filled(answer.content, TYPED)
    number = producer.open_ticket(letter)
    [found] = desk.staff.ticket(number).json()["staff"]["forms"]
    assert (found["result"], found["version"], found["is_current"]) == ("differs", VERSION, True)
    assert {field["name"]: field["result"] for field in found["fields"]} == {
        **dict.fromkeys((*known, "account_number", "line_of_business"), "match"),
        "effective_date": "differs",
        **dict.fromkeys(("signature", "signed_on"), "missing"),
        **dict.fromkeys(
            ("current_producer", "current_producer_id", "agency", "reason", "signer", "signer_title"), None
        ),
    }
    assert desk.staff.letter(found["letter_id"]).content == letter

    assert send_letter(producer, number, picture("PNG")) == 202
    forms = eventually(lambda: desk.staff.ticket(number).json()["staff"]["forms"], lambda forms: len(forms) == 2)
    assert [each["result"] for each in forms] == ["differs", "not-readable"]
    assert "forms" not in desk.staff.tickets(request_id=desk.staff.ticket(number).json()["request_id"]).text

    mine = producer.gateway.ticket(number)
    assert (mine.json()["status"], mine.json()["staff"]) == ("received", None)
    told = [mine.text, producer.gateway.tickets().text]
    told += [event.model_dump_json() for event in desk.events(number, 2)]
    told += [mail.as_string() for mail in desk.mails(number, 2)]
    told += [text for _, text in (*logs(desk), *metrics(desk))]
    assert [text[:200] for text in told if finds(text, [SIGNER, "Canary Benefits", "not-readable"])] == []
