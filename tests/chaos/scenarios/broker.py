"""The broker is killed, closes connections, raises alarms, loses a binding, is full."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared import topology
from tests.chaos.broker import control, management
from tests.chaos.scenario import Scenario
from tests.chaos.world import World

ALARM_SECONDS = 8.0
NO_QUEUE, REFUSED = "PublishError", "DeliveryError"  # as the library calls them
DISK_LIMIT, MEMORY_LIMIT = "200MB", "1GB"  # as ops/stack/rabbitmq.py has them


def kill_it(world: World) -> None:
    """Dead for seconds, then dead for a moment; the services must find back by themselves."""
    for seconds in (6.0, 0.0):
        with world.fault("broker away"):
            world.kill("rabbitmq")
            world.pass_time(seconds)
            world.bring_back("rabbitmq")
        world.await_ready()
        world.pass_time(2)


def close_connections(world: World) -> None:
    """Every client is thrown out, again and again."""
    with management(world.stack) as hands:
        for _ in range(6):
            # It lists a connection when its first figures are in, seconds after it was made.
            with world.fault("connections closed"):
                world.until(hands.close_connections, "there are connections to close")
            world.pass_time(1)


def raise_disk_alarm(world: World) -> None:
    """No space: whoever publishes is held up, and acks must go on."""
    _alarm(world, ("set_disk_free_limit", "1000000GB"), ("set_disk_free_limit", DISK_LIMIT))


def raise_memory_alarm(world: World) -> None:
    """No memory: the same."""
    limit = ("set_vm_memory_high_watermark", "absolute")
    _alarm(world, (*limit, "1MB"), (*limit, MEMORY_LIMIT))


def _alarm(world: World, begin: tuple[str, ...], end: tuple[str, ...]) -> None:
    with world.fault("alarm"):
        try:
            control(world.stack, *begin)
            _await_refusals(world)
            world.pass_time(ALARM_SECONDS)
        finally:
            control(world.stack, *end)


def remove_bindings(world: World) -> None:
    """What a service publishes to the pipeline finds no queue: an error at the publisher, and no message is gone."""
    for queue in topology.WORK_QUEUES:
        if queue.exchange == topology.PIPELINE:  # ticket events are for whoever listens, and the log has them
            _remove_binding(world, queue)


def _remove_binding(world: World, queue: topology.WorkQueue) -> None:
    publisher = world.stack[topology.PUBLISHERS[queue.receives[0]]]
    told = world.logged(publisher, NO_QUEUE)
    with management(world.stack) as hands, world.fault("binding removed"):
        hands.unbind(queue.exchange, queue.name, queue.routing_key)
        world.until(
            lambda: world.logged(publisher, NO_QUEUE) > told, f"nothing is bound for {queue.name}, and that is said"
        )
        world.pass_time(4)
        hands.bind(queue.exchange, queue.name, queue.routing_key)


def fill_queues(world: World) -> None:
    """Who works a queue off is away, and it takes no more: who publishes to it hears that, and no message is gone."""
    with _full(world, topology.CHECK_LETTER):
        _await_refusals(world)
        world.pass_time(5)
    world.await_ready()
    documents = world.stack["documents"]
    told = world.logged(documents, REFUSED)
    with _full(world, topology.OPEN_TICKET):
        world.until(lambda: world.logged(documents, REFUSED) > told, "documents hears that the queue is full")
        world.pass_time(2)  # all its tiers together are twelve seconds long here


@contextmanager
def _full(world: World, queue: topology.WorkQueue) -> Iterator[None]:
    with management(world.stack) as hands, world.fault(f"{queue.name} full"):
        hands.limit_length(queue.name, 5)
        world.absent.add(queue.service)
        world.kill(queue.service)
        yield
        hands.unlimit_length(queue.name)
        world.absent.discard(queue.service)


def _await_refusals(world: World) -> None:
    began = time.time()
    world.until(lambda: world.refused_since(began), "somebody is told to come back later")


SCENARIOS = (
    Scenario("broker-killed", "RabbitMQ killed and restarted, twice", kill_it),
    Scenario("connections-closed", "every connection closed by the broker, six times", close_connections),
    Scenario("disk-alarm", "the broker has no disk space left", raise_disk_alarm),
    Scenario("memory-alarm", "the broker has no memory left", raise_memory_alarm),
    Scenario("binding-removed", "a message of the pipeline finds no queue, each in turn", remove_bindings),
    Scenario("queue-full", "documents away and its queue at its length, then tickets and its own", fill_queues),
)
