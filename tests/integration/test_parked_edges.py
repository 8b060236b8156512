"""The operator's hand where it matters most: many messages, hostile ones, other operators, queues that are gone."""

import io
import json
from functools import partial
from typing import Any

import pytest
import typer
from aio_pika import Message

from shared import topology
from shared.contracts.requests import RequestSubmitted
from shared.runtime.failures import ATTEMPT, PARKED_AT, QUEUE, REASON, Permanent
from tests.fixtures.broker import Vhost
from tests.fixtures.events import submitted
from tests.fixtures.typed import Outcome, typed
from tests.fixtures.wait import eventually_async

WORK = topology.CHECK_LETTER.name


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        """There he sits."""
        return True


async def park(vhost: Vhost, *message_ids: str, body: bytes = b"{}", headers: dict[str, Any] | None = None) -> None:
    """Park messages with these ids and headers."""
    async with vhost.channel() as channel:
        exchange = await channel.get_exchange(topology.DEAD_LETTERS)
        known: Any = {REASON: "key-reused", QUEUE: WORK, ATTEMPT: 0, PARKED_AT: 1_700_000_000}
        for message_id in message_ids:
            message = Message(body, headers={**known, **(headers or {})}, message_id=message_id, delivery_mode=2)
            await exchange.publish(message, "k")


async def listed(environment: dict[str, str], *words: str) -> list[str]:
    """The ids that the list shows."""
    run = await typed(environment, "parked", "list", "--json", *words)
    assert run.returncode == 0, run.stderr
    return [row["message_id"] for row in json.loads(run.stdout)]


async def replayed(environment: dict[str, str], *words: str) -> Outcome:
    """A replay of all."""
    return await typed(environment, "parked", "replay", "--all", "--yes", *words)


async def acts(environment: dict[str, str]) -> list[str]:
    """The messages of which the record tells."""
    run = await typed(environment, "parked", "history", "--json")
    return [act["subject"] for act in json.loads(run.stdout)]


async def test_looking_keeps_the_order_of_many(vhost: Vhost, environment: dict[str, str]) -> None:
    """More messages than the broker keeps in order by chance: after looks of every kind they lie as they lay."""
    ids = [f"m{n}" for n in range(60)]
    await park(vhost, *ids)
    for _ in range(3):
        assert len(await listed(environment)) == 60
        assert (await typed(environment, "queues")).returncode == 0
    assert [message.message_id for message in await vhost.drain(topology.PARKING, 60)] == ids


async def test_what_was_looked_at_is_back_when_the_command_ends(vhost: Vhost, environment: dict[str, str]) -> None:
    """Who looks right after finds everything, however many they are."""
    await park(vhost, *(f"m{n}" for n in range(300)))
    for _ in range(5):
        await listed(environment, "--id", "m1")
        assert await vhost.count(topology.PARKING) == 300


async def test_what_another_holds_is_said(vhost: Vhost, environment: dict[str, str]) -> None:
    """A list that cannot be whole, for somebody else holds a part just now, says so; a replay of all fails."""
    await park(vhost, "a", "b")
    async with vhost.channel() as channel:
        assert await (await channel.get_queue(topology.PARKING)).get()
        run = await typed(environment, "parked", "list")
        assert "Another operator is holding some" in run.stderr
        assert "b" in run.stdout
    await eventually_async(lambda: listed(environment), lambda ids: sorted(ids) == ["a", "b"])


@pytest.mark.parametrize("headers", [{PARKED_AT: 10**15}, {PARKED_AT: "x", ATTEMPT: [], "x-death": [1]}])
async def test_headers_of_any_kind_stop_nothing(
    vhost: Vhost, environment: dict[str, str], headers: dict[str, Any]
) -> None:
    """A moment beyond all calendars, and types that are not ours: listed, shown and dropped as any other."""
    await park(vhost, "m", headers=headers)
    assert await listed(environment) == ["m"]
    assert (await typed(environment, "parked", "show", "m")).returncode == 0
    run = await typed(environment, "parked", "drop", "--all", "--why", "noise", "--yes")
    assert run.stdout == "1 dropped.\n"


