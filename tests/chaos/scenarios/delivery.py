"""Messages come twice, or in no order; and the one publisher of a ticket's events sleeps over its lease."""

import json
import os
import signal

from ops.stack import Process
from shared import topology
from tests.chaos.background import Background
from tests.chaos.broker import management
from tests.chaos.postman import postman
from tests.chaos.scenario import Scenario
from tests.chaos.world import World, home_of, python

SECONDS = 12.0
SWEPT = "outbox swept"
LEASE_SECONDS = 15.0


def deliver_twice(world: World) -> None:
    """Every message comes once more to every queue that has it, while the first is in work."""
    background = Background()
    url = world.stack.info.rabbitmq.url_with_credentials
    coming = postman(url, *topology.WORK_QUEUES)
    with background.running(), world.fault("every message twice"), background.inside(coming) as man:
        world.until(lambda: man.delivered > 200, "two hundred messages came twice")
        world.pass_time(SECONDS)


def shuffle_events(world: World) -> None:
    """The ticket events come to notifier in random order, and by this way alone."""
    background, queue = Background(), topology.SEND_MAIL
    url = world.stack.info.rabbitmq.url_with_credentials
    coming = postman(url, queue)
    with (
        background.running(),
        management(world.stack) as hands,
        world.fault("events shuffled"),
        background.inside(coming) as man,
    ):
        hands.unbind(queue.exchange, queue.name, queue.routing_key)
        world.until(lambda: man.delivered > 50, "fifty events were shuffled")
        world.pass_time(SECONDS)
        # Bound again first: what comes twice for a moment does no harm, what comes never does.
        hands.bind(queue.exchange, queue.name, queue.routing_key)


def sleep_over_the_lease(world: World) -> None:
    """A publisher falls asleep with the lease held; another takes over, and then the first goes on."""
    other = world.second("tickets")
    for point in ("tickets.after-insert", "tickets.after-publish"):
        _sleep_at(world, point, other)
        world.pass_time(3)
    world.as_ever()


def _sleep_at(world: World, point: str, other: Process) -> None:
    log = home_of(world.stack) / f"asleep-{point}.jsonl"
    log.unlink(missing_ok=True)
    asleep = python("tests.chaos.doomed", "tickets", "--point", point, "--sleep", "--calm", "3", "--log", f"{log}")
    world.instead({}, {"tickets": asleep})
    world.until(log.exists, f"somebody falls asleep at {point}")
    with world.fault("publisher asleep"):
        swept = world.logged(other, SWEPT)
        world.pass_time(LEASE_SECONDS)
        world.until(lambda: world.logged(other, SWEPT) > swept, "the other takes over")
        os.kill(json.loads(log.read_text())["pid"], signal.SIGCONT)


SCENARIOS = (
    Scenario("twice", "every message delivered twice, at the same time", deliver_twice),
    Scenario("shuffled", "ticket events in random order", shuffle_events),
    Scenario("lease", "a publisher stopped for longer than its lease, two processes", sleep_over_the_lease),
)
