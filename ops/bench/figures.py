"""From what was measured to the figures that are reported. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Times = Mapping[str, float]


class BenchFailed(Exception):
    """The bench could not measure anything."""


def percentiles(milliseconds: Iterable[float]) -> dict[str, float]:
    """The middle and the slow end, by nearest rank."""
    ordered = sorted(milliseconds)
    return {f"p{p}": round(ordered[max(0, -(-len(ordered) * p // 100) - 1)], 1) for p in (50, 99)}


def per_ticket(cpu_seconds: Times, tickets: int) -> dict[str, float]:
    """CPU seconds in all as milliseconds for each ticket."""
    return {name: round(seconds * 1000 / tickets, 2) for name, seconds in cpu_seconds.items()}


def memory(samples: Sequence[Mapping[str, int]]) -> dict[str, dict[str, float]]:
    """Resident megabytes of each process at start, middle and end."""
    start, middle, end = samples
    return {
        name: {
            when: round(sample[name] / 1e6, 1) for when, sample in (("start", start), ("middle", middle), ("end", end))
        }
        for name in start
    }


def show(figures: Mapping[str, Any], console: Console) -> None:
    """The figures as a person wants to read them."""
    cpu, floor = figures["cpu_ms_per_ticket"], figures["floor_cpu_ms_per_ticket"]
    table = Table("process", title=f"{figures['requests']} letters of {figures['letter_bytes']:,} bytes")
    for column in ("CPU ms/ticket", "floor's", "MB at start", "middle", "end"):
        table.add_column(column, justify="right")
    for name, memory_mb in figures["rss_mb"].items():
        row = (f"{memory_mb[when]:.0f}" for when in ("start", "middle", "end"))
        table.add_row(name, f"{cpu[name]:.2f}", f"{floor[name]:.2f}" if name in floor else "", *row)
    table.add_row("the floor's client", "", f"{floor['floor']:.2f}")
    table.add_section()
    table.add_row("together", f"{sum(cpu.values()):.2f}", f"{sum(floor.values()):.2f}")
    table.add_section()
    table.add_row("load generator", f"{figures['load_generator_cpu_ms_per_ticket']:.2f}")
    console.print(table)
    for what, rate, times in (
        ("accepted", "accepted_per_s", "accept_ms"),
        ("told by mail", "tickets_per_s", "ticket_ms"),
    ):
        ms = figures[times]
        console.print(f"  {what}: {figures[rate]:.1f}/s, p50 {ms['p50']:.0f} ms, p99 {ms['p99']:.0f} ms")
    console.print(
        f"  refused {figures['refused']}, lost {figures['lost']}, duplicated {figures['duplicated']}; "
        f"{figures['ratio_to_floor']:.2f} of the floor's {figures['floor_tickets_per_s']:.1f} tickets/s"
    )
