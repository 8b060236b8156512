"""The table in ``shared/topology.py`` and the broker say the same, in both directions."""

import re

import pytest
from aio_pika.exceptions import ChannelPreconditionFailed, DeliveryError

from ops.stack import Connection, Stack
from shared import topology
from shared.runtime.declaring import declare_topology
from tests.fixtures.broker import DELAYS, Vhost
from tests.fixtures.management import Management

INTAKE_OWN = re.compile(r"intake\.[0-9a-f]{32}")


def compare(management: Management, delays: tuple[float, ...]) -> None:
    """Everything in the table is at the broker with its arguments, and the broker has nothing else."""
    exchanges = {each["name"]: (each["type"], each["durable"], each["arguments"]) for each in management.exchanges()}
    assert exchanges == {each.name: (each.type.value, True, dict(each.arguments)) for each in topology.exchanges()}

    found = [each for each in management.queues() if not INTAKE_OWN.fullmatch(each["name"])]
    queues = {each["name"]: (each["durable"], each["auto_delete"], each["arguments"]) for each in found}
    table = topology.queues(delays)
    assert queues == {each.name: (True, False, dict(each.arguments)) for each in table}

    bindings = {each for each in management.bindings() if not INTAKE_OWN.fullmatch(each[1])}
    assert bindings == {(exchange, queue.name, key) for queue in table for exchange, key in queue.bindings}


async def test_broker_has_the_table_and_nothing_else(vhost: Vhost) -> None:
    """Every exchange, queue, argument and binding of the table is at the broker, and nothing beside them."""
    compare(vhost.management, DELAYS)


async def test_declaring_twice_changes_nothing(vhost: Vhost) -> None:
    """A second service that declares the table finds it and leaves it as it is."""
    await declare_topology(vhost.url, DELAYS)
    compare(vhost.management, DELAYS)


async def test_a_retired_binding_is_removed(vhost: Vhost) -> None:
    """What a former version bound, and this one does not want, is gone when the table is declared."""
    for source, queue, key in topology.RETIRED_BINDINGS:
        vhost.management.bind(source, queue, key)
    with pytest.raises(AssertionError):
        compare(vhost.management, DELAYS)
    await declare_topology(vhost.url, DELAYS)
    compare(vhost.management, DELAYS)


async def test_a_message_of_the_pipeline_has_one_queue(vhost: Vhost) -> None:
    """A message that lost its binding is refused at its publisher: no second queue has it confirmed all the same."""
    for queue in topology.WORK_QUEUES:
        if queue.exchange != topology.PIPELINE:
            continue
        kind = queue.receives[0]
        key = str(kind.model_fields["type"].default).removeprefix("por.").rpartition(".v")[0]
        await vhost.publish_raw(b"", queue.exchange, key)
        assert await vhost.count(queue.name) == 1
        vhost.management.unbind(queue.exchange, queue.name, queue.routing_key)
        with pytest.raises(DeliveryError):
            await vhost.publish_raw(b"", queue.exchange, key)


def test_running_services_declare_the_table(stack: Stack, rabbitmq_management: Connection) -> None:
    """What the four services declare is the table, beside intake's own queue, which goes with its process."""
    management = Management(stack.info.rabbitmq_management, "/")
    compare(management, (1, 1, 1, 1, 1))
    own = [each for each in management.queues() if INTAKE_OWN.fullmatch(each["name"])]
    assert [(each["exclusive"], each["auto_delete"], each["durable"]) for each in own] == [(True, True, False)]
    assert (topology.EVENTS, own[0]["name"], "ticket.opened") in management.bindings()
    management.close()


async def test_queue_with_other_arguments_fails_clearly(empty_vhost: Vhost) -> None:
    """A queue that exists with other arguments stops the start, and the error names queue and argument."""
    async with empty_vhost.channel() as channel:
        await channel.declare_queue(topology.PARKING, durable=True, arguments={"x-queue-type": "quorum"})
    with pytest.raises(ChannelPreconditionFailed, match=rf"x-delivery-limit.*{re.escape(topology.PARKING)}"):
        await declare_topology(empty_vhost.url, DELAYS)


async def test_changed_delay_fails_clearly(vhost: Vhost) -> None:
    """Tiers of another length than the broker has are refused, not silently ignored."""
    with pytest.raises(ChannelPreconditionFailed, match=r"x-message-ttl.*por\.retry\.1"):
        await declare_topology(vhost.url, (9.0, *DELAYS[1:]))
