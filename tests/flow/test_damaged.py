"""What lies in the object store is not what was put there: everybody is told to come back, and nobody is served it."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest
import structlog

from shared.runtime.objects import ObjectDamaged
from tests.builders import encrypted_pdf, pdf
from tests.flow.world import World

SECRET = "Quartermaine"
NO_LONGER_READ = (b"", b"\xff\xfe", b"no json", b'{"producer": "%s"}' % SECRET.encode())


@pytest.fixture(params=NO_LONGER_READ, ids=["empty", "binary", "no json", "another object"])
def rubbish(request: pytest.FixtureRequest) -> bytes:
    """What an object holds in place of what was put there."""
    found: bytes = request.param
    return found


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What the services log."""
    with structlog.testing.capture_logs() as lines:
        yield lines


def require_come_back(answer: httpx.Response, logged: list[Any], key: str) -> None:
    """An answer that says when to come back, and a line for who runs the desk; neither quotes what is there."""
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:por-desk:problem:unavailable")
    assert "retry-after" in answer.headers
    assert {"event": "object damaged", "key": key, "log_level": "error"} in logged
    assert SECRET not in answer.text + str(logged)


async def test_a_form_that_is_damaged(world: World, rubbish: bytes, logged: list[Any]) -> None:
    """Its retry, and the question what has become of it, are 503."""
    request_id = (await world.post()).json()["request_id"]
    key = f"requests/{request_id}/request.json"
    world.objects.kept[key] = rubbish
    require_come_back(await world.post(), logged, key)
    world.tickets.tickets.clear()
    logged.clear()
    async with world.client(world.provider.token()) as client:
        require_come_back(await client.get(f"/v1/requests/{request_id}"), logged, key)
    logged.clear()
    async with world.client(world.provider.staff(scope="tickets:work bank:read")) as staff:
        require_come_back(await staff.get(f"/v1/requests/{request_id}/private-fields"), logged, key)


async def test_a_list_of_further_letters_that_is_damaged(world: World, rubbish: bytes, logged: list[Any]) -> None:
    """Their retry is 503."""
    ticket = await world.open_ticket()
    key = f"requests/{ticket['_id']}/replies/{uuid5(ticket['_id'], 'better')}.json"
    world.objects.kept[key] = rubbish
    async with world.client(world.provider.token()) as client:
        answer = await client.post(
            f"/v1/tickets/{ticket['number']}/letters",
            files={"por_documentation": ("better.pdf", encrypted_pdf())},
            headers={"Idempotency-Key": "better"},
        )
    require_come_back(answer, logged, key)


async def read_letter(world: World, damage: Callable[[str], None]) -> tuple[httpx.Response, str]:
    """A letter that is asked for after its objects were damaged, and its key."""
    ticket = await world.open_ticket()
    letter_id = ticket["letters"][0]["letter_id"]
    request_id, sha256 = letter_id.split(".")
    key = f"requests/{UUID(request_id)}/{sha256}"
    damage(key)
    async with world.client(world.provider.token()) as client:
        return await client.get(f"/v1/letters/{letter_id}"), key


async def test_a_receipt_that_is_damaged(world: World, rubbish: bytes, logged: list[Any]) -> None:
    """Its letter is 503."""
    answer, key = await read_letter(world, lambda key: world.objects.kept.update({f"{key}.receipt.json": rubbish}))
    require_come_back(answer, logged, f"{key}.receipt.json")


@pytest.mark.parametrize("data", [pdf() + b"\0", pdf()[:-1], b""], ids=["longer", "shorter", "empty"])
async def test_a_letter_of_another_size(world: World, data: bytes, logged: list[Any]) -> None:
    """It is 503, and no byte of it is served."""
    answer, key = await read_letter(world, lambda key: world.objects.kept.update({key: data}))
    require_come_back(answer, logged, key)


async def test_a_letter_with_other_bytes(world: World, logged: list[Any]) -> None:
    """Of as many bytes as it had it is not served to its end, so that nobody takes it for whole."""
    with pytest.raises(ObjectDamaged):  # the answer has begun, and breaks off: tests/e2e/test_further_letter.py
        await read_letter(world, lambda key: world.objects.kept.update({key: bytes(len(pdf()))}))
    assert next(each["event"] for each in logged if each["log_level"] == "error") == "object damaged"
