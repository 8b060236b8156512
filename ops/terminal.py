"""How commands print what others wrote: as text, whole, and without obeying it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

WIDE = 250  # columns: an id that is cut cannot be copied


def note(text: str) -> None:
    """Say in a line beside the result what one should know about it."""
    Console(stderr=True).print(printable(text), style="yellow", highlight=False, markup=False, soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of plain text; columns whose name begins with ``>`` are numbers."""
    made = Table(box=None, pad_edge=False)
    for column in columns:
        made.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left", no_wrap=True)
    for row in rows:
        made.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    return made


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table without cutting anything, however narrow the terminal is."""
    Console(width=WIDE).print(table(columns, rows), crop=False)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how much is done, as the yielded function is told; elsewhere nothing is shown."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=total)
        yield lambda count: shown.advance(task, count)


def counted(count: int, one: str, many: str) -> str:
    """So many of something, in the words for one or for many."""
    return f"{count:,} {one if count == 1 else many}"


def printable(text: str) -> str:
    """Text that cannot move the cursor or colour the screen, whoever wrote it."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def age(moment: datetime | None) -> str:
    """How long ago, in the largest unit that fits."""
    return "?" if moment is None else span((datetime.now(UTC) - moment).total_seconds())


def span(seconds: float) -> str:
    """A length of time, in the largest unit that fits."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(int(seconds), 0)} s"
