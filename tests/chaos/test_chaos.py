"""The short form of the crash suite, and that its points are in the code."""

import io
import time
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from ops.stack import SERVICES, Stack
from services.notifier.ledger import Ledger
from services.notifier.mailer import Mailer
from tests.builders import PRODUCER, opened
from tests.chaos import report
from tests.chaos.doomed import locate
from tests.chaos.in_doubt import watch
from tests.chaos.points import POINTS, points_of
from tests.chaos.scenario import Run
from tests.chaos.scenarios import SHORT
from tests.chaos.world import SETTINGS
from tests.identity import notifier_settings

MOST_SECONDS = 150


@pytest.mark.parametrize("name", POINTS)
def test_each_point_is_a_step_of_the_code(name: str) -> None:
    """Every point names a method that is there: a step that was renamed must not go untested in silence."""
    owner, method = locate(POINTS[name].step)
    assert callable(getattr(owner, method))


def test_a_step_that_is_not_in_the_code_is_an_error() -> None:
    """A point that nobody can pass is told at once."""
    with pytest.raises(AttributeError):
        locate("services.tickets.store:TicketStore.opened")


def test_each_service_has_points() -> None:
    """No service is left out, and no point is nobody's."""
    assert [name for service in SERVICES for name in points_of(service)] == [*POINTS]


async def test_a_mail_is_in_doubt_from_its_sending_to_its_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a notifier would send once more if it died is known from before the mail goes out until it is marked."""
    event, seen = opened(), list[set[str]]()

    async def step(*_: object) -> None:
        seen.append({*in_doubt})

    monkeypatch.setattr(Mailer, "send", step)
    monkeypatch.setattr(Ledger, "finish", step)
    in_doubt = watch()
    mailer, ledger = Mailer(notifier_settings()), Ledger("mongodb://127.0.0.1:1/", "none", timedelta())
    await mailer.send(mailer.write(event, PRODUCER))
    await ledger.finish(event.data.request_id, event.id, event.time)
    ledger.close()
    assert [*seen, in_doubt] == [{str(event.id)}, {str(event.id)}, set()]


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_when_each_service_dies_at_each_point(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each service dies once at each point under load, then the broker: every promise is kept, in bounded time.

    On an idle machine of two cores that is less than 90 s; others may be at work on it too.
    """
    said, began = io.StringIO(), time.monotonic()
    console = Console(file=said, width=200)
    with Stack(tmp_path / "stack", env=SETTINGS) as stack:
        run = Run(stack, 1, console.print)
        outcomes = [run.play(scenario) for scenario in SHORT.values()]
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f" (took {seconds:.0f} s)", end="")
    console.print(report.markdown(outcomes))
    assert all(outcome.passed for outcome in outcomes), [each.complaints for each in outcomes] + [said.getvalue()]
    assert seconds < MOST_SECONDS, said.getvalue()
