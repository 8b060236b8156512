"""Every type of request on its way through the four services, and what holds and private fields do to it."""

import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.intake import holds as holding
from services.intake.catalogue import load_catalogue
from services.intake.sealing import KeptRequest
from shared.contracts.custody import form_key
from tests.builders import encrypted_pdf, pdf
from tests.flow.world import World, desk
from tests.identity import STAFF_SCOPE, field_keys

CATALOGUE = load_catalogue(None, "Producer Portal")
EFT = CATALOGUE.types["eft-info"]
ROUTING, ACCOUNT = EFT.example["routing_number"], EFT.example["bank_account_number"]
BANK_SCOPE = f"{STAFF_SCOPE} bank:read"

ROOT = Path(__file__).parents[2]
MESSAGES = ROOT / "tests/contract/messages"
HOLD = '[[holds]]\ntext = "Closed."\neffect = "{}"\nrequest_types = ["group-por-change"]\nfrom = 2026-01-01T00:00:00Z\n'

DOCUMENTED = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs/request-types.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def holds(tmp_path: Path) -> Path:
    """A file of holds that has none."""
    path = tmp_path / "holds.toml"
    path.write_text("holds = []\n")
    return path


@pytest.fixture
async def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holds: Path) -> AsyncIterator[World]:
    """A desk that reads that file."""
    async with desk(tmp_path, monkeypatch, holds_file=holds) as running:
        yield running


def put_on_hold(path: Path, effect: str) -> None:
    """Let changes of the producer of record be on hold."""
    path.write_text(HOLD.format(effect))


def example(code: str) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    """A form of a type, and its files."""
    kind = CATALOGUE.types[code]
    files = [(kind.document.part, pdf())] if kind.document else []
    return {"request_type": code, **kind.example}, files


@pytest.mark.parametrize("code", CATALOGUE.types)
async def test_each_of_the_nine_goes_to_its_ticket(world: World, code: str) -> None:
    """A form of each type, with the files it asks for, becomes a ticket under its name, and the producer is mailed."""
    answer = await world.send(*example(code))
    assert answer.status_code == 201, answer.text
    ticket = await world.ticket(answer.json()["ticket_number"])
    kind = CATALOGUE.types[code]
    assert (ticket["request_type"], ticket["request_type_label"]) == (code, kind.name)
    assert set(ticket["form"]) == {field.name for field in kind.fields if not field.same_as}
    assert len(ticket["letters"]) == (kind.document is not None)
    [mail] = world.mails
    text = mail.get_body(("plain",))
    assert text is not None
    assert kind.name in text.get_content()
    assert world.parked == world.delayed == []


async def test_a_portal_reads_all_it_needs_for_a_form(world: World) -> None:
    """The catalogue has each form's fields in order with words and choices, its files, and how to help oneself."""
    async with world.client("") as nobody:
        items = (await nobody.get("/v1/request-types")).json()["items"]
    entries = {each["request_type"]: each for each in items}
    assert list(entries) == list(CATALOGUE.types)
    for code, kind in CATALOGUE.types.items():
        assert [each["name"] for each in entries[code]["layout"]] == list(entries[code]["fields"]["properties"])
        assert [each["part"] for each in entries[code]["documents"]] == ([kind.document.part] if kind.document else [])
    change, transfer = entries["group-por-change"], entries["book-transfer"]
    assert (change["title"], change["letter_part"]) == ("Group Producer of Record Change", "por_documentation")
    assert change["layout"][0]["choices"]["individual-under-65"] == "Individual under 65"
    assert [each["effect"] for each in change["notices"]] == ["park"]
    assert [each["label"] for each in transfer["layout"][-1]["columns"]] == [
        *("Account Number", "Account Name", "Effective Date"),
    ]
    assert [each["name"] for each in entries["eft-info"]["layout"] if each["private"]] == list(EFT.private_fields)
    assert "Forgot Password" in entries["portal-password"]["self_service"]


async def test_a_list_may_be_a_file_or_text(world: World) -> None:
    """The accounts of a transfer are the same rows, typed into the form or sent as a file."""
    fields, files = example("book-transfer")
    typed = await world.send(fields, files)
    accounts = fields.pop("accounts").encode()
    sent = await world.send(fields, [("accounts", accounts), *files])
    assert (typed.status_code, typed.json()) == (201, sent.json()), "the same request, under the same key"
    form = (await world.ticket(typed.json()["ticket_number"]))["form"]
    assert [row["account_number"] for row in form["accounts"]] == ["041872", "041873"]


