"""The documentation tells the truth: the README's blocks run, and its tables are what the code says."""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from services.documents.settings import DocumentsSettings
from services.intake.settings import IntakeSettings
from services.notifier.settings import NotifierSettings
from services.tickets.settings import TicketsSettings
from shared import topology
from shared.contracts.tickets import StaffReason
from shared.runtime.settings import ServiceSettings

pytestmark = pytest.mark.timeout(240)  # the stack may start for it

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
SETTINGS: dict[str, type[ServiceSettings]] = {
    "intake": IntakeSettings,
    "documents": DocumentsSettings,
    "tickets": TicketsSettings,
    "notifier": NotifierSettings,
}
# What FastAPI itself refuses: `shared.runtime.problems` makes the code from the status.
FROM_STATUS = {"not-found", "method-not-allowed"}
FAILURES = {"Permanent", "Transient", "Away", "Deferred"}


def fences(page: Path) -> Iterator[tuple[str, str, str]]:
    """Every fenced block of a page as (heading above it, language, text)."""
    pattern = re.compile(
        r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
    )
    heading = ""
    for found in pattern.finditer(page.read_text()):
        if found["heading"]:
            heading = found["heading"]
        else:
            yield heading, found["language"], found["text"]


def session(page: Path) -> str:
    """A page's bash blocks as one script with a marker before each; python blocks are saved as they say."""
    lines = []
    for heading, language, text in fences(page):
        if language == "bash":
            lines += [f"echo; echo '=== {heading}'", text]
        elif language == "python":
            name = text.partition("\n")[0].removeprefix("# ")
            lines += [f"cat >{name} <<'END_OF_BLOCK'", f"{text}END_OF_BLOCK"]
    return "\n".join(lines)


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    below = page.read_text().partition(f"# {heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table, f"{page.name} has no table under {heading!r}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def plain(cell: str) -> str:
    """A cell without its backticks."""
    return cell.strip("`")


def calls() -> Iterator[tuple[str, list[Any]]]:
    """Every call in services and shared as (name of what is called, its constant arguments or None)."""
    for path in [*ROOT.glob("services/**/*.py"), *ROOT.glob("shared/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id, [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]


@pytest.fixture(scope="module")
def told(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the README's blocks print, by section, run in order in one shell beside a running stack."""
    if not shutil.which("curl"):
        pytest.skip("the README needs curl: apt-get install curl")
    folder = tmp_path_factory.mktemp("readme")
    (folder / ".local").symlink_to(stack.home)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["POR_RETRY_DELAYS"] = "1,1,1,1,1"  # as in the services of this stack
    run = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", session(ROOT / "README.md")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    sections: dict[str, str] = {}
    for part in run.stdout.split("\n=== ")[1:]:
        heading, _, output = part.partition("\n")
        sections[heading] = sections.get(heading, "") + output
    return sections


@pytest.fixture(scope="module")
def ticket(told: dict[str, str]) -> str:
    """The ticket number that the README's first request was given."""
    found = re.search(r'"state":\s*"opened",\s*"ticket_number":\s*"(SR-\d{8}-\d)"', told["For portal front ends"])
    assert found, told["For portal front ends"]
    return found[1]


def test_a_portal_gets_its_number_and_lists_it(told: dict[str, str], ticket: str) -> None:
    """The grid that the README asks for shows the ticket that it opened."""
    assert told["For portal front ends"].count(ticket) == 2
    assert '"total":' in told["For portal front ends"]


def test_a_producer_is_mailed_and_reads_his_letter(told: dict[str, str], ticket: str) -> None:
    """The README's producer finds his mail, his ticket's history and his own letter's bytes."""
    assert f"Subject: {ticket}: Received" in told["For producers"]
    assert "WHAT HAPPENS NEXT" in told["For producers"]
    assert '"sequence": 1' in told["For producers"]
    assert "The letter served is the letter sent." in told["For producers"]


def test_staff_resolves_the_ticket_and_no_more(told: dict[str, str]) -> None:
    """The README's moves are allowed up to the end, and the one after it is refused with its reason."""
    moves = re.findall(r"^([a-z-]+): (\d+)$", told["For staff"], re.MULTILINE)
    assert moves == [("in-review", "200"), ("approved", "200"), ("resolved", "200"), ("in-review", "409")]
    assert "urn:por-desk:problem:illegal-move" in told["For staff"]


def test_operations_sees_health_metrics_and_queues(told: dict[str, str]) -> None:
    """The README shows all four services ready, what the gateway did, and every queue."""
    seen = told["For operations"]
    assert [name for name in SETTINGS if f'{name}: {{"status":"ready"' in seen] == list(SETTINGS)
    assert 'route="/v1/requests",status="201"' in seen
    queues = {queue.name for queue in topology.queues((1, 2, 3, 4, 5))}
    assert queues <= set(re.findall(r"[a-z]+\.[a-z.0-9-]+", seen))
    # What other tests leave on the same desk may be found, but nothing that is wrong with the desk itself.
    found = set(re.findall(r"^(?:bad|watch) +([a-z-]+): ", seen, re.MULTILINE))
    assert found <= {"parked", "retrying"}
    assert found or "No problems found." in seen
    assert "No parked messages match." in seen


def test_a_subscriber_of_twenty_lines_hears_every_event(told: dict[str, str], ticket: str) -> None:
    """The README's subscriber reads the ticket's whole way, in order and without a hole, and ends by itself."""
    heard = told["For downstream systems"]
    events = re.findall(rf"^(\d+) {ticket} (\S+) (\S+)$", heard, re.MULTILINE)
    assert events == [
        ("1", "por.ticket.opened.v1", "received"),
        ("2", "por.ticket.status-changed.v1", "in-review"),
        ("3", "por.ticket.status-changed.v1", "approved"),
        ("4", "por.ticket.status-changed.v1", "resolved"),
    ]
    assert f"HOLE in {ticket}" not in heard
    assert heard.rstrip().endswith("Quiet.")


def test_each_user_has_a_section_that_runs() -> None:
    """The README has a runnable block for each of the five users."""
    runnable = {heading for heading, language, _ in fences(ROOT / "README.md") if language == "bash"}
    users = {"For portal front ends", "For producers", "For staff", "For operations", "For downstream systems"}
    assert users <= runnable


def default_of(kind: type[ServiceSettings], name: str) -> str:
    """A setting's default as the table writes it."""
    default = kind.model_fields[name].default
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return "none" if default is None else str(default).lower() if isinstance(default, bool) else str(default)


def test_the_settings_table_is_what_the_services_read() -> None:
    """Each variable in docs/operations.md is read by the services it names, with that default, and no other is."""
    written = {
        (service, plain(variable), plain(default))
        for variable, services, default, _ in rows(DOCS / "operations.md", "Settings")
        for service in (SETTINGS if services == "all" else services.split(", "))
    }
    read = {
        (service, f"POR_{name.upper()}", default_of(kind, name))
        for service, kind in SETTINGS.items()
        for name in kind.model_fields
    }
    assert written == read


def test_each_problem_code_is_documented() -> None:
    """docs/http.md lists the problem codes that the services can answer, and no others."""
    raised = set(FROM_STATUS)
    for name, arguments in calls():
        if name == "Problem" and len(arguments) > 1 and arguments[1]:
            raised.add(arguments[1])
        elif name == "_unauthorized" and arguments[0]:
            raised.add(arguments[0])
    assert {plain(row[0]) for row in rows(DOCS / "http.md", "Problems")} == raised


def test_each_reason_for_parking_or_retrying_is_documented() -> None:
    """docs/bus.md lists the stable reasons that services give for a failed message."""
    held = {arguments[1] for name, arguments in calls() if name == "away"}
    assert held
    given = held | {"unreadable"} | {arguments[0] for name, arguments in calls() if name in FAILURES and arguments[0]}
    listed = {plain(row[0]) for row in rows(DOCS / "bus.md", "Reasons")}
    assert given - listed == set()


def test_each_staff_reason_is_documented() -> None:
    """docs/http.md lists every reason code that staff may give."""
    assert [plain(row[0]) for row in rows(DOCS / "http.md", "Reasons for staff")] == list(StaffReason)


def test_the_queue_table_is_the_topology() -> None:
    """docs/bus.md lists the exchanges and queues of the topology, and no others."""
    tiers = {f"por.retry.{n}" for n in range(1, topology.RETRY_TIERS + 1)}
    exchanges = {plain(row[0]) for row in rows(DOCS / "bus.md", "Exchanges")}
    assert exchanges - {"por.retry.<n>"} | tiers == {exchange.name for exchange in topology.exchanges()}
    queues = {plain(row[0]) for row in rows(DOCS / "bus.md", "Queues")} - {"intake.<random>"}
    suspects = {topology.suspects_of(queue.name) for queue in topology.WORK_QUEUES}
    declared = {queue.name for queue in topology.queues((1, 2, 3, 4, 5))}
    assert queues - {"por.retry.<n>", "<work queue>.suspects"} | tiers | suspects == declared


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file of the repository, and a fragment a heading of it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page.name}: {target}"
        if fragment:
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert fragment in slugs, f"{page.name}: {target}"


def test_each_test_that_guarantees_name_exists() -> None:
    """Every test file and test that docs/guarantees.md points to is there."""
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (DOCS / "guarantees.md").read_text())
    assert named
    for path, test in named:
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"


def test_decisions_are_one_page_each_and_all_listed() -> None:
    """A decision record has its four parts and at most a page of lines, and the index names it."""
    index = (DOCS / "decisions/README.md").read_text()
    for page in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        text = page.read_text()
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], page.name
        assert len(text.splitlines()) <= 60, page.name
        assert f"({page.name})" in index, page.name
