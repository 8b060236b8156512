"""The crash suite: ``python -m tests.chaos``."""

import itertools
import json
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ops.stack import MissingTool, ProcessFailed, Stack, StackError, ended_by_signals
from tests.chaos import report
from tests.chaos.scenario import Outcome, Run, Scenario
from tests.chaos.scenarios import SCENARIOS, SHORT
from tests.chaos.world import SETTINGS

HOME = Path(".local/chaos")


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="Scenarios to run; without, all.", show_default=False)
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Say which scenarios there are.")] = False,
    short: Annotated[bool, typer.Option("--short", help="What `make test` runs of it.")] = False,
    seed: Annotated[int | None, typer.Option(help="Chooses what customers do; without, the clock does.")] = None,
    json_only: Annotated[bool, typer.Option("--json", help="Nothing but the line of JSON.")] = False,
) -> None:
    """Break every part of the desk under load, and compare every promise with what is there afterwards.

    Exit code 1: a promise was not kept, or a scenario could not be played.
    """
    known = {**SCENARIOS, **SHORT}
    if listed:
        print("\n".join(f"{name:20} {known[name].sentence}" for name in known))
        return
    if unknown := set(names or ()) - set(known):
        raise typer.BadParameter(f"there is no scenario {', '.join(sorted(unknown))}; --list tells which there are")
    console = Console(quiet=json_only)
    logging.disable()  # the AMQP client tells of each connection that it loses, which are many
    chosen = [known[name] for name in names or (SHORT if short else SCENARIOS)]
    began, seed = time.monotonic(), int(time.time()) if seed is None else seed
    try:
        outcomes = _run(chosen, seed, console)
    except (StackError, MissingTool, ProcessFailed) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    passed = all(outcome.passed for outcome in outcomes)
    seconds = round(time.monotonic() - began)
    console.print(f"\n{report.markdown(outcomes)}\n", soft_wrap=True, highlight=False, markup=False)
    console.print(f"All of it took {seconds:,} s.\n", highlight=False)
    print(json.dumps({"passed": passed, "seed": seed, "seconds": seconds, "runs": [*map(report.as_json, outcomes)]}))
    if not passed:
        raise typer.Exit(1)


def _run(scenarios: Iterable[Scenario], seed: int, console: Console) -> list[Outcome]:
    """Scenarios that follow each other share a stack where they are for as many nodes."""
    groups = itertools.groupby(scenarios, lambda scenario: scenario.nodes)
    with ended_by_signals():
        return [outcome for nodes, group in groups for outcome in _run_on(nodes, group, seed, console)]


def _run_on(nodes: int, scenarios: Iterable[Scenario], seed: int, console: Console) -> list[Outcome]:
    def say(text: str) -> None:
        console.print(f"[dim]  {text}[/]", highlight=False, soft_wrap=True)

    outcomes = []
    with Stack(HOME, env=SETTINGS, announce=say, fresh=True, nodes=nodes) as stack:
        run = Run(stack, seed, say)
        for scenario in scenarios:
            console.print(f"[bold]{scenario.name}[/]: {scenario.sentence}", highlight=False)
            outcomes.append(run.play(scenario))
            _tell(outcomes[-1], console)
        outcomes.append(run.look_again())
        _tell(outcomes[-1], console)
    return outcomes


def _tell(outcome: Outcome, console: Console) -> None:
    figures = dict(zip(report.COLUMNS, report.row(outcome), strict=True))
    text = ", ".join(f"{name.lower()} {value}" for name, value in figures.items() if name != "Scenario")
    console.print(
        f"  {'passed' if outcome.passed else 'FAILED'}: {text}",
        style="green" if outcome.passed else "red",
        soft_wrap=True,
    )
    for complaint in outcome.complaints:
        console.print(f"    {complaint}", style="red", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
