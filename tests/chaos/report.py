"""The table of a run: for people and the documentation, and for machines."""

from collections.abc import Sequence
from typing import Any

from tests.chaos.scenario import Outcome

COLUMNS = (
    "Scenario",
    "Attempts",
    "Acknowledged",
    "Lost",
    "Duplicated",
    "Unexpected",
    "Recovered",
    "Second mails",
    "Parked",
    "Faults",
    "Recovery",
)


def row(outcome: Outcome) -> list[str]:
    """One line of the table."""
    verdict = outcome.verdict
    counts = (
        verdict.attempts,
        verdict.acknowledged,
        len(verdict.lost),
        len(verdict.duplicated),
        len(verdict.unexpected),
        verdict.recovered,
        verdict.second_mails,
        verdict.parked,
        outcome.faults,
    )
    return [outcome.name, *(f"{count:,}" for count in counts), f"{outcome.recovery:.0f} s" if outcome.recovery else ""]


def markdown(outcomes: Sequence[Outcome]) -> str:
    """For people, and for the documentation."""
    lines = [COLUMNS, ["---", *("---:" for _ in COLUMNS[1:])], *map(row, outcomes)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """For machines."""
    verdict = outcome.verdict
    return {
        "scenario": outcome.name,
        "passed": outcome.passed,
        "attempts": verdict.attempts,
        "acknowledged": verdict.acknowledged,
        "lost": len(verdict.lost),
        "duplicated": len(verdict.duplicated),
        "unexpected": len(verdict.unexpected),
        "recovered": verdict.recovered,
        "second_mails": verdict.second_mails,
        "parked": verdict.parked,
        "faults": outcome.faults,
        "recovery_seconds": round(outcome.recovery, 1),
        "complaints": outcome.complaints,
    }
