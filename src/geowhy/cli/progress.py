"""Bars of progress on standard error, only for people who would otherwise see nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["progress", "with_progress"]

A_FEW = 8  # images: so many are done before anyone wonders

Item = TypeVar("Item")


@contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told what is done and what there is to do, and goes away at the end."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.text import Text

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bars:
        bar = bars.add_task(str(Text(words)), total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)


def with_progress(items: Iterable[Item], total: int) -> Iterator[Item]:
    """The items, counted on the terminal as they pass."""
    # If standard output is a terminal too, the answers themselves show the progress.
    if total <= A_FEW or sys.stdout.isatty():
        yield from items
        return
    with progress("images") as show:
        for done, item in enumerate(items, start=1):
            show(done, total)
            yield item
