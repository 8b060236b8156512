"""What a mail says, and that nothing in it is for the sender of a request to forge."""

import re

import pytest

from services.notifier import texts
from services.notifier.mailer import Mailer
from shared.contracts.letters import LetterFault
from shared.contracts.requests import Producer
from shared.contracts.tickets import StaffReason, Status, TicketEvent
from shared.runtime.failures import Permanent
from tests.builders import NUMBER, PRODUCER, events, letter_added, moved, opened
from tests.identity import notifier_settings

TICKET_EVENTS = [event for event in events() if event.type.startswith("por.ticket.")]


def mailer() -> Mailer:
    """A mailer that is not connected."""
    return Mailer(notifier_settings())


@pytest.mark.parametrize("status", list(Status))
def test_every_status_says_what_happens_next(status: Status) -> None:
    """A mail in any status tells who does what next, in a sentence."""
    assert re.fullmatch(r"[A-Z].*\.", texts.next_step(status))


@pytest.mark.parametrize("reason", [*LetterFault, *StaffReason])
def test_every_reason_is_a_sentence(reason: LetterFault | StaffReason) -> None:
    """A producer reads a sentence for each reason, not its code."""
    sentence = texts.reason_sentence(reason)
    assert sentence is not None
    assert re.fullmatch(r"[A-Z].*\.", sentence)
    assert reason.value == "other" or reason.value not in sentence


@pytest.mark.parametrize("event", TICKET_EVENTS, ids=lambda event: event.type)
def test_the_subject_begins_with_the_ticket_number(event: TicketEvent) -> None:
    """A mailbox can be sorted by ticket: each subject starts with its number and names the status."""
    assert mailer().write(event, PRODUCER)["Subject"] == f"{NUMBER}: {event.data.status.label}"


@pytest.mark.parametrize("event", TICKET_EVENTS, ids=lambda event: event.type)
def test_both_bodies_tell_the_whole(event: TicketEvent) -> None:
    """Text and HTML both name the ticket, what happened, the next step and the ticket's page."""
    mail = mailer().write(event, PRODUCER)
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        said = " ".join(part.get_content().split())
        for words in (
            PRODUCER.name,
            NUMBER,
            texts.headline(event),
            texts.next_step(event.data.status),
            f"https://portal.example/tickets/{NUMBER}",
        ):
            assert words in said


@pytest.mark.parametrize("reason", [LetterFault.ENCRYPTED, StaffReason.SIGNATURE_MISSING])
def test_a_mail_gives_the_reason(reason: LetterFault | StaffReason) -> None:
    """Where there is a reason the mail says it, else it has no such heading."""
    writer = mailer()
    with_reason = writer.write(opened(status=Status.ACTION_NEEDED, reason=reason), PRODUCER)
    without = writer.write(opened(), PRODUCER)
    for kind in ("plain", "html"):
        said, unsaid = with_reason.get_body((kind,)), without.get_body((kind,))
        assert said is not None
        assert unsaid is not None
        assert str(texts.reason_sentence(reason)) in " ".join(said.get_content().split())
        assert "reason" not in unsaid.get_content().lower()


def test_the_same_event_gives_the_same_mail_and_another_another() -> None:
    """A mail sent twice carries the same Message-ID, so that mailboxes can drop the second; threads are per request."""
    first, again, other = (mailer().write(event, PRODUCER) for event in (opened(), opened(), moved()))
    assert first["Message-ID"] == again["Message-ID"] == f"<{opened().id}@carrier.example>"
    assert first["Date"] == again["Date"]
    assert first["Message-ID"] != other["Message-ID"]
    assert first["References"] == other["References"]


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Dana", "p1001@agency.example\r\nBcc: all@agency.example"),
        ("Dana\r\nBcc: all@agency.example", "p1001@agency.example"),
        ("Dana", "p1001@agency.example, all@agency.example"),
        ("Dana", "nobody"),
        ("Dana", ""),
        ("Dana", "p1001@"),
    ],
)
def test_a_name_or_address_cannot_add_headers(name: str, email: str) -> None:
    """Line ends, lists and other things that are not one address are refused for good."""
    with pytest.raises(Permanent) as refused:
        mailer().write(opened(), Producer(producer_id="P1001", name=name, email=email))
    assert refused.value.reason == "bad-address"


@pytest.mark.parametrize("name", ["Müller, Jürgen", 'Dana "the Pen" Whitfield', "a@b.example", "山田 太郎", ""])
def test_a_name_may_be_any_name(name: str) -> None:
    """Commas, quotes and other scripts in a name lead to the one address all the same."""
    mail = mailer().write(opened(), PRODUCER.model_copy(update={"name": name}))
    assert [each.addr_spec for each in mail["To"].addresses] == [PRODUCER.email]
    assert mail["To"].addresses[0].display_name == name


def test_a_name_is_no_markup() -> None:
    """A name cannot put HTML into the mail."""
    mail = mailer().write(opened(), PRODUCER.model_copy(update={"name": "<img src=x>"}))
    html = mail.get_body(("html",))
    assert html is not None
    assert "<img" not in html.get_content()


def test_each_event_has_its_own_headline() -> None:
    """What happened is told apart: opened, moved from where to where, letter received."""
    headlines = {texts.headline(event) for event in (opened(), moved(), letter_added())}
    assert len(headlines) == 3
    assert "from Received to In review" in texts.headline(moved())
