"""One trial: a copy of the tree, a guard taken out of it, its tests run there."""

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.mutants.guards import ROOT, Guard

# A test that hangs without its guard has noticed too, but need not hang for long.
TEST_SECONDS = 60
TRIAL_SECONDS = 300
WHOLE_SECONDS = 900


class Outcome(StrEnum):
    """What the tests said of a tree."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"  # no verdict of a test, but an error before or around it


@dataclass(frozen=True)
class Trial:
    """What came of running tests: the verdict, which test failed first, and the seconds it took."""

    outcome: Outcome
    first_failed: str
    seconds: float
    log: Path


def copy_tree(target: Path) -> None:
    """Copy what is in the repository, changes that are not committed included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    shutil.rmtree(target, ignore_errors=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def try_without(name: str, guard: Guard, home: Path) -> Trial:
    """Run a guard's tests in a copy without it."""
    tree = home / name
    copy_tree(tree)
    guard.take_out(tree)
    trial = run_tests(guard.tests, tree)
    if trial.outcome is Outcome.FAILED:
        shutil.rmtree(tree)
    return trial


def run_tests(tests: tuple[str, ...], tree: Path, seconds: float = TRIAL_SECONDS) -> Trial:
    """Run ``tests`` in ``tree`` until the first that fails, for so long at most."""
    log, report, began = tree.with_suffix(".log"), tree / "report.xml", time.monotonic()
    options = ["-q", "-x", "-p", "no:cacheprovider", f"--junitxml={report}", f"--timeout={TEST_SECONDS}"]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *tests], cwd=tree, stdout=output, stderr=output
        ) as run,
    ):
        try:
            run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.terminate()
    outcome, first_failed = _verdict(report)
    return Trial(outcome, first_failed, time.monotonic() - began, log)


def _verdict(report: Path) -> tuple[Outcome, str]:
    if not report.exists():
        return Outcome.BROKEN, ""
    cases = list(ET.parse(report).getroot().iter("testcase"))
    failed = [case.get("name", "") for case in cases if case.find("failure") is not None]
    if failed:
        return Outcome.FAILED, failed[0]
    broken = not cases or any(case.find("error") is not None or case.find("skipped") is not None for case in cases)
    return (Outcome.BROKEN if broken else Outcome.PASSED), ""
