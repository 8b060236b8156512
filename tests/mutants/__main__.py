"""`python -m tests.mutants`: which guard can be taken out without a test noticing? None may."""

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.mutants.guards import ROOT, Guard, read_guards
from tests.mutants.trial import WHOLE_SECONDS, Outcome, Trial, copy_tree, run_tests, try_without

HOME = ROOT / ".local" / "mutants"

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True)


@cli.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help="Only these guards.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Say which guards there are, and do nothing.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many at a time; each has a stack of its own.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON on stdout.")] = False,
) -> None:
    """Take out each guard in a copy of the tree and run the tests that must notice; exit 1 where none does."""
    guards = read_guards()
    if unknown := sorted({*(names or [])} - {*guards}):
        raise typer.BadParameter(f"no such guard: {', '.join(unknown)}. --list names them")
    chosen = {name: guard for name, guard in guards.items() if not names or name in names}
    if list_only:
        _show(chosen, {})
        return
    began = time.monotonic()
    shutil.rmtree(HOME, ignore_errors=True)
    _require_passing(chosen)
    trials = dict(_progress(_try_all(chosen, jobs), len(chosen)))
    if as_json:
        print(json.dumps({name: {"outcome": t.outcome, "noticed_by": t.first_failed} for name, t in trials.items()}))
    _show(chosen, trials)
    noticed = sum(trial.outcome is Outcome.FAILED for trial in trials.values())
    console.print(f"{len(trials)} guards taken out, {noticed} noticed, in {time.monotonic() - began:.0f} s.")
    if noticed < len(trials):
        console.print(f"[red]Not every guard is held by a test. The copies and logs are in {HOME}.")
        raise typer.Exit(1)


def _require_passing(guards: dict[str, Guard]) -> None:
    """With all guards in place every test must pass, else its failing without one says nothing."""
    console.print("All guards in place …")
    copy_tree(HOME / "whole")
    tests = tuple(dict.fromkeys(test for guard in guards.values() for test in guard.tests))
    trial = run_tests(tests, HOME / "whole", WHOLE_SECONDS)
    if trial.outcome is not Outcome.PASSED:
        console.print(f"[red]The tests do not pass with all guards in place: {trial.first_failed} ({trial.log})")
        raise typer.Exit(2)
    console.print(f"  {len(tests)} tests or files of tests pass, in {trial.seconds:.0f} s")


def _try_all(guards: dict[str, Guard], jobs: int) -> Iterator[tuple[str, Trial]]:
    with ThreadPoolExecutor(jobs) as threads:
        running = {threads.submit(try_without, name, guard, HOME): name for name, guard in guards.items()}
        for done in as_completed(running):
            yield running[done], done.result()


def _progress(trials: Iterator[tuple[str, Trial]], total: int) -> Iterator[tuple[str, Trial]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("guards", total=total)
        for name, trial in trials:
            console.print(f"  {name}: {_words(trial)}", highlight=False)
            bar.advance(task)
            yield name, trial


def _words(trial: Trial) -> str:
    said = {
        Outcome.FAILED: f"noticed by {escape(trial.first_failed)}",
        Outcome.PASSED: "[red]NOT NOTICED[/]",
        Outcome.BROKEN: f"[red]no verdict[/], see {trial.log}",
    }
    return f"{said[trial.outcome]} ({trial.seconds:.0f} s)"


def _show(guards: dict[str, Guard], trials: dict[str, Trial]) -> None:
    table = Table("Guard", "What it is for", *(["Without it"] if trials else []))
    for name, guard in guards.items():
        table.add_row(name, guard.purpose, *([_words(trials[name])] if trials else []))
    Console().print(table)


if __name__ == "__main__":
    cli()
