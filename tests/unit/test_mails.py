"""What a mail says, and that nothing in it is for the sender of a request to forge."""

import re
from email import message_from_bytes, policy

import pytest

from services.notifier import texts
from services.notifier.mailer import Mailer
from shared.contracts.letters import LetterFault
from shared.contracts.requests import Producer
from shared.contracts.tickets import StaffReason, Status, TicketEvent
from shared.runtime.failures import Permanent
from tests.builders import NUMBER, PRODUCER, letter_added, message_added, moved, opened, worked
from tests.identity import notifier_settings

TICKET_EVENTS: list[TicketEvent] = [opened(), moved(), letter_added(), message_added()]


def mailer() -> Mailer:
    """A mailer that is not connected."""
    return Mailer(notifier_settings())


@pytest.mark.parametrize("status", list(Status))
def test_every_status_says_what_happens_next(status: Status) -> None:
    """A mail in any status tells who does what next, in a sentence."""
    assert re.fullmatch(r"[A-Z].*\.", texts.next_step(opened(status=status)))


@pytest.mark.parametrize("status", [status for status in Status if status.is_open])
def test_after_a_further_letter_the_next_step_hangs_on_that_letter(status: Status) -> None:
    """On any open ticket a good further letter asks for nothing, and one with a fault asks for a corrected one."""
    good, faulty = (texts.next_step(letter_added(status=status, reason=fault)) for fault in (None, LetterFault.EMPTY))
    assert good == "We will review your letter. No action is needed from you."
    assert "send a corrected letter" in faulty


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        (LetterFault.ENCRYPTED, "corrected letter"),
        (StaffReason.SIGNATURE_MISSING, "corrected letter"),
        (StaffReason.INFORMATION_MISSING, "reply"),
        (StaffReason.OTHER, "reply"),
    ],
)
def test_only_who_sent_a_bad_letter_is_asked_for_another(reason: LetterFault | StaffReason, asked: str) -> None:
    """A corrected letter is asked for where one is at fault, else a reply: not every request has one."""
    next_step = texts.next_step(moved(status=Status.ACTION_NEEDED, reason=reason))
    assert next_step.startswith(f"Please {'send a ' if 'letter' in asked else ''}{asked}")


@pytest.mark.parametrize("reason", [*LetterFault, *StaffReason])
def test_every_reason_is_a_sentence(reason: LetterFault | StaffReason) -> None:
    """A producer reads a sentence for each reason, not its code."""
    sentence = reason.sentence
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
            texts.next_step(event),
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
        assert reason.sentence in " ".join(said.get_content().split())
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
        ("Dana", "p1001@agency.example, all@agency.example"),
        ("Dana", "nobody"),
        ("Dana", ""),
        ("Dana", "p1001@"),
        ("Dana", "p1001@agency@example"),
        ("Dana", "<p1001@agency.example>"),
        ("Dana", "jürgen@agency.example"),
        ("Dana", "jürgen@müller.example"),
        ("Dana", "p1001@faß.example"),
        ("Dana", "p1001@xn--ü.example"),
        ("Dana", f"p1001@{'l' * 64}.example"),
        ("Dana\r\nWhitfield", "nobody"),
    ],
)
def test_what_is_not_one_address_is_refused(name: str, email: str) -> None:
    """Line ends, lists and other things that are not one address that every server takes are refused for good."""
    with pytest.raises(Permanent) as refused:
        mailer().write(opened(), Producer(producer_id="P1001", name=name, email=email))
    assert refused.value.reason == "bad-address"


