"""A request's way through all four services, on a broker in memory (which proves the flow, not its reliability)."""

import pytest

from services.tickets.numbers import is_well_formed
from shared.contracts.letters import LetterFault
from shared.contracts.requests import RequestSubmitted
from shared.contracts.tickets import StaffReason
from tests.builders import NUMBER, address_given, encrypted_pdf, opened, pdf, submitted
from tests.flow.world import World


async def test_a_letter_becomes_a_ticket_and_a_mail(world: World) -> None:
    """A posted letter is answered with its number, is on the ticket, and the producer is mailed once."""
    answer = await world.post()
    assert answer.status_code == 201, answer.text
    number = answer.json()["ticket_number"]
    assert is_well_formed(number)
    ticket = await world.ticket(number)
    assert (ticket["status"], ticket["form"]["account_number"]) == ("received", "041872")
    [letter] = ticket["letters"]
    assert (letter["pages"], letter["size"]) == (1, len(pdf()))
    [mail] = world.mails
    assert mail["Subject"] == f"{number}: Received"
    assert mail["To"].addresses[0].addr_spec == "p1001@agency.example"
    assert world.parked == world.delayed == []


async def test_the_letter_comes_back_byte_for_byte(world: World) -> None:
    """The producer gets the bytes he sent, through the gateway, as an attachment."""
    ticket = await world.ticket((await world.post()).json()["ticket_number"])
    async with world.client(world.provider.token()) as client:
        answer = await client.get(f"/v1/letters/{ticket['letters'][0]['letter_id']}")
    assert answer.content == pdf()
    assert answer.headers["content-disposition"].startswith("attachment;")


async def test_somebody_elses_is_unknown(world: World) -> None:
    """Another producer finds neither request, ticket nor letter."""
    state = (await world.post()).json()
    letter = (await world.ticket(state["ticket_number"]))["letters"][0]["letter_id"]
    async with world.client(world.provider.token(sub="P2", producer_id="P2")) as other:
        for path in (f"requests/{state['request_id']}", f"tickets/{state['ticket_number']}", f"letters/{letter}"):
            assert (await other.get(f"/v1/{path}")).status_code == 404
        assert (await other.get("/v1/tickets")).json()["total"] == 0


async def test_an_encrypted_letter_opens_a_ticket_that_asks_for_another(world: World) -> None:
    """What was accepted does not disappear: the ticket needs action, and ticket and mail say why."""
    number = (await world.post(encrypted_pdf("secret"))).json()["ticket_number"]
    ticket = await world.ticket(number)
    assert ticket["status"] == "action-needed"
    assert ticket["history"][0]["reason"] == "letter-encrypted"
    [mail] = world.mails
    assert mail["Subject"] == f"{number}: Action needed"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "password-protected" in body.get_content()


async def test_a_refused_letter_is_for_staff_only(world: World) -> None:
    """A letter in quarantine is served to staff, who must judge it, and to no producer."""
    ticket = await world.ticket((await world.post(encrypted_pdf())).json()["ticket_number"])
    path = f"/v1/letters/{ticket['letters'][0]['letter_id']}"
    async with world.client(world.provider.token()) as producer, world.client(world.provider.staff()) as staff:
        assert [(await caller.get(path)).status_code for caller in (producer, staff)] == [404, 200]


async def test_a_redelivered_request_changes_nothing(world: World) -> None:
    """The same request.submitted three times is one ticket, one event (said again under its id) and one mail."""
    await world.post()
    [submitted] = world.on_the_bus("request.submitted")
    for _ in range(2):
        await world.publish(submitted.body, "request.submitted")
    assert len(world.on_the_bus("letter.checked")) == 3
    assert len({each.message_id for each in world.on_the_bus("letter.checked")}) == 1
    assert len({each.message_id for each in world.on_the_bus("ticket.opened")}) == 1
    assert len(world.tickets.tickets) == len(world.mails) == 1
    assert world.parked == []


async def test_a_redelivered_ticket_event_sends_no_second_mail(world: World) -> None:
    """The ledger knows which event was mailed."""
    await world.post()
    [opened] = world.on_the_bus("ticket.opened")
    await world.publish(opened.body, "ticket.opened", "por.events")
    assert len(world.mails) == 1


async def test_the_same_post_again_gives_the_same_number(world: World) -> None:
    """A retry under the same key finds the ticket; another form under that key is 422."""
    first, again, other = await world.post(), await world.post(), await world.post(account_number="000001")
    assert first.json() == again.json()
    assert (other.status_code, other.json()["type"]) == (422, "urn:por-desk:problem:key-reused")
    assert len(world.tickets.tickets) == len(world.mails) == 1


async def test_a_key_reused_at_the_same_moment_is_parked(world: World) -> None:
    """Where two requests slip in under one key, the first has the ticket and the other waits in the parking lot."""
    number = (await world.post()).json()["ticket_number"]
    [first] = world.on_the_bus("request.submitted")
    event = RequestSubmitted.model_validate_json(first.body)
    other = event.data.model_copy(update={"fingerprint": "b" * 64})
    await world.publish_event(event.model_copy(update={"data": other}))
    [parked] = world.parked
    assert parked.headers["por-reason"] == "key-reused"
    assert parked.headers["por-queue"] == parked.raw_message.routing_key == "tickets.open-ticket"
    assert [each["number"] for each in world.tickets.tickets.values()] == [number]
    assert len(world.mails) == 1