async def test_a_list_shows_what_it_is_given_and_obeys_none_of_it(vhost: Vhost, environment: dict[str, str]) -> None:
    """Markup and control characters in a message's properties are text; an id is whole, however narrow the screen."""
    ids = ["[/nothing] is closed", "\x1b[2Jclear", "5b7f4d2e-3a77-4c57-9d0d-3f8f0a1b2c3d"]
    await park(vhost, *ids, headers={REASON: "[red]\x1b[31m"})
    for words in (["parked", "list"], ["parked", "history"]):
        run = await typed(environment, *words, COLUMNS="60")
        assert run.returncode == 0, run.stderr
        assert "\x1b" not in run.stdout
        if words[1] == "list":
            assert ids[0] in run.stdout
            assert ids[2] in run.stdout
            assert "[red]" in run.stdout
        await replayed(environment)


async def test_what_was_not_done_is_not_on_record(vhost: Vhost, environment: dict[str, str]) -> None:
    """Of a queue that is gone, or is no work queue, the message stays, and the record does not say replayed."""
    await park(vhost, "gone", headers={QUEUE: topology.OPEN_TICKET.name})
    await park(vhost, "astray", headers={QUEUE: topology.PARKING})
    await park(vhost, "fine")
    vhost.management.delete_queue(topology.OPEN_TICKET.name)
    run = await replayed(environment)
    assert (run.returncode, run.stdout) == (1, "1 replayed.\n")
    assert sorted(await listed(environment)) == ["astray", "gone"]
    assert await acts(environment) == ["fine"]


async def test_what_is_parked_again_meanwhile_waits_for_the_next_command(
    vhost: Vhost, environment: dict[str, str]
) -> None:
    """A replay of all ends, though each message that it sends back fails at once and is parked anew."""
    tried: list[str] = []

    async def handle(event: RequestSubmitted) -> None:
        tried.append(event.source)
        raise Permanent("key-reused")

    events = [submitted(f"/{n}") for n in range(5)]
    for event in events:
        await park(vhost, str(event.id), body=event.model_dump_json().encode())
    async with vhost.serving(topology.CHECK_LETTER, handle):
        run = await replayed(environment, "--rate", "10")
        assert run.stdout == "5 replayed.\n"
        await eventually_async(partial(listed, environment), lambda ids: len(ids) == 5)
    assert sorted(tried) == [event.source for event in events]


async def test_nothing_is_held_while_a_person_is_asked(
    vhost: Vhost, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question may stay open over lunch: until it is answered everything lies in the parking lot, for all."""
    await park(vhost, "a", "b")
    seen: list[int] = []

    def asked(*_: Any, **__: Any) -> bool:
        queue = f"/queues/{vhost.management._segment}/{topology.PARKING}/get"
        peek = {"count": 9, "ackmode": "ack_requeue_true", "encoding": "auto"}
        seen.append(len(vhost.management._http.post(queue, json=peek).raise_for_status().json()))
        return True

    monkeypatch.setattr(typer, "confirm", asked)
    run = await typed(environment, "parked", "replay", "--all", stdin=Person())
    assert run.returncode == 0, run.stderr
    assert seen == [2]
    assert await vhost.count(topology.PARKING) == 0


async def test_what_found_no_queue_is_put_right_too(vhost: Vhost, environment: dict[str, str]) -> None:
    """A message that came back from a tier for a missing queue is listed as unrouted, and replayed once it is there."""
    vhost.management.delete_queue(WORK)
    async with vhost.channel() as channel:
        message = Message(b"{}", message_id="m", delivery_mode=2, headers={QUEUE: WORK, ATTEMPT: 1})
        await (await channel.get_exchange(topology.REDELIVER)).publish(message, WORK)
    await eventually_async(partial(vhost.count, topology.UNROUTED))
    assert await listed(environment, "--reason", "unrouted", "--queue", WORK) == ["m"]
    bus = vhost.bus()
    await bus.start()  # declares it again
    await bus.stop()
    assert (await replayed(environment)).stdout == "1 replayed.\n"
    assert [message.message_id for message in await vhost.drain(WORK)] == ["m"]
    assert await vhost.count(topology.UNROUTED) == 0