async def test_a_list_with_a_wrong_row_is_not_accepted(world: World) -> None:
    """A transfer with one wrong account is refused as a whole, with that row's verdict, and nothing is kept."""
    fields, files = example("book-transfer")
    answer = await world.send({**fields, "accounts": "account_number,account_name\n41872,Harbor\n"}, files)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["row"], error["pointer"]) == (2, "#/accounts/0/account_number")
    assert world.objects.kept == {}


async def test_files_are_told_where_they_belong(world: World) -> None:
    """A type that takes no file says so, one that asks for one misses it, and one of another type is not taken."""
    asked = [
        ("contact-info", [("por_documentation", pdf())], ("#/por_documentation/0", "no-file-here")),
        ("eo-coverage", [], ("#/eo_certificate", "missing")),
        ("eo-coverage", [("eo_certificate", pdf()), ("por_documentation", pdf())], ("#/por_documentation/0",)),
        (
            "eo-coverage",
            [("eo_certificate", pdf()), ("eo_certificate", pdf())],
            ("#/eo_certificate/1", "duplicate-file"),
        ),
    ]
    for code, files, expected in asked:
        answer = await world.send(example(code)[0], files)
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert (error["pointer"], error["code"])[: len(expected)] == expected
    unknown = await world.send(example("contact-info")[0], [("holiday_photo", pdf())])
    assert unknown.status_code == 400
    optional = await world.send(example("commission-dispute")[0])
    assert optional.status_code == 201, "a dispute needs no file"


async def test_bank_details_are_for_staff_who_may_read_them(world: World) -> None:
    """Digits and voided check are read by their scope alone; the ticket, the bus and the store have a mask."""
    answer = (await world.send(*example("eft-info"))).json()
    ticket = await world.ticket(answer["ticket_number"])
    assert ticket["form"]["bank_account_number"] == "ends in 6789"
    private, letter = f"/v1/requests/{answer['request_id']}/private-fields", ticket["letters"][0]["letter_id"]
    tokens = {
        "producer": world.provider.token(),
        "with a scope too many": world.provider.token(scope="requests:write tickets:read bank:read"),
        "staff": world.provider.staff(),
        "bank staff": world.provider.staff(BANK_SCOPE),
    }
    found = {}
    for who, token in tokens.items():
        async with world.client(token) as client:
            found[who] = [(await client.get(path)).status_code for path in (private, f"/v1/letters/{letter}")]
    assert found == {
        "producer": [403, 200],
        "with a scope too many": [403, 200],
        "staff": [403, 404],
        "bank staff": [200, 200],
    }
    async with world.client(tokens["bank staff"]) as client:
        read = await client.get(private)
    assert read.json()["fields"] == {"routing_number": ROUTING, "bank_account_number": ACCOUNT}
    assert read.headers["cache-control"] == "no-store"
    sealed = KeptRequest.model_validate_json(world.objects.kept[form_key(answer["request_id"])]).sealed
    seen = b"".join([*(each.body for each in world.passed), str(world.tickets.tickets).encode()])
    assert [each for each in (ROUTING, ACCOUNT, *sealed.values()) if each.encode() in seen] == []


async def test_a_further_voided_check_is_private_too(world: World) -> None:
    """A letter that follows on a ticket with bank details is read by the same staff."""
    number = (await world.send(*example("eft-info"))).json()["ticket_number"]
    async with world.client(world.provider.token()) as producer:
        files = {"bank_documentation": ("better.pdf", encrypted_pdf())}
        assert (await producer.post(f"/v1/tickets/{number}/letters", files=files)).status_code == 202
    letter = (await world.ticket(number))["letters"][1]["letter_id"]
    statuses = []
    for scope in (STAFF_SCOPE, BANK_SCOPE):
        async with world.client(world.provider.staff(scope)) as staff:
            statuses.append((await staff.get(f"/v1/letters/{letter}")).status_code)
    assert statuses == [404, 200]


async def test_a_further_letter_of_a_type_that_is_gone_is_private(world: World) -> None:
    """Where the catalogue does not know a ticket's type any more, its letters are for who may read bank details."""
    number = (await world.send(*example("eft-info"))).json()["ticket_number"]
    [ticket] = world.tickets.tickets.values()
    ticket["request_type"] = "a-type-of-old"
    async with world.client(world.provider.token()) as producer:
        files = {"por_documentation": ("voided check.pdf", encrypted_pdf(), "application/pdf")}
        sent = await producer.post(f"/v1/tickets/{number}/letters", files=files)
    assert sent.status_code == 202, sent.text
    async with world.client(world.provider.staff()) as staff:
        assert (await staff.get(f"/v1/letters/{sent.json()['letter_ids'][0]}")).status_code == 404


