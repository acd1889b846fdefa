"""Print results: for a person on a terminal, as JSON for a program.

Standard output is JSON if it is not a terminal, or with ``--json``. On a terminal it is a table or a summary.
Everything that is not the result (questions, notes, progress) goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol, cast

from ..text import Style, printable

__all__ = [
    "Progress",
    "as_json",
    "format_time",
    "json_value",
    "note",
    "print_json",
    "print_members",
    "print_table",
    "progress",
]


def as_json(arguments: argparse.Namespace) -> bool:
    """Return whether the result is to be printed as JSON."""
    return bool(getattr(arguments, "json", False)) or not sys.stdout.isatty()


def print_json(document: object) -> None:
    """Print *document* as JSON. Dates become strings in ISO 8601."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=json_value))


def json_value(value: object) -> str:
    """Return *value*, which is not a JSON value, as a string: a date in ISO 8601."""
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)


def print_members(members: Mapping[str, object]) -> None:
    """Print one line for each member, with the values below each other."""
    style = Style(sys.stdout)
    width = max(map(len, members), default=0)
    for name, value in members.items():
        print(f"{style.paint(printable(name.ljust(width)), 'dim')}  {_cell(value)}")


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print *rows* with the columns below each other."""
    style = Style(sys.stdout)
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    print("  ".join(style.paint(head.ljust(width), "bold") for head, width in zip(heads, widths, strict=True)).rstrip())
    for row in cells:
        print("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, cast("Sequence[object]", value)))
    return printable(str(value))


def note(text: str) -> None:
    """Print *text* to standard error."""
    print(printable(text), file=sys.stderr)


def format_time(seconds: float, now: float | None = None) -> str:
    """Return a time as the local date, with the distance from *now*: ``2026-11-29 22:30:01 (in 59 minutes)``."""
    try:
        date = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):
        return str(seconds)
    return f"{date} ({_distance(seconds - (time.time() if now is None else now))})"


def _distance(seconds: float) -> str:
    size = abs(seconds)
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        number = int(size // length)
        if number or length == 1:
            words = f"{number} {unit}{'' if number == 1 else 's'}"
            return f"in {words}" if seconds >= 0 else f"{words} ago"
    return ""


class Progress(Protocol):
    """What a long command calls after each item."""

    def __call__(self, done: int, /) -> None:
        """Show that *done* items are done."""


@contextmanager
def progress(what: str, total: int | None = None) -> Generator[Progress, None, None]:
    """Yield a function that shows how many items are done, on standard error if that is a terminal.

    The bar needs rich (extra ``cli``). Without it, the number is printed at the end only.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar
    except ImportError:
        last = 0

        def count(done: int) -> None:
            nonlocal last
            last = done

        yield count
        print(f"{what}: {last}", file=sys.stderr)
        return
    number = TextColumn("{task.completed}") if total is None else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), number, TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)

        def show(done: int) -> None:
            bar.update(task, completed=done)

        yield show
