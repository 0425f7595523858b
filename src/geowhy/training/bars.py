"""Bars of progress of a run, one a stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from geowhy.training.features import Progress
from geowhy.training.processes import Processes

__all__ = ["StageBars", "progress_bars"]


class StageBars:
    """Progress bars, one a stage; silent in all processes but the leading one."""

    def __init__(self, bars: Bars, prefix: str = "") -> None:
        self._bars = bars
        self._prefix = prefix

    def named(self, prefix: str) -> StageBars:
        """The same bars, for stages whose names begin so."""
        return StageBars(self._bars, prefix)

    def say(self, text: str) -> None:
        """Writes lines above the bars, as they are: a file's name may look like markup."""
        if not self._bars.disable:
            text = self._prefix + text
            self._bars.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def stage(self, name: str) -> Progress:
        """Begins a stage; the result takes done and total."""
        task = self._bars.add_task(self._prefix + name, total=None)
        return lambda done, total: self._bars.update(task, completed=done, total=total)


@contextmanager
def progress_bars(processes: Processes) -> Iterator[StageBars]:
    """Bars that show only in the leading process."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, disable=not processes.leads) as bars:
        yield StageBars(bars)
