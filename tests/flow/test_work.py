"""What staff and producer do with one ticket, and what each of them, the bus and the mailbox get to see of it."""

from typing import Any

import httpx

from tests.flow.world import World

NOTE = "Called the group, 555-0100: the signer left."


async def act(
    world: World, number: str, what: str, body: dict[str, Any] | None = None, token: str = ""
) -> httpx.Response:
    """Something done with a ticket, by staff unless another token is given."""
    async with world.client(token or world.provider.staff()) as client:
        return await client.post(f"/v1/tickets/{number}/{what}", json=body)


async def test_what_staff_does_among_itself_stays_there(world: World) -> None:
    """Claims and inner notes have a place in the history, an event without names, and no trace at the producer."""
    number = (await world.open_ticket())["number"]
    assert (await act(world, number, "claim")).status_code == 200
    noted = await act(world, number, "notes", {"audience": "staff", "text": NOTE})
    assert noted.json()["staff"]["producer_name"] == "Dana Whitfield"
    released = (await act(world, number, "assignment", {"assignee": None})).json()
    assert noted.json()["staff"]["assignee"] == "staff-1"
    assert released["staff"]["assignee"] is None
    assert [(item["sequence"], item["act"], item["actor"]) for item in released["history"][1:]] == [
        *((2, "claimed", "staff-1"), (3, "noted", "staff-1"), (4, "released", "staff-1")),
    ]
    events = world.on_the_bus("ticket.worked")
    assert len(events) == 3
    assert all(word not in event.body.decode() for event in events for word in ("staff-1", "555-0100"))
    assert len(world.mails) == 1
    seen = await world.ticket(number)
    assert (seen["staff"], len(seen["history"])) == (None, 1)
    assert not {"staff-1", NOTE} & set(str(seen).split("'"))


async def test_words_to_the_producer_are_in_his_mail_and_on_his_page(world: World) -> None:
    """A note to the producer, and a text in place of a reason's, are mailed and shown, and in no public event."""
    number = (await world.open_ticket())["number"]
    await act(world, number, "notes", {"audience": "producer", "text": "We are on it."})
    move = {"status": "action-needed", "reason": "signature-missing", "message": "Page 2 lacks a signature."}
    assert (await act(world, number, "status", move)).status_code == 200
    written, asked = (mail.get_body(("plain",)) for mail in world.mails[1:])
    assert written is not None
    assert asked is not None
    assert "FROM THE DESK\n\nWe are on it.\n" in written.get_content()
    assert "REASON\n\nPage 2 lacks a signature.\n" in asked.get_content()
    seen = (await world.ticket(number))["history"]
    assert [(item["actor"], item["message"]) for item in seen[1:]] == [
        *(("Carrier staff", "We are on it."), ("Carrier staff", "Page 2 lacks a signature.")),
    ]
    public = [each for each in world.passed if (each.raw_message.routing_key or "").startswith("ticket.")]
    assert not [each for each in public if b"Page 2" in each.body or b"We are on it" in each.body]


async def test_a_mail_waits_for_its_words(world: World) -> None:
    """An event that comes before its words is tried again later, and nothing else is mailed in their place."""
    number = (await world.open_ticket())["number"]
    await act(world, number, "notes", {"audience": "producer", "text": "We are on it."})
    [event], [words] = world.on_the_bus("ticket.message-added"), world.on_the_bus("message.written")
    for known in (world.ledger.messages, world.ledger.sent):
        known.clear()
    mails = len(world.mails)
    await world.publish(event.body, "ticket.message-added", "por.events")
    assert [each.headers["por-queue"] for each in world.delayed] == ["notifier.send-mail"]
    assert len(world.mails) == mails
    await world.publish(words.body, "message.written")
    await world.publish(event.body, "ticket.message-added", "por.events")
    assert len(world.mails) == mails + 1


