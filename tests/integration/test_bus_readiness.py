"""Readiness tells the truth about consumers, not only about connections."""

from collections.abc import Awaitable, Callable

from httpx import codes

from ops.stack import Stack
from shared import topology
from shared.contracts.requests import RequestSubmitted
from tests import builders
from tests.fixtures.broker import Vhost
from tests.fixtures.desk import Desk
from tests.fixtures.management import Management
from tests.fixtures.wait import eventually, eventually_async


async def ignore(event: RequestSubmitted) -> None:
    """Do nothing."""


def inverse(check: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    """Whether it is not so."""

    async def answer() -> bool:
        return not await check()

    return answer


async def test_bus_is_ready_until_a_consumer_is_cancelled(vhost: Vhost) -> None:
    """A broker that cancels one consumer, its connection standing, makes the service not ready."""
    async with vhost.serving(topology.CHECK_LETTER, ignore) as bus:
        assert await bus.ready()
        vhost.management.delete_queue(topology.suspects_of(topology.CHECK_LETTER.name))
        await eventually_async(inverse(bus.ready))
        await bus.publish(builders.submitted())


async def test_bus_is_not_ready_before_it_is_started(vhost: Vhost) -> None:
    """A bus that has not connected says so."""
    bus = vhost.bus()
    bus.subscribe(topology.CHECK_LETTER, ignore)
    assert not await bus.ready()


def test_service_is_not_ready_when_its_consumer_is_cancelled(desk: Desk, stack: Stack) -> None:
    """A real service whose queue is deleted answers 503 at /readyz naming RabbitMQ, and is ready after a restart."""
    management = Management(stack.info.rabbitmq_management, "/")
    assert desk.is_ready("notifier")
    management.delete_queue(topology.SEND_MAIL.name)
    management.close()
    try:
        answer = eventually(lambda: desk.get("notifier", "/readyz"), lambda found: found.status_code != codes.OK)
        assert answer.status_code == codes.SERVICE_UNAVAILABLE
        assert answer.json()["checks"] == {"rabbitmq": False, "mongodb": True}
        assert desk.get("notifier", "/healthz").status_code == codes.OK
    finally:
        desk.restart("notifier")
