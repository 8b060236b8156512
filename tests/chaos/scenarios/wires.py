"""A door in front of RabbitMQ, MongoDB and the mail server cuts connections, delays them, and lets nothing through."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from ops.stack import SERVICES, StackInfo
from shared.runtime.amqp import HEARTBEAT_SECONDS
from tests.chaos.background import Background
from tests.chaos.scenario import Scenario
from tests.chaos.world import World, strikes_mail
from tests.fixtures.proxy import door

CUTS, DELAY_SECONDS = 5, 5.0
# Longer than the client waits for a sign of life: three heartbeats, and a second more for each.
DEAD_SECONDS = 3.0 * (HEARTBEAT_SECONDS + 1) + 10.0
Settings = Callable[[StackInfo, int], dict[str, dict[str, str]]]


def disturb(world: World, part: str, settings: Settings, swallow_seconds: float) -> None:
    """Cut, delay and swallow between the services and one server."""
    info, strikes = world.stack.info, strikes_mail(part)
    address = urlsplit(getattr(info, part).url)
    background = Background()
    with background.running(), background.inside(door(address.hostname or "", address.port or 0)) as way:
        world.instead(settings(info, way.port))
        for _ in range(CUTS):
            with world.fault("cut", strikes_mail=strikes):
                background.call(way.cut)
            world.pass_time(0.7)
        with world.fault("delayed", strikes_mail=strikes):
            way.delay = 0.2
            world.pass_time(DELAY_SECONDS)
            way.delay = 0.0
        with world.fault("swallowed", strikes_mail=strikes):
            background.call(way.stop_up)
            world.pass_time(swallow_seconds)
            background.call(way.let_through)
        world.await_ready()
        world.pass_time(2)
        world.as_ever()


def _broker_through(info: StackInfo, port: int) -> dict[str, dict[str, str]]:
    url = info.rabbitmq.url_with_credentials.replace(f":{urlsplit(info.rabbitmq.url).port}/", f":{port}/")
    return {name: {"POR_AMQP_URL": url} for name in SERVICES}


def _database_through(_: StackInfo, port: int) -> dict[str, dict[str, str]]:
    # Asked directly, the driver does not go to the address that the replica set names.
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    return {name: {"POR_MONGODB_URL": url} for name in ("tickets", "notifier")}


def _mail_through(_: StackInfo, port: int) -> dict[str, dict[str, str]]:
    return {"notifier": {"POR_SMTP_PORT": str(port)}}


SCENARIOS = (
    Scenario(
        "wire-rabbitmq",
        "the wire to RabbitMQ cut, delayed, and swallowing until it is known to be dead",
        partial(disturb, part="rabbitmq", settings=_broker_through, swallow_seconds=DEAD_SECONDS),
    ),
    Scenario(
        "wire-mongodb",
        "the wire to MongoDB cut, delayed, and swallowing",
        partial(disturb, part="mongodb", settings=_database_through, swallow_seconds=6.0),
    ),
    Scenario(
        "wire-smtp",
        "the wire to the mail server cut, delayed, and swallowing",
        partial(disturb, part="smtp", settings=_mail_through, swallow_seconds=4.0),
    ),
)