async def test_a_request_without_private_fields_has_none_to_show(world: World) -> None:
    """For a request of another type, and for one that there is not, the answer is 404."""
    request_id = (await world.post()).json()["request_id"]
    async with world.client(world.provider.staff(BANK_SCOPE)) as staff:
        for each in (request_id, "7b0f4f3e-7f0a-4f5e-9a58-3f3a3d1c9a11"):
            assert (await staff.get(f"/v1/requests/{each}/private-fields")).status_code == 404


async def test_private_fields_of_another_request_are_not_shown(world: World) -> None:
    """Of two requests under one key, by two gateways at once, the parked one is not shown beside the other's ticket."""
    form, files = example("eft-info")
    request_id = (await world.send(form, files)).json()["request_id"]
    key = form_key(request_id)
    ours = world.objects.kept.pop(key)  # as if this gateway, too, had looked before the other had kept anything
    theirs = {**form, "bank_account_number": "998877665544", "bank_account_number_again": "998877665544"}
    answer = await world.send(theirs, files)
    assert (answer.json()["request_id"], [each.headers["por-reason"] for each in world.parked]) == (
        request_id,
        ["key-reused"],
    )
    path = f"/v1/requests/{request_id}/private-fields"
    async with world.client(world.provider.staff(BANK_SCOPE)) as staff:
        refused = await staff.get(path)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:por-desk:problem:form-of-another")
        assert "fields" not in refused.json()
        world.objects.kept[key] = ours
        assert (await staff.get(path)).json()["fields"]["bank_account_number"] == ACCOUNT
        world.tickets.tickets.clear()
        assert (await staff.get(path)).status_code == 404, "beside no ticket either"


