"""Verdicts that come late, again, or for a letter that was sent again: what the desk makes of each."""

from uuid import UUID, uuid4

import pytest

from services.tickets.history import LETTER_ADDED
from services.tickets.store import Document
from shared.contracts.letters import LetterChecked, LetterVerdicts
from shared.contracts.requests import LetterReply
from tests.builders import MOMENT, PRODUCER, checked, encrypted_pdf, letter, pdf
from tests.flow.world import World


async def reply(world: World, number: str, data: bytes, comment: str = "") -> None:
    """A further letter from the owner of the ticket."""
    async with world.client(world.provider.token()) as client:
        files: dict[str, tuple[str | None, bytes]] = {
            "por_documentation": ("again.pdf", data),
            "comment": (None, comment.encode()),
        }
        answer = await client.post(f"/v1/tickets/{number}/letters", files=files)
    assert answer.status_code == 202, answer.text


async def verdict_of(world: World, request_id: UUID, producer_id: str) -> None:
    """A further letter that intake has let through, with its verdict."""
    data = LetterReply(
        request_id=request_id, reply_id=uuid4(), producer_id=producer_id, letters=(letter(),), received_at=MOMENT
    )
    verdicts = LetterVerdicts(submission=data, letters=(checked(),))
    event = LetterChecked(id=uuid4(), source="/por-desk/documents", subject=str(request_id), time=MOMENT, data=verdicts)
    await world.publish_event(event)


def damage(world: World, patch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let the store give back other bytes for this letter than it was given."""
    get = world.objects.get

    async def damaged(key: str) -> bytes | None:
        found = await get(key)
        return found + b"\0" if found and key.endswith(letter(data).sha256) else found

    patch.setattr(world.objects, "get", damaged)


async def test_a_verdict_that_comes_again_says_again_that_the_ticket_is_open(world: World) -> None:
    """A redelivered letter.checked publishes ticket.opened once more under its id, for whoever waits for the number."""
    await world.post()
    [verdict] = world.on_the_bus("letter.checked")
    await world.publish(verdict.body, "letter.checked")
    first, again = world.on_the_bus("ticket.opened")
    assert (first.message_id, first.body) == (again.message_id, again.body)
    assert len(world.tickets.tickets) == len(world.mails) == 1


@pytest.mark.parametrize("whose", ["a stranger's", "nobody's"])
async def test_a_late_letter_for_what_is_not_his_is_parked(world: World, whose: str) -> None:
    """What intake let through for another's ticket, or for one that is not there, is parked and on no ticket."""
    ticket = await world.open_ticket()
    request_id, producer_id = (ticket["_id"], "P2") if whose == "a stranger's" else (uuid4(), PRODUCER.producer_id)
    await verdict_of(world, request_id, producer_id)
    [parked] = world.parked
    assert (parked.headers["por-reason"], parked.headers["por-queue"]) == ("ticket-unknown", "tickets.open-ticket")
    assert await world.kept(ticket["_id"]) == ticket


async def test_a_letter_for_a_ticket_that_was_closed_meanwhile_is_parked(world: World) -> None:
    """A letter that was let through while the ticket was open, and comes when it is closed, changes it no more."""
    ticket = await world.open_ticket()
    async with world.client(world.provider.staff()) as staff:
        move = {"status": "withdrawn", "reason": "withdrawn-by-producer"}
        assert (await staff.post(f"/v1/tickets/{ticket['number']}/status", json=move)).status_code == 200
    closed = await world.kept(ticket["_id"])
    await verdict_of(world, ticket["_id"], PRODUCER.producer_id)
    [parked] = world.parked
    assert (parked.headers["por-reason"], parked.headers["por-queue"]) == ("ticket-closed", "tickets.open-ticket")
    assert await world.kept(ticket["_id"]) == closed


async def test_a_damaged_letter_that_is_sent_again_is_on_its_ticket(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again, the same bytes take the refused entry's place, with event and mail; a third time changes nothing."""
    with monkeypatch.context() as patch:
        damage(world, patch, pdf())
        ticket = await world.open_ticket()
        assert [each["fault"] for each in ticket["letters"]] == ["letter-damaged"]
        await reply(world, ticket["number"], pdf())
        assert await world.kept(ticket["_id"]) == ticket, "the same verdict again"
    for _ in range(2):
        await reply(world, ticket["number"], pdf())
    detail = await world.ticket(ticket["number"])
    [whole] = detail["letters"]
    assert (whole["fault"], whole["pages"], whole["letter_id"]) == (None, 1, ticket["letters"][0]["letter_id"])
    [_, added, back] = detail["history"]
    assert (added["type"], added["letter_id"]) == ("por.ticket.letter-added.v1", whole["letter_id"])
    assert (back["type"], back["actor"], back["status"]) == ("por.ticket.status-changed.v1", "desk", "in-review")
    assert [len(world.on_the_bus(f"ticket.{kind}")) for kind in ("letter-added", "status-changed")] == [1, 1]
    assert len(world.mails) == 3
    async with world.client(world.provider.token()) as owner:
        assert (await owner.get(f"/v1/letters/{whole['letter_id']}")).content == pdf()


async def test_an_old_verdict_that_comes_again_takes_no_newer_ones_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redelivered letter-damaged changes neither the fault that was found since, nor a letter that is good since."""
    ticket = await world.open_ticket()
    for data, fault in ((encrypted_pdf(), "letter-encrypted"), (pdf() + b"\n%", None)):
        with monkeypatch.context() as patch:
            damage(world, patch, data)
            await reply(world, ticket["number"], data)
        old = world.on_the_bus("letter.checked")[-1]
        await reply(world, ticket["number"], data)
        newer = await world.kept(ticket["_id"])
        assert [entry.get("reason") for entry in _letters(newer)[-2:]] == ["letter-damaged", fault]
        await world.publish(old.body, "letter.checked")
        assert await world.kept(ticket["_id"]) == newer
    assert [each["fault"] for each in newer["letters"]] == [None, "letter-encrypted", None]
    assert world.parked == world.delayed == []


def _letters(ticket: Document) -> list[Document]:
    return [entry for entry in ticket["history"] if entry["type"] == LETTER_ADDED]


async def test_what_is_written_with_a_letter_is_on_the_ticket_once(world: World) -> None:
    """The producer's words come with his letter, also with one that is there already; a redelivery repeats neither."""
    ticket = await world.open_ticket()
    for comment in ("Signed on page 2 now.", "As I said: page 2."):
        await reply(world, ticket["number"], pdf() + b"\n%", comment)
    for verdict in world.on_the_bus("letter.checked")[1:]:
        await world.publish(verdict.body, "letter.checked")
    kept = await world.kept(ticket["_id"])
    assert len(kept["letters"]) == 2
    assert [(entry["comment"], entry["actor"]) for entry in _letters(kept)] == [
        ("Signed on page 2 now.", "P1001"),
        ("As I said: page 2.", "P1001"),
    ]
    assert kept["answered"] is True


async def test_too_many_words_are_refused(world: World) -> None:
    """More than the desk keeps is said at the field, and nothing is taken in."""
    ticket = await world.open_ticket()
    async with world.client(world.provider.token()) as client:
        form: dict[str, tuple[str | None, bytes]] = {
            "por_documentation": ("again.pdf", encrypted_pdf()),
            "comment": (None, b"x" * 2001),
        }
        refused = await client.post(f"/v1/tickets/{ticket['number']}/letters", files=form)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/comment")
    assert await world.kept(ticket["_id"]) == ticket
