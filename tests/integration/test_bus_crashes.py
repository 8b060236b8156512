"""A message that kills whoever handles it, on a real broker: only it is parked."""

import subprocess
import sys
from pathlib import Path
from typing import cast

from shared import topology
from tests.fixtures.broker import Vhost
from tests.fixtures.events import submitted
from tests.fixtures.poisoned import POISON, PREFETCH
from tests.fixtures.wait import eventually_async

INNOCENTS = 30


async def test_only_the_poison_is_parked_and_all_innocents_are_done(vhost: Vhost, tmp_path: Path) -> None:
    """A consumer that one message kills again and again ends up without it, and without harm to its neighbours."""
    poison = submitted(POISON)
    innocents = [submitted(f"/innocent/{n}") for n in range(INNOCENTS)]
    bus = vhost.bus()
    await bus.start()
    for event in [*innocents[: PREFETCH // 2], poison, *innocents[PREFETCH // 2 :]]:
        await bus.publish(event)
    await bus.stop()

    journal = tmp_path / "done"
    argv = [sys.executable, "-m", "tests.fixtures.poisoned", vhost.url, str(journal)]

    async def done() -> set[str]:
        return set(journal.read_text().split()) - {"died"} if journal.exists() else set()

    with subprocess.Popen(argv) as service:  # noqa: ASYNC220  # once, and it takes no time
        try:
            await eventually_async(lambda: vhost.count(topology.PARKING), patience=60)
            await eventually_async(done, lambda found: len(found) >= INNOCENTS, patience=30)
            await eventually_async(vhost.is_idle)
        finally:
            service.terminate()

    assert await done() == {event.source for event in innocents}
    parked = await vhost.drain(topology.PARKING)
    assert [message.message_id for message in parked] == [str(poison.id)]
    # It died in the work queue first, then alone among the suspects, each time until the limit was passed.
    deaths = cast("list[dict[str, object]]", parked[0].headers["x-death"])
    assert [death["queue"] for death in reversed(deaths)] == [
        topology.CHECK_LETTER.name,
        topology.suspects_of(topology.CHECK_LETTER.name),
    ]
    assert journal.read_text().split().count("died") == 2 * (topology.DELIVERY_LIMIT + 1)
