"""The mail server is killed, sends away, refuses, and hangs up after the mail."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.background import Background
from tests.chaos.postoffice import PostOffice, post_office
from tests.chaos.scenario import Scenario
from tests.chaos.world import World

AWAY_SECONDS = 6.0
ENOUGH = 5


def kill_it(world: World) -> None:
    """The mail server is dead for seconds."""
    with world.fault("smtp away", strikes_mail=True):
        world.kill("smtp")
        world.pass_time(AWAY_SECONDS)
        world.bring_back("smtp")


def send_away(world: World) -> None:
    """The server says 421 to everybody: a fault that passes."""
    _refuse(world, "421 Come back later", AWAY_SECONDS)


def refuse(world: World) -> None:
    """The server says 550 to everybody: a fault that stays, and parks."""
    _refuse(world, "550 No such user", 2.0)


def hang_up(world: World) -> None:
    """The server takes the mail and hangs up: nobody can know, and a second mail is permitted."""
    with _office(world) as office, world.fault("smtp hangs up", strikes_mail=True):
        office.cutting = True
        world.until(lambda: office.struck >= ENOUGH, "the server hangs up on somebody")
        office.cutting = False


def _refuse(world: World, refusal: str, seconds: float) -> None:
    with _office(world) as office, world.fault(refusal):
        office.refusal = refusal
        world.until(lambda: office.struck >= ENOUGH, "somebody is refused")
        world.pass_time(seconds)
        office.refusal = ""


@contextmanager
def _office(world: World) -> Iterator[PostOffice]:
    """A post office in place of the mail server; notifier leaves it in order."""
    background = Background()
    with background.running(), background.inside(post_office(Path(world.stack.info.smtp.maildir))) as office:
        world.instead({"notifier": {"POR_SMTP_PORT": str(office.port)}})
        yield office
        world.as_ever()


SCENARIOS = (
    Scenario("smtp-killed", "the mail server killed and restarted", kill_it),
    Scenario("smtp-421", "the mail server sends everybody away with 421", send_away),
    Scenario("smtp-550", "the mail server refuses with 550: parked", refuse, permanent=frozenset({"smtp-550"})),
    Scenario("smtp-cut", "the mail server hangs up after DATA", hang_up),
)
