"""Mails to producers with hostile names, addresses and forms: one recipient, no header more, and nobody else."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from httpx import codes

from ops.gateway import Gateway, mails_about
from tests.fixtures.desk import FORM, LETTER, Desk
from tests.fixtures.remains import await_quiet, remains

HEADERS = {
    "X-RcptTo", "Subject", "From", "To", "Date", "Message-ID", "References", "Auto-Submitted",
    "Content-Type", "MIME-Version",
}  # fmt: skip
BCC = "Bcc: all@evil.example"
NAMES = {
    "line ends": f"Dana\r\n{BCC}",
    "bare line feed": f"Dana\n{BCC}\n\nBody",
    "encoded word": "=?utf-8?q?Dana=0d=0aBcc:_all@evil.example?=",
    "encoded recipients": "=?utf-8?b?RGFuYSA8YUBldmlsLmV4YW1wbGU+LA==?=",
    "list": "Dana <all@evil.example>, more@evil.example;",
    "quotes": 'Dana" <all@evil.example>, "x',
    "comment": "Dana (all@evil.example)",
    "group": "undisclosed: all@evil.example;",
    "other line ends": f"Dana\u2028{BCC}\u0085{BCC}\x0b{BCC}",
    "end of mail": "Dana\r\n.\r\nRCPT TO:<all@evil.example>\r\n",
    "long": "Dana " * 400,
    "markup": "<script>alert(1)</script>{{ 7 * 7 }}",
    "direction": "Dana\u202e<elpmaxe.live@lla>",
}


@pytest.mark.parametrize("case", NAMES, ids=str)
def test_a_name_adds_no_recipient_and_no_header(desk: Desk, case: str) -> None:
    """Whatever a token has for a name, and the form for its fields, the mail goes to the token's address alone."""
    name, producer_id = NAMES[case], f"P-mail-{case.replace(' ', '-')}"
    email = f"{producer_id.lower()}@agency.example"
    gateway = Gateway(desk.url, desk.mint.producer(producer_id, name, email))
    form = {**FORM, "account_name": name.strip()[:100], "comments": name}
    answer = gateway.post_request(form, LETTER, filename=f"{name[:40]}.pdf", wait=20)
    assert answer.status_code == codes.CREATED, answer.text
    number = answer.json()["ticket_number"]
    desk.mails(number)
    found = mails_about(desk.maildir, number)
    assert len(found) == 1
    raw = found[0].read_bytes()
    assert [line for line in raw.splitlines() if line.startswith(b"X-RcptTo:")] == [f"X-RcptTo: {email}".encode()]
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert [each.addr_spec for each in mail["To"].addresses] == [email]
    assert set(mail.keys()) <= HEADERS
    assert len(mail.keys()) == len(set(mail.keys()))
    assert mail["Subject"] == f"{number}: Received"
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()


@pytest.mark.parametrize(
    "email",
    [
        "p@agency.example\r\nBcc: all@evil.example",
        "p@agency.example, all@evil.example",
        "p@agency.example;all@evil.example",
        "Dana <p@agency.example>",
        "p@agency.example>\r\nRCPT TO:<all@evil.example",
        "=?utf-8?q?p=40agency.example=2c_all=40evil.example?=",
        "p@agency.example all@evil.example",
        "p@evil.example@agency.example",
        " ",
    ],
)
def test_what_is_not_one_address_is_refused_at_the_door(desk: Desk, email: str) -> None:
    """A token whose address is a list, a header or none is 403, and nothing of its request is kept."""
    before = await_quiet(desk)
    answer = Gateway(desk.url, desk.mint.producer("P-mail-refused", "Dana", email)).post_request(FORM, LETTER)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:por-desk:problem:not-a-producer")
    assert remains(desk) == before
