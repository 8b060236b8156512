"""Further letters through all services, on a broker in memory: whose they are, and what their key stands for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import pytest

from services.intake import reception
from services.intake.catalogue import load_catalogue
from services.intake.waiting import WaitingRoom
from shared.runtime.problems import Problem
from tests.builders import encrypted_pdf, pages, pdf
from tests.flow.world import World

CATALOGUE = load_catalogue(None, "Portal")


async def reply(world: World, token: str, number: str, letter: bytes, key: str | None = None) -> httpx.Response:
    """A further letter, as somebody sends it."""
    async with world.client(token) as client:
        return await client.post(
            f"/v1/tickets/{number}/letters",
            files={"por_documentation": ("better.pdf", letter)},
            headers={"Idempotency-Key": key} if key else {},
        )


async def test_staff_who_is_a_producer_too_sends_letters_for_his_own_tickets_only(world: World) -> None:
    """Who may see a ticket may not for that alone send letters for it: the letter would become his."""
    number = (await world.post()).json()["ticket_number"]
    both = world.provider.token(sub="P9", producer_id="P9", scope="requests:write tickets:read tickets:work")
    answer = await reply(world, both, number, pdf())
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:por-desk:problem:unknown-ticket")
    ticket = await world.ticket(number)
    async with world.client(world.provider.token()) as owner:
        assert (await owner.get(f"/v1/letters/{ticket['letters'][0]['letter_id']}")).status_code == 200


async def test_a_key_stands_for_one_set_of_letters(world: World) -> None:
    """A further letter sent again under its key is on the ticket once; another one under that key is refused."""
    number = (await world.post(encrypted_pdf())).json()["ticket_number"]
    token = world.provider.token()
    first = await reply(world, token, number, pdf(), key="better")
    again = await reply(world, token, number, pdf(), key="better")
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    other = await reply(world, token, number, pages(3), key="better")
    assert (other.status_code, other.json()["type"]) == (422, "urn:por-desk:problem:key-reused")
    assert len((await world.ticket(number))["letters"]) == 2


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("group-por-change", "por_documentation"),
        ("eft-info", "bank_documentation"),
        ("contact-info", "por_documentation"),
    ],
)
async def test_a_letter_that_is_missing_is_missed_where_the_ticket_has_its_own(
    world: World, code: str, part: str
) -> None:
    """An answer without a file is told the part in which the ticket's type has its letters, or that of every ticket."""
    kind = CATALOGUE.types[code]
    files = [(kind.document.part, pdf())] if kind.document else []
    number = (await world.send({"request_type": code, **kind.example}, files)).json()["ticket_number"]
    async with world.client(world.provider.token()) as client:
        answer = await client.post(f"/v1/tickets/{number}/letters", files={"comment": (None, "Here it is.")})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (422, f"#/{part}", "missing")


@pytest.mark.parametrize(
    ("field", "words", "code"),
    [("comments", "Here it is.", "extra-forbidden"), ("comment", "x" * 2001, "string-too-long")],
)
async def test_words_that_would_be_lost_are_refused(world: World, field: str, words: str, code: str) -> None:
    """Words in a field that nobody reads, or more of them than a ticket takes, are an error at their field."""
    number = (await world.post()).json()["ticket_number"]
    async with world.client(world.provider.token()) as client:
        answer = await client.post(
            f"/v1/tickets/{number}/letters", data={field: words}, files={"por_documentation": ("better.pdf", pdf())}
        )
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(f"#/{field}", code)]
    assert len((await world.ticket(number))["letters"]) == 1


async def test_what_was_accepted_is_not_refused_for_want_of_its_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where tickets refuses to tell the number, as when the token ran out while waiting, accepted stays accepted."""

    @contextmanager
    def in_vain(*_: object) -> Iterator[asyncio.Future[None]]:
        yield asyncio.get_running_loop().create_future()

    async def refuse(*_: object) -> None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "invalid-token", "The access token is not valid for this API.")

    monkeypatch.setattr(reception, "ticket_of", refuse)
    monkeypatch.setattr(WaitingRoom, "waiter", in_vain)
    answers = [await world.post(key="late", wait=1) for _ in range(2)]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(202, "accepted")] * 2


async def test_a_key_in_quotes_may_hold_quotes(world: World) -> None:
    """A key is a string as RFC 8941 writes it: with its escapes undone, it is the same key."""
    quoted = (await world.post(key='a\\"b\\\\c')).json()
    assert (await world.post(key='a\\"b\\\\c')).json() == quoted
    assert (await world.post(key='a\\"bc')).json() != quoted
