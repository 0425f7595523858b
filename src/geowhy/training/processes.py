"""Several training processes under ``torchrun``, or a single one, and the progress they show."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from torch import distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from geowhy.training.features import Progress

__all__ = ["Processes", "StageBars", "joined_processes", "progress_bars"]


@dataclass(frozen=True, slots=True)
class Processes:
    """The process of a rank, from 0, among a count of them."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes files."""
        return self.rank == 0

    def sharing_gradients(self, module: nn.Module) -> nn.Module:
        """The module, but each backward pass leaves the mean of all processes' gradients in it.

        All begin with the leading process's parameters; one that no loss depends on gets none.
        """
        if self.count == 1:
            return module
        return DistributedDataParallel(module, broadcast_buffers=False, find_unused_parameters=True)

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all must call it."""
        if self.count == 1:
            return flag
        said = torch.tensor([int(flag)])
        dist.all_reduce(said, op=dist.ReduceOp.MAX)
        return bool(said.item())

    def wait(self) -> None:
        """Waits until all are here."""
        self.any(False)


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """Joins the group that ``torchrun`` announces in the environment; leaves it at the end.

    On "cuda" each process takes a GPU of its own, if there are as many.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    backend = "gloo"  # also where processes share a GPU, which nccl refuses
    if device == "cuda" and torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"]):
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "cpu:gloo,cuda:nccl"  # flags are agreed upon on the CPU
    dist.init_process_group(backend)
    try:
        yield Processes(dist.get_rank(), count)
    finally:
        dist.destroy_process_group()


@dataclass(frozen=True, slots=True)
class StageBars:
    """Progress bars, one a stage, whose names begin with a prefix."""

    bars: Bars
    prefix: str = ""

    def say(self, text: str) -> None:
        """Writes lines above the bars, as they are: a file's name may look like markup."""
        if not self.bars.disable:
            text = self.prefix + text
            self.bars.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def stage(self, name: str) -> Progress:
        """Begins a stage; the result takes done and total."""
        task = self.bars.add_task(self.prefix + name, total=None)
        return lambda done, total: self.bars.update(task, completed=done, total=total)


@contextmanager
def progress_bars(processes: Processes) -> Iterator[StageBars]:
    """Bars that show only in the leading process; all others are silent."""
    count, elapsed = MofNCompleteColumn(), TimeElapsedColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), count, elapsed)
    with Bars(*columns, disable=not processes.leads) as bars:
        yield StageBars(bars)