@pytest.mark.parametrize("body", [b"no json", b"{}", b'{"type": "por.request.submitted.v2"}', b"\xff", b""])
async def test_an_unreadable_body_is_parked(world: World, body: bytes) -> None:
    """What cannot be read is parked at once, as it came, and is not tried again."""
    await world.publish(body, "request.submitted")
    [parked] = world.parked
    assert parked.headers["por-queue"] == "documents.check-letter"
    assert parked.headers["por-reason"] == "unreadable"
    assert parked.body == body
    assert world.delayed == []
    assert world.tickets.tickets == {}


async def test_a_mail_waits_for_its_address(world: World) -> None:
    """Where the ticket's event overtakes the address, the mail waits in the first tier and goes out after it."""
    await world.publish_event(opened())
    [waiting] = world.delayed
    assert (waiting.headers["por-queue"], waiting.headers["por-attempt"]) == ("notifier.send-mail", 1)
    assert world.mails == []
    await world.publish_event(address_given())
    await world.publish(waiting.body, "ticket.opened", "por.events")
    assert [mail["Subject"] for mail in world.mails] == [f"{NUMBER}: Received"]


async def test_an_address_that_came_with_the_request_is_known(world: World) -> None:
    """What an earlier version sent, and waits in the queue or is parked, is read."""
    await world.publish(submitted().model_dump_json().encode(), "address.given")  # the queue's one key in memory
    await world.publish_event(opened())
    assert [mail["Subject"] for mail in world.mails] == [f"{NUMBER}: Received"]


async def test_a_mail_waits_for_its_server(world: World) -> None:
    """While SMTP is away the request is answered all the same and the mail comes later, once."""
    world.smtp_is_up = False
    assert (await world.post()).status_code == 201
    [waiting] = world.delayed
    world.smtp_is_up = True
    for _ in range(2):
        await world.publish(waiting.body, "ticket.opened", "por.events")
    assert len(world.mails) == 1


async def test_staff_takes_a_ticket_to_its_end(world: World) -> None:
    """Each move through the gateway is an event with the next sequence and a mail; what is closed leaves the list."""
    number = (await world.post()).json()["ticket_number"]
    async with world.client(world.provider.staff()) as staff:
        for status in ("in-review", "approved", "resolved"):
            moved = await staff.post(f"/v1/tickets/{number}/status", json={"status": status})
            assert (moved.status_code, moved.json()["status"]) == (200, status)
        illegal = await staff.post(f"/v1/tickets/{number}/status", json={"status": "received"})
        assert (illegal.status_code, illegal.json()["allowed_moves"]) == (409, [])
        assert (await staff.get("/v1/tickets")).json()["total"] == 0
        assert (await staff.get("/v1/tickets?state=closed")).json()["total"] == 1
    assert [mail["Subject"] for mail in world.mails] == [
        f"{number}: {label}" for label in ("Received", "In review", "Approved", "Resolved")
    ]
    assert [item["sequence"] for item in (await world.ticket(number))["history"]] == [1, 2, 3, 4]


async def test_a_move_is_made_where_any_tag_of_if_match_is_the_tickets(world: World) -> None:
    """A list with the ticket's ETag, or *, moves the ticket; one without it is 412, and what is no list is 400."""
    number = (await world.post()).json()["ticket_number"]
    cases = [
        ('"abc"', 412),
        ('W/"1"', 412),
        ('"2", "01"', 412),
        ("1", 400),
        ('"7", W/"1", "1"', 200),
        ("*", 200),
    ]
    async with world.client(world.provider.staff()) as staff:
        for status, (if_match, expected) in zip(["in-review"] * 5 + ["approved"], cases, strict=True):
            answer = await staff.post(
                f"/v1/tickets/{number}/status", json={"status": status}, headers={"If-Match": if_match}
            )
            assert answer.status_code == expected, if_match
    assert (await world.ticket(number))["version"] == 3


async def test_an_unknown_reason_is_one_error_that_names_the_known_ones(world: World) -> None:
    """A reason that is none is pointed at once, as the field that it is, with every code that may stand there."""
    number = (await world.post()).json()["ticket_number"]
    async with world.client(world.provider.staff()) as staff:
        answer = await staff.post(f"/v1/tickets/{number}/status", json={"status": "on-hold", "reason": "mood"})
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("#/reason", "enum")
    assert all(f"'{code}'" in error["detail"] for code in (*StaffReason, *LetterFault))


async def test_a_better_letter_joins_the_ticket(world: World) -> None:
    """A further letter takes the same way, lands on the same ticket and is told to the producer."""
    number = (await world.post(encrypted_pdf())).json()["ticket_number"]
    async with world.client(world.provider.token()) as producer:
        files = {"por_documentation": ("better.pdf", pdf())}
        answer = await producer.post(f"/v1/tickets/{number}/letters", files=files)
    assert answer.status_code == 202, answer.text
    ticket = await world.ticket(number)
    assert [letter["fault"] for letter in ticket["letters"]] == ["letter-encrypted", None]
    assert len(world.on_the_bus("ticket.letter-added")) == 1
    assert ticket["status"] == "in-review"
    [_, mail, moved] = world.mails
    assert (mail["Subject"], moved["Subject"]) == (f"{number}: Action needed", f"{number}: In review")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "No action is needed from you." in body.get_content()
    assert "corrected letter" not in body.get_content()
    assert world.parked == []
