"""Holds: when they are on, whom they concern, what they do, and what a broken file changes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.intake.catalogue import load_catalogue
from services.intake.holds import Holds
from shared.runtime.problems import Problem
from shared.runtime.settings import ConfigurationError
from tests.builders import form

CATALOGUE = load_catalogue(None, "Portal")
UNDER_65 = form(line_of_business="individual-under-65")
TEXT = "At this time, there is a hold on under 65 Producer of Record transfer requests."


def hold(effect: str = "park", more: str = "", since: str = "2026-01-01T00:00:00-06:00") -> str:
    """A file with one hold."""
    return (
        f'[[holds]]\ntext = "Closed."\neffect = "{effect}"\nrequest_types = ["group-por-change"]\n'
        f"from = {since}\n{more}\n"
    )


@pytest.fixture
def registry() -> CollectorRegistry:
    """The service's metrics."""
    return CollectorRegistry()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one hold."""
    path = tmp_path / "holds.toml"
    path.write_text(hold())
    return path


@pytest.fixture
def holds(file: Path, registry: CollectorRegistry) -> Holds:
    """The holds of that file."""
    return Holds(file, CATALOGUE, registry)


def test_the_shipped_hold_is_the_one_on_under_65(registry: CollectorRegistry) -> None:
    """Requests to change an individual under 65 are parked with these words; other lines and types go through."""
    shipped = Holds(None, CATALOGUE, registry)
    [notice] = shipped.notices("group-por-change", UNDER_65)
    assert (notice.text, notice.parks) == (TEXT, "under-65-hold")
    assert shipped.notices("group-por-change", form()) == ()
    assert shipped.notices("commission-dispute", UNDER_65) == ()


@pytest.mark.parametrize(
    ("moment", "is_on"),
    [
        ("2026-12-31T23:59:59-06:00", False),
        ("2027-01-01T00:00:00-06:00", True),
        ("2027-01-31T23:59:59-06:00", True),
        ("2027-02-01T00:00:00-06:00", False),
    ],
)
def test_a_hold_is_on_from_its_first_moment_until_its_last(
    file: Path, registry: CollectorRegistry, moment: str, is_on: bool
) -> None:
    """From is in, until is out, to the second, wherever the clock stands."""
    file.write_text(hold(more="until = 2027-02-01T00:00:00-06:00", since="2027-01-01T00:00:00-06:00"))
    active = Holds(file, CATALOGUE, registry).active
    at = datetime.fromisoformat(moment).astimezone(UTC)
    assert bool(active("group-por-change", at)) is is_on
    assert active("eft-info", at) == []


@pytest.mark.parametrize(("effect", "parks"), [("park", "other"), ("warn", None)])
def test_a_hold_that_lets_through_travels_along(
    file: Path, registry: CollectorRegistry, effect: str, parks: str | None
) -> None:
    """What parks gives the reason for it, what warns only its text."""
    file.write_text(hold(effect))
    [notice] = Holds(file, CATALOGUE, registry).notices("group-por-change", form())
    assert (notice.text, notice.parks) == ("Closed.", parks)


def test_a_hold_that_refuses_says_why(file: Path, registry: CollectorRegistry) -> None:
    """A refusal is 409 with the notice as its text, and only for the lines that it names."""
    file.write_text(hold("refuse", 'lines_of_business = ["individual-under-65"]'))
    refusing = Holds(file, CATALOGUE, registry)
    with pytest.raises(Problem) as refused:
        refusing.notices("group-por-change", UNDER_65)
    assert (refused.value.status, refused.value.body.detail) == (409, "Closed.")
    assert refusing.notices("group-por-change", form()) == ()


def test_a_changed_file_is_read_without_a_restart(file: Path, holds: Holds) -> None:
    """A hold is switched off and on again by its file alone, whether that is written into or replaced."""
    assert holds.active("group-por-change")
    file.write_text("holds = []\n")
    assert not holds.active("group-por-change")
    other = file.with_suffix(".new")
    other.write_text(hold())
    other.replace(file)
    assert holds.active("group-por-change")


BROKEN = {
    "no toml": "holds",
    "emptied": "",
    "no such effect": hold("forbid"),
    "no such type": hold().replace("group-por-change", "holiday"),
    "no such line": hold(more='lines_of_business = ["pets"]'),
    "line of a type without": hold(more='lines_of_business = ["medicare"]').replace("group-por-change", "eft-info"),
    "no such reason": hold(more='reason = "mood"'),
    "no time zone": hold(since="2026-01-01T00:00:00"),
    "ends before": hold(more="until = 2025-01-01T00:00:00Z"),
    "misspelt": hold(more='untill = "tomorrow"'),
    "something else": hold() + "[notes]\n",
}


@pytest.mark.parametrize("case", [*BROKEN, "gone"])
def test_a_broken_file_keeps_the_last_good_one(
    file: Path, holds: Holds, registry: CollectorRegistry, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file with a mistake changes nothing but a metric and a line in the log, until it is mended."""
    assert registry.get_sample_value("por_holds_broken") == 0
    file.write_text(BROKEN[case]) if case in BROKEN else file.unlink()
    assert registry.get_sample_value("por_holds_broken") == 1
    assert [each.text for each in holds.active("group-por-change")] == ["Closed."]
    assert capsys.readouterr().out.count("holds cannot be read") == 1
    file.write_text(hold("warn") + hold())
    assert len(holds.active("group-por-change")) == 2
    assert registry.get_sample_value("por_holds_broken") == 0


@pytest.mark.parametrize("case", BROKEN)
def test_a_service_does_not_start_on_a_broken_file(file: Path, registry: CollectorRegistry, case: str) -> None:
    """At start there is no last good one: the file is named, and the service stops."""
    file.write_text(BROKEN[case])
    with pytest.raises(ConfigurationError, match=r"POR_HOLDS_FILE: .*holds\.toml"):
        Holds(file, CATALOGUE, registry)