@pytest.mark.parametrize(
    ("email", "sent_to"),
    [
        ("p1001@müller.example", "p1001@xn--mller-kva.example"),
        ("P1001@MÜLLER.Example", "P1001@xn--mller-kva.Example"),
        ("p1001@xn--mller-kva.example", "p1001@xn--mller-kva.example"),
        ('"dana w"@Agency.Example', '"dana w"@Agency.Example'),
        ("p1001@[127.0.0.1]", "p1001@[127.0.0.1]"),
    ],
)
def test_an_address_is_written_in_ascii(email: str, sent_to: str) -> None:
    """A domain in another script is written as DNS knows it, for servers without SMTPUTF8; others stay as they are."""
    mail = mailer().write(opened(), PRODUCER.model_copy(update={"email": email}))
    assert [each.addr_spec for each in mail["To"].addresses] == [sent_to]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Dana\r\nBcc: all@agency.example", "Dana Bcc: all@agency.example"),
        ("\tDana  \x00\x1b\x7f Whitfield\n", "Dana Whitfield"),
        ("Dana\u2028\u202e\x85Whitfield", "Dana Whitfield"),
        ("\r\n", ""),
        ("=?utf-8?q?Dana=0d=0aBcc:_all@agency.example?=", "= ?utf-8?q?Dana=0d=0aBcc:_all@agency.example?="),
        ("=\x00?utf-8?q?Dana=0d=0a?=", "= ?utf-8?q?Dana=0d=0a?="),
    ],
)
def test_a_name_loses_no_mail_and_adds_no_header(name: str, shown: str) -> None:
    """Control characters and encoded words in a name reach neither head nor body as such, and the mail goes out."""
    mail = mailer().write(opened(), PRODUCER.model_copy(update={"name": name}))
    read = message_from_bytes(mail.as_bytes(policy=policy.SMTP), policy=policy.SMTP)
    assert read.keys() == mailer().write(opened(), PRODUCER).keys()
    assert [(each.display_name, each.addr_spec) for each in read["To"].addresses] == [(shown, PRODUCER.email)]
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().startswith(f"Hello {shown},\n" if shown else "Hello,\n")


@pytest.mark.parametrize("name", ["Müller, Jürgen", 'Dana "the Pen" Whitfield', "a@b.example", "山田 太郎", ""])
def test_a_name_may_be_any_name(name: str) -> None:
    """Commas, quotes and other scripts in a name lead to the one address all the same."""
    mail = mailer().write(opened(), PRODUCER.model_copy(update={"name": name}))
    assert [each.addr_spec for each in mail["To"].addresses] == [PRODUCER.email]
    assert mail["To"].addresses[0].display_name == name


@pytest.mark.parametrize("name", ["", " ", "\r\n"])
def test_nobody_is_greeted_without_a_gap(name: str) -> None:
    """Who has no name is greeted without one, in both bodies."""
    mail = mailer().write(opened(), PRODUCER.model_copy(update={"name": name}))
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert "Hello," in part.get_content()


def test_a_name_is_no_markup() -> None:
    """A name cannot put HTML into the mail."""
    mail = mailer().write(opened(), PRODUCER.model_copy(update={"name": "<img src=x>"}))
    html = mail.get_body(("html",))
    assert html is not None
    assert "<img" not in html.get_content()


def test_each_event_has_its_own_headline() -> None:
    """What happened is told apart: opened, moved from where to where, letter received, written to."""
    headlines = {texts.headline(event) for event in TICKET_EVENTS}
    assert len(headlines) == len(TICKET_EVENTS)
    assert "from Received to In review" in texts.headline(moved())


def test_what_staff_does_among_itself_is_no_mail() -> None:
    """A claim, a release or an internal note is nothing to the producer; everything else is."""
    assert not texts.is_mailed(worked())
    assert all(texts.is_mailed(event) for event in TICKET_EVENTS)


@pytest.mark.parametrize(
    ("event", "heading"),
    [(moved(status=Status.ACTION_NEEDED, reason=StaffReason.OTHER), "Reason"), (message_added(), "From the desk")],
    ids=["a reason", "a message"],
)
def test_what_staff_wrote_is_what_the_mail_says(event: TicketEvent, heading: str) -> None:
    """Staff's own words stand in the place of the reason's, line by line, and are neither markup nor headers."""
    mail = mailer().write(event, PRODUCER, "Page 2 <b>lacks</b>\r\n\x00the signature.")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert f"{heading.upper()}\n\nPage 2 <b>lacks</b>\nthe signature.\n" in plain.get_content()
    assert "Page 2 &lt;b&gt;lacks&lt;/b&gt;<br>the signature." in html.get_content()
    assert StaffReason.OTHER.sentence not in plain.get_content()
