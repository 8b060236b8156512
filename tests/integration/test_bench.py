"""The bench in a short form: what it reports, not how fast this machine is today."""

import json
import subprocess
import sys
from pathlib import Path

from ops.bench.figures import percentiles
from ops.bench.parts import Mail, Outcome

PORDESK = Path(sys.executable).with_name("pordesk")
PARTS = {"intake", "documents", "tickets", "notifier", "rabbitmq", "mongodb", "object_store", "smtp"}
FLOOR_PARTS = {"floor", "rabbitmq", "mongodb", "object_store", "smtp"}
RATES = {"accepted_per_s", "tickets_per_s", "floor_tickets_per_s", "ratio_to_floor", "load_generator_cpu_ms_per_ticket"}
TIMES = {"accept_ms", "ticket_ms"}
COUNTS = {"requests", "in_flight", "letter_bytes", "refused", "lost", "duplicated"}
BY_PART = {"cpu_ms_per_ticket", "floor_cpu_ms_per_ticket", "rss_mb"}


def test_bench(tmp_path: Path) -> None:
    """It ends with a line of figures, nothing lost and nothing double; in a folder of its own."""
    arguments = ["--requests", "40", "--in-flight", "8", "--letter-bytes", "30000"]
    done = subprocess.run(
        [PORDESK, "bench", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *story, line = done.stdout.splitlines()
    figures = json.loads(line)

    assert set(figures) == RATES | TIMES | COUNTS | BY_PART
    assert {name: figures[name] for name in COUNTS} == {
        "requests": 40,
        "in_flight": 8,
        "letter_bytes": 30_000,
        "refused": 0,
        "lost": 0,
        "duplicated": 0,
    }
    assert all(figures[rate] > 0 for rate in RATES)
    assert all(0 < figures[times]["p50"] <= figures[times]["p99"] for times in TIMES)
    assert figures["accept_ms"]["p50"] < figures["ticket_ms"]["p50"], "a mail before its request was accepted"
    assert set(figures["cpu_ms_per_ticket"]) == set(figures["rss_mb"]) == PARTS
    assert set(figures["floor_cpu_ms_per_ticket"]) == FLOOR_PARTS
    assert sum(figures["cpu_ms_per_ticket"].values()) > 0
    assert all(memory[when] > 1 for memory in figures["rss_mb"].values() for when in ("start", "middle", "end"))
    assert sum("floor: 20 of 20 mails" in each for each in story) == 2
    assert not list((tmp_path / ".local/bench").glob("objects")), "letters were left behind"


def test_lost() -> None:
    """An accepted request without a ticket of its own, or without a mail that names that ticket."""
    outcome = Outcome(
        tickets={"told": "SR-1", "not told": "SR-2", "told wrong": "SR-3"},
        mails={"told": [Mail("SR-1", 1)], "told wrong": [Mail("SR-1", 2)]},
    )
    assert outcome.lost(["told"]) == 0
    assert outcome.lost(["told", "not told", "told wrong", "no ticket"]) == 3
    assert outcome.lost(["told", "told"]) == 1, "two requests became one"


def test_duplicated() -> None:
    """A second mail about one ticket, a number given twice, or a ticket that nobody asked for."""
    once = Outcome({"a": "SR-1", "b": "SR-2"}, {"a": [Mail("SR-1", 1)], "b": [Mail("SR-2", 1)]})
    assert once.duplicated(["a", "b"], sent=2) == 0
    assert once.duplicated(["a"], sent=1) == 1
    assert Outcome(once.tickets, {"a": [Mail("SR-1", 1)] * 2}).duplicated(["a", "b"], sent=2) == 1
    assert Outcome({"a": "SR-1", "b": "SR-1"}, once.mails).duplicated(["a", "b"], sent=2) == 1


def test_percentiles() -> None:
    """Values that were measured, none in between."""
    assert percentiles([5]) == {"p50": 5, "p99": 5}
    assert percentiles(range(1, 101)) == {"p50": 50, "p99": 99}
