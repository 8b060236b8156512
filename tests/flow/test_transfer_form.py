"""The transfer form through all services: handed out, read in a letter, and shown to staff alone."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import Response

from services.documents.verdict import Verdict
from services.intake.catalogue import load_catalogue
from shared.contracts.letters import LetterFault
from shared.contracts.transfer_forms import FORM, MAX_LINE, VERSION
from tests.builders import pdf
from tests.fixtures.transfer_forms import WHOLE, filled, maker, whole
from tests.flow.doubles import WorkersInProcess
from tests.flow.test_late_letters import reply
from tests.flow.world import World

PATH = f"/v1/forms/{FORM}"


async def form(world: World, **known: str) -> Response:
    """The form, with this in its fields."""
    async with world.client(world.provider.token()) as client:
        return await client.get(PATH, params=known)


async def comparisons(world: World, number: str) -> list[dict[str, Any]]:
    """What staff sees of a ticket's letters as forms."""
    async with world.client(world.provider.staff()) as client:
        detail = (await client.get(f"/v1/tickets/{number}")).json()
    found: list[dict[str, Any]] = detail["staff"]["forms"]
    return found


async def test_the_form_is_handed_out_as_a_file(world: World) -> None:
    """It is a PDF to keep, with a tag of its version and values; the day is written as people write it."""
    answer = await form(world, effective_date="2027-01-01", new_producer=" Łukasz Żółć ")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="group-por-transfer.pdf"'
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["etag"].startswith(f'"{VERSION}.')
    assert answer.content == maker().make({"effective_date": "01/01/2027", "new_producer": "Łukasz Żółć"})
    empty = await form(world)
    assert (empty.content, empty.headers["etag"] == answer.headers["etag"]) == (maker().make({}), False)


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({"colour": "blue"}, "extra-forbidden"),
        ({"signature": "/s/ Margaret Ellison"}, "extra-forbidden"),
        ({"signed_on": "2026-11-16"}, "extra-forbidden"),
        ({"form_version": "2019-01"}, "extra-forbidden"),
        ({"agency": "x" * (MAX_LINE + 1)}, "string-too-long"),
        ({"reason": "x" * 501}, "string-too-long"),
        ({"signer": "Margaret\nEllison"}, "not-printable"),
        ({"signer": "Margaret \u202enosillE"}, "not-printable"),
        ({"line_of_business": "pets"}, "enum"),
        ({"account_number": "41872"}, "string-pattern-mismatch"),
        ({"effective_date": "01/01/2027"}, "date-format"),
        ({"effective_date": "2027-02-30"}, "no-such-day"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
async def test_what_cannot_be_in_the_form_is_refused(world: World, known: dict[str, str], code: str) -> None:
    """Names that are none, what only the signer may write, and values that a request would not take are each told."""
    answer = await form(world, **known)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:por-desk:problem:invalid-fields")
    [name] = known
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(f"#/{name}", code)]
    assert known[name] not in answer.text


async def test_staff_sees_what_a_letter_says_as_a_form(world: World) -> None:
    """Of each letter of the ticket, in their order, the comparison is there; the producer has nothing of it."""
    number = (await world.post(filled(whole(), {"account_number": "041-873"}))).json()["ticket_number"]
    await reply(world, number, pdf())
    await reply(world, number, whole())
    found = await comparisons(world, number)
    assert [(each["result"], each["version"]) for each in found] == [
        ("differs", VERSION),
        ("not-readable", None),
        ("match", VERSION),
    ]
    mine = await world.ticket(number)
    assert mine["staff"] is None
    assert "041-873" not in str(mine)
    assert WHOLE["signature"] not in str(mine)


async def test_nothing_of_a_form_is_public(world: World) -> None:
    """What stands in a form is in no event that downstream systems hear, and changes no status."""
    number = (await world.post(filled(whole(), {"account_number": "041873"}))).json()["ticket_number"]
    public = [message for kind in ("opened", "letter-added") for message in world.on_the_bus(f"ticket.{kind}")]
    assert len(public) == 1
    assert not [word for word in ("041873", "Ellison", "forms", "differs") if word in public[0].body.decode()]
    assert (await world.ticket(number))["status"] == "received"


async def test_other_requests_are_not_compared(world: World) -> None:
    """The form as the letter of another type is a letter, and nothing is kept of what it says."""
    kind = load_catalogue(None, "Producer Portal").types["eo-coverage"]
    answer = await world.send({"request_type": kind.code, **kind.example}, [("eo_certificate", whole())])
    ticket = await world.kept(UUID(answer.json()["request_id"]))
    assert "forms" not in ticket
    async with world.client(world.provider.staff()) as client:
        assert (await client.get(f"/v1/tickets/{ticket['number']}")).json()["staff"]["forms"] is None


async def test_a_form_with_a_virus_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a refused letter says is not taken from it, though it could be read, and staff is told so."""
    judge = WorkersInProcess.judge

    async def infected(self: WorkersInProcess, data: bytes, sha256: str) -> Verdict:
        return replace(await judge(self, data, sha256), fault=LetterFault.INFECTED)

    monkeypatch.setattr(WorkersInProcess, "judge", infected)
    number = (await world.post(whole())).json()["ticket_number"]
    assert [each["result"] for each in await comparisons(world, number)] == ["not-readable"]


async def test_verdicts_from_before_have_no_forms(world: World) -> None:
    """A verdict of a sender that reads no forms is taken, and nothing is compared."""
    await world.post(whole())
    [sent] = world.on_the_bus("letter.checked")
    old = json.loads(sent.body)
    del old["data"]["forms"]
    old["data"]["submission"]["request_id"] = str(uuid4())
    await world.publish(json.dumps(old).encode(), "letter.checked")
    ticket = await world.kept(UUID(old["data"]["submission"]["request_id"]))
    assert ticket["forms"] == []
    assert await comparisons(world, ticket["number"]) == []
