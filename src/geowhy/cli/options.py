"""What verbs share: how their options are written, and how long work is told of.

A verb ``v`` is a function ``_v``: its parameters are the options, ``name: Annotated[type,
option(...)]``, its docstring is the help, and what it returns the exit status, None for 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer

__all__ = [
    "JsonLines", "ModelName", "OneJson", "Verb", "flag", "option", "progress", "say", "share",
    "to_file", "with_progress",
]  # fmt: skip

Item = TypeVar("Item")
Verb = Callable[..., int | None]


def option(*names: str, help: str, **settings: Any) -> Any:
    """An option that takes a value; its help says the default."""
    return typer.Option(*names, help=help, show_default=False, **settings)


def to_file(help: str) -> Any:
    """The option -o, for a file to write."""
    return option("-o", "--output", help=help, metavar="FILE")


def flag(name: str, help: str) -> Any:
    """An option that is given or not."""
    return typer.Option(name, help=help, show_default=False)


def share(word: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise typer.BadParameter(f"{word!r} is no number from 0 to 1")
    return number


ModelName = Annotated[
    str, option(help="A model's name or folder (default: embedded).", metavar="NAME_OR_DIR")
]
OneJson = Annotated[bool, flag("--json", "One JSON object.")]
JsonLines = Annotated[bool, flag("--json", "One JSON object a line.")]


def say(step: str) -> None:
    """Tells of long work on standard error."""
    print(step, file=sys.stderr, flush=True)


@contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told what is done and what there is to do, and goes away at the end.

    Only for people who would otherwise see nothing.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bars:
        bar = bars.add_task(words, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)


def with_progress(items: Iterable[Item], total: int) -> Iterator[Item]:
    """The items, counted on the terminal as they pass."""
    # A few are done before anyone wonders; answers on a terminal show the progress themselves.
    if total <= 8 or sys.stdout.isatty():
        yield from items
        return
    with progress("images") as show:
        for done, item in enumerate(items, start=1):
            show(done, total)
            yield item