async def test_a_producer_takes_back_his_own_request_only(world: World) -> None:
    """The owner withdraws, with words and in his name; a stranger's ticket does not exist, also not for staff."""
    number = (await world.open_ticket())["number"]
    stranger = world.provider.token(sub="P2", producer_id="P2")
    both = world.provider.token(producer_id="P2", scope="requests:write tickets:read tickets:work")
    for token in (stranger, both):
        assert (await act(world, number, "withdrawal", {}, token)).status_code == 404
    owner = world.provider.token(sub="dana-7")
    done = (await act(world, number, "withdrawal", {"comment": "Changed their mind."}, owner)).json()
    assert (done["status"], done["history"][-1]["actor"], done["history"][-1]["comment"]) == (
        *("withdrawn", "P1001", "Changed their mind."),
    )
    assert world.mails[-1]["Subject"] == f"{number}: Withdrawn"
    assert (await act(world, number, "withdrawal", {}, owner)).json()["type"].endswith(":ticket-closed")


async def test_a_producer_answers_in_words(world: World) -> None:
    """Asked for more, the owner answers without a letter: staff finds his words, and the ticket in review."""
    number = (await world.open_ticket())["number"]
    asked = await act(world, number, "status", {"status": "action-needed", "reason": "information-missing"})
    assert asked.status_code == 200
    words = {"comment": "You reach me after noon."}
    stranger = world.provider.token(sub="P2", producer_id="P2")
    assert (await act(world, number, "answers", words, stranger)).status_code == 404
    owner = world.provider.token(sub="dana-7")
    done = (await act(world, number, "answers", words, owner)).json()
    assert (done["status"], done["history"][-1]["actor"], done["history"][-1]["comment"]) == (
        *("in-review", "P1001", words["comment"]),
    )
    async with world.client(world.provider.staff()) as staff:
        listed = (await staff.get("/v1/tickets?answered=true")).json()["items"]
    assert [row["ticket_number"] for row in listed] == [number]
    assert [mail["Subject"] for mail in world.mails[1:]] == [f"{number}: Action needed", f"{number}: In review"]
    assert words["comment"] not in str(world.mails[-1])
    again = await act(world, number, "answers", words, owner)
    assert again.json()["type"].endswith(":no-answer-needed")


async def test_producers_have_no_staffs_doors(world: World) -> None:
    """Counts, reasons, staff's filters and acts are 403 for a producer; staff gets them."""
    number = (await world.open_ticket())["number"]
    reads = ("/counts", "/reasons", "?assignee=me", "?contested=true", "?answered=true")
    async with world.client(world.provider.token()) as producer:
        assert [(await producer.get(f"/v1/tickets{path}")).status_code for path in reads] == [403] * 5
        acts = {"claim": None, "assignment": {"assignee": "me"}, "notes": {"audience": "staff", "text": "x"}}
        for what, body in acts.items():
            assert (await producer.post(f"/v1/tickets/{number}/{what}", json=body)).status_code == 403
    async with world.client(world.provider.staff()) as staff:
        reasons = (await staff.get("/v1/tickets/reasons")).json()["items"]
    assert {"signature-missing", "letter-empty"} <= {each["reason"] for each in reasons}


async def test_every_act_heeds_if_match(world: World) -> None:
    """An act on another version than the one that was read is 412, and does nothing."""
    ticket = await world.open_ticket()
    acts: dict[str, Any] = {
        "claim": None,
        "assignment": {"assignee": "staff-2"},
        "notes": {"audience": "producer", "text": "x"},
        "status": {"status": "in-review"},
    }
    async with world.client(world.provider.staff()) as staff:
        for what, body in acts.items():
            path = f"/v1/tickets/{ticket['number']}/{what}"
            assert (await staff.post(path, json=body, headers={"If-Match": '"7"'})).status_code == 412
        assert await world.kept(ticket["_id"]) == ticket
        done = await staff.post(f"/v1/tickets/{ticket['number']}/claim", headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