async def test_without_its_key_a_request_is_not_lost(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the key file lacks the key, who reads or sends again is told that it does not help, and the log why."""
    request_id = (await world.send(*example("eft-info"))).json()["request_id"]
    other = tmp_path / "other"
    other.mkdir()
    async with desk(tmp_path, monkeypatch, field_keys_file=field_keys(other)) as without:
        without.objects.kept, without.tickets.tickets = world.objects.kept, world.tickets.tickets
        async with without.client(without.provider.staff(BANK_SCOPE)) as staff:
            answers = [await staff.get(f"/v1/requests/{request_id}/private-fields")]
        answers.append(await without.send(*example("eft-info")))
        for answer in answers:
            assert (answer.status_code, answer.json()["type"]) == (500, "urn:por-desk:problem:field-key-missing")
            assert "retry-after" not in answer.headers
        paths = without.apps["intake"].openapi()["paths"]
        assert "500" in paths["/v1/requests"]["post"]["responses"]
        assert "500" in paths["/v1/requests/{request_id}/private-fields"]["get"]["responses"]
    said = capsys.readouterr().out
    assert said.count("a key that they need is not in POR_FIELD_KEYS_FILE") == 2
    assert "unexpected error" not in said


async def test_the_shipped_hold_parks_under_65(world: World) -> None:
    """A change for an individual under 65 opens On hold, with the notice on the ticket, in the answer and in a mail."""
    answer = await world.post(line_of_business="individual-under-65")
    text = "At this time, there is a hold on under 65 Producer of Record transfer requests."
    assert (answer.status_code, answer.json()["notices"]) == (201, [text])
    ticket = await world.ticket(answer.json()["ticket_number"])
    assert (ticket["status"], ticket["history"][0]["comment"]) == ("on-hold", text)
    assert ticket["history"][0]["reason"] == "under-65-hold"
    [mail] = world.mails
    assert mail["Subject"] == f"{ticket['ticket_number']}: On hold"
    [opened] = world.on_the_bus("ticket.opened")
    assert text not in opened.body.decode()


async def test_a_hold_that_refuses_keeps_nothing_and_spares_retries(held: World, holds: Path) -> None:
    """A refused post is 409 with the notice; what was accepted before the hold is answered as ever."""
    accepted = await held.post(key="before")
    put_on_hold(holds, "refuse")
    kept = dict(held.objects.kept)
    refused = await held.post(key="after")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:por-desk:problem:on-hold")
    assert refused.json()["detail"] == "Closed."
    assert held.objects.kept == kept
    assert (await held.post(key="before")).json() == accepted.json()


async def test_a_hold_that_warns_lets_through(held: World, holds: Path) -> None:
    """The catalogue shows the notice, the answer of the post has it, also a retry's, and the ticket is as any other."""
    put_on_hold(holds, "warn")
    async with held.client(held.provider.token()) as client:
        items = (await client.get("/v1/request-types")).json()["items"]
    notices = {each["request_type"]: [notice["text"] for notice in each["notices"]] for each in items}
    assert notices == {code: ["Closed."] if code == "group-por-change" else [] for code in CATALOGUE.types}
    answers = [await held.post(), await held.post()]
    assert [each.json()["notices"] for each in answers] == [["Closed."]] * 2
    assert (await held.ticket(answers[0].json()["ticket_number"]))["status"] == "received"


async def test_a_refused_letter_on_hold_waits_too(held: World, holds: Path) -> None:
    """A hold parks also what has a letter that cannot be read; the letter shows its fault."""
    put_on_hold(holds, "park")
    ticket = await held.ticket((await held.post(encrypted_pdf())).json()["ticket_number"])
    assert (ticket["status"], ticket["letters"][0]["fault"]) == ("on-hold", "letter-encrypted")


async def test_a_tenth_type_is_one_file(tmp_path: Path, holds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the documentation shows is all it takes: it is in the menu, and its form becomes a ticket."""
    folder = tmp_path / "request_types"
    folder.mkdir()
    (folder / "name-badge.toml").write_text(DOCUMENTED[0])
    async with desk(tmp_path, monkeypatch, request_types=folder, holds_file=holds) as world:
        async with world.client(world.provider.token()) as client:
            [entry] = (await client.get("/v1/request-types")).json()["items"]
        assert (entry["label"], entry["letter_part"]) == ("Ask for a name badge", "badge_photo")
        form = {"request_type": "name-badge", "badge_name": "Dana", "color": "green"}
        wrong = await world.send({**form, "badge_name": "x" * 31, "color": "red"})
        assert [each["pointer"] for each in wrong.json()["errors"]] == ["#/badge_name", "#/color"]
        answer = await world.send(form, [("badge_photo", pdf())])
        ticket = await world.ticket(answer.json()["ticket_number"])
        assert (ticket["request_type_label"], len(ticket["letters"])) == ("Name Badge", 1)
        assert ticket["form"] == {"badge_name": "Dana", "color": "green"}


def test_the_hold_that_is_documented_is_the_one_that_is_shipped() -> None:
    """The documentation shows the shipped file of holds, and beside it how a hold is given an end."""
    [shown] = tomllib.loads(DOCUMENTED[1])["holds"]
    [shipped] = tomllib.loads(holding.SHIPPED.read_text())["holds"]
    assert shown.pop("until") > shipped["from"]
    assert shown == shipped


async def test_a_request_of_the_version_before_opens_its_ticket(world: World) -> None:
    """A message that was parked before the catalogue came is worked off as ever when it is replayed."""
    await world.publish((MESSAGES / "por.request.submitted.v1.json").read_bytes(), "request.submitted")
    [waiting] = world.delayed
    assert waiting.headers["por-queue"] == "documents.check-letter", "its letter is not in this store"
    await world.publish((MESSAGES / "por.letter.checked.v1.json").read_bytes(), "letter.checked")
    [ticket] = world.tickets.tickets.values()
    assert (ticket["request_type"], ticket["form"]["account_number"]) == ("group-por-change", "041872")
    detail = await world.ticket(ticket["number"])
    assert detail["request_type_label"] == "Group Producer of Record Change"
    assert len(world.mails) == 1


async def test_a_retry_of_a_request_of_the_version_before_is_one(world: World) -> None:
    """A form that was kept before the catalogue is the same request under the same key, and no other is."""
    first = (await world.post()).json()
    key = form_key(first["request_id"])
    old = KeptRequest.model_validate_json(world.objects.kept[key]).model_dump(mode="json")
    for added in ("sealed", "notices", "request_type_label"):
        del old[added]
    old |= {"form": {**old["form"], "effective_date": None, "comments": None}, "fingerprint": "0" * 64}
    world.objects.kept[key] = KeptRequest.model_validate(old).model_dump_json(exclude={"sealed"}).encode()
    assert (await world.post()).json() == first
    assert (await world.post(account_number="000001")).status_code == 422
