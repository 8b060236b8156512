"""The crash suite: ``python -m tests.chaos``."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ops.stack import Stack, ended_by_signals
from tests.chaos.scenario import run
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.world import SETTINGS

HOME = Path(".local/chaos")


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Scenarios to run; all of them without.")] = None,
    seed: Annotated[int, typer.Option(help="What customers do is chosen by it.")] = int(time.time()) % 100_000,
) -> None:
    """Break every part of the desk under load, and compare what was promised with what is there."""
    console = Console()
    settled: frozenset[str] = frozenset()
    with ended_by_signals(), Stack(HOME, env=SETTINGS, announce=print, fresh=True) as stack:
        for n, name in enumerate(names or SCENARIOS):
            outcome = run(stack, SCENARIOS[name], seed + n, settled, console.print)
            settled |= outcome.requests
            console.print(json.dumps(outcome.as_json(), indent=1))


if __name__ == "__main__":
    typer.run(main)
