"""Builders of valid things: each test changes only what its sentence is about."""

import hashlib
import io
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pikepdf
from PIL import Image

from ops.letter import load_sample, make_letter
from shared.contracts.envelope import Event, event_id
from shared.contracts.letters import CheckedLetter, LetterChecked, LetterVerdicts, letter_id
from shared.contracts.messages import MessageWritten, WrittenMessage
from shared.contracts.parking import ParkingAct, ParkingDropped, ParkingReplayed
from shared.contracts.requests import (
    Address,
    AddressGiven,
    Form,
    Letter,
    LetterReply,
    LetterSubmitted,
    Producer,
    RequestSubmitted,
    Submission,
)
from shared.contracts.tickets import (
    Act,
    LetterAddition,
    StaffAct,
    Status,
    StatusChange,
    TicketEvent,
    TicketFacts,
    TicketLetterAdded,
    TicketMessageAdded,
    TicketOpened,
    TicketStatusChanged,
    TicketWorked,
)

MOMENT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
REQUEST_ID = UUID("6f0c6a3e-4f0e-5c1e-9a56-2b1d7c1f0a11")
NUMBER = "SR-00000001-3"
PRODUCER = Producer(producer_id="P1001", name="Dana Whitfield", email="p1001@agency.example")
FORM = {
    "request_type": "group-por-change",
    "line_of_business": "group-medical",
    "account_number": "041872",
    "account_name": "Harbor & Pine Woodworks, Inc.",
}


@cache
def pdf() -> bytes:
    """The sample letter."""
    return make_letter(load_sample())


def pages(count: int, **saving: Any) -> bytes:
    """A PDF of ``count`` blank pages, saved with pikepdf's options."""
    result = io.BytesIO()
    with pikepdf.new() as document:
        for _ in range(count):
            document.add_blank_page()
        document.save(result, **saving)
    return result.getvalue()


def encrypted_pdf(password: str = "") -> bytes:
    """A PDF that opens with ``password`` only."""
    return pages(1, encryption=pikepdf.Encryption(owner="owner", user=password))


def picture(kind: str, count: int = 1) -> bytes:
    """An image file of Pillow's ``kind`` with ``count`` pages."""
    result = io.BytesIO()
    first, *more = (Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in range(count))
    options = {"save_all": True, "append_images": more} if more else {}
    first.save(result, kind, **options)
    return result.getvalue()


def letter(data: bytes = b"%PDF-1.7", **changes: Any) -> Letter:
    """A reference to an uploaded letter."""
    facts = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "filename": "letter.pdf",
        "media_type": "application/pdf",
        "size": len(data),
    }
    return Letter(**facts | changes)


def checked(**changes: Any) -> CheckedLetter:
    """A letter with its verdict."""
    plain = letter()
    facts = {**plain.model_dump(), "letter_id": letter_id(REQUEST_ID, plain.sha256), "pages": 1}
    return CheckedLetter(**facts | changes)


def form(**changes: Any) -> Form:
    """A form that is filled in right."""
    facts = {
        "line_of_business": "group-medical",
        "account_number": "041872",
        "account_name": "Harbor & Pine Woodworks, Inc.",
        "effective_date": "2027-01-01",
        "comments": "Please hurry.",
    }
    return {name: value for name, value in (facts | changes).items() if value is not None}


def submission(**changes: Any) -> Submission:
    """An accepted request."""
    facts = {
        "request_id": REQUEST_ID,
        "request_type": "group-por-change",
        "producer": PRODUCER,
        "form": form(),
        "letters": (letter(),),
        "fingerprint": "a" * 64,
        "received_at": MOMENT,
    }
    return Submission(**facts | changes)


def submitted(data: Submission | None = None) -> RequestSubmitted:
    """The event of an accepted request."""
    data = data or submission()
    return RequestSubmitted(
        id=event_id(data.request_id, "por.request.submitted.v2"),
        source="/por-desk/intake",
        subject=str(data.request_id),
        time=MOMENT,
        data=data,
    )


def opened(**facts: Any) -> TicketOpened:
    """The event of a ticket that has its number."""
    return TicketOpened(**_ticket_envelope(1), data=TicketFacts(**_facts(**facts)))


def address_given() -> AddressGiven:
    """The event of whom to write to about a request."""
    return AddressGiven(
        id=event_id(REQUEST_ID, "por.address.given.v1"),
        source="/por-desk/tickets",
        subject=str(REQUEST_ID),
        time=MOMENT,
        data=Address(request_id=REQUEST_ID, producer=PRODUCER),
    )


def moved(**facts: Any) -> TicketStatusChanged:
    """The event of a ticket that moved from Received."""
    facts = {"previous_status": Status.RECEIVED, "status": Status.IN_REVIEW, **facts}
    return TicketStatusChanged(**_ticket_envelope(2), data=StatusChange(**_facts(**facts)))


def letter_added(**facts: Any) -> TicketLetterAdded:
    """The event of a further letter."""
    data = LetterAddition(**_facts(**facts), letter_id=checked().letter_id)
    return TicketLetterAdded(**_ticket_envelope(3), data=data)


def message_added(**facts: Any) -> TicketMessageAdded:
    """The event of words to the producer."""
    return TicketMessageAdded(**_ticket_envelope(4), data=TicketFacts(**_facts(has_message=True, **facts)))


def worked(**facts: Any) -> TicketWorked:
    """The event of what staff does among itself."""
    return TicketWorked(**_ticket_envelope(5), data=StaffAct(**_facts(act=Act.CLAIMED, **facts)))


def written(event: TicketEvent, text: str = "Please call us.") -> MessageWritten:
    """The words that belong to a ticket's event."""
    return MessageWritten(
        id=event_id(event.id, "por.message.written.v1"),
        source="/por-desk/tickets",
        subject=str(REQUEST_ID),
        time=MOMENT,
        data=WrittenMessage(request_id=REQUEST_ID, event_id=event.id, text=text),
    )


def events() -> tuple[Event, ...]:
    """One event of every type there is."""
    reply = LetterReply(
        request_id=REQUEST_ID, reply_id=uuid4(), producer_id="P1001", letters=(letter(),), received_at=MOMENT
    )
    envelope = {"id": uuid4(), "source": "/por-desk/intake", "subject": str(REQUEST_ID), "time": MOMENT}
    verdicts = LetterVerdicts(submission=submission(), letters=(checked(),))
    operator = {"id": uuid4(), "source": "/por-desk/operations", "subject": "m-1", "time": MOMENT}
    act = ParkingAct(
        message_id="m-1",
        queue="notifier.send-mail",
        reason="smtp-550",
        request_id=str(REQUEST_ID),
        who="ops-1",
        why="corrected",
    )
    return (
        submitted(),
        LetterSubmitted(**envelope, data=reply),
        LetterChecked(**envelope, data=verdicts),
        address_given(),
        opened(),
        moved(),
        letter_added(),
        ParkingReplayed(**operator, data=act),
        ParkingDropped(**operator, data=act),
        message_added(),
        worked(),
        written(message_added()),
    )


def _facts(**changes: Any) -> dict[str, Any]:
    return {
        "ticket_number": NUMBER,
        "request_id": REQUEST_ID,
        "request_type": "group-por-change",
        "producer_id": PRODUCER.producer_id,
        "status": Status.RECEIVED,
        **changes,
    }


def _ticket_envelope(sequence: int) -> dict[str, Any]:
    return {
        "id": event_id(f"{REQUEST_ID}#{sequence}", "test"),
        "source": "/por-desk/tickets",
        "subject": NUMBER,
        "time": MOMENT,
        "sequence": str(sequence),
    }
