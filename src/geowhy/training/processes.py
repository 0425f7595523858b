"""Several training processes under ``torchrun``, or a single one: the same few calls for both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

__all__ = ["Processes", "joined_processes"]


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among all.

    Attributes:
        rank: number of this process, from 0.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes files."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replaces every gradient by its mean over the processes."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.count

    def agree(self, flag: bool) -> bool:
        """What the leading process says; all must call it."""
        if self.count == 1:
            return flag
        said = torch.tensor([int(flag)])
        dist.broadcast(said, src=0)
        return bool(said.item())

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all must call it."""
        if self.count == 1:
            return flag
        said = torch.tensor([int(flag)])
        dist.all_reduce(said, op=dist.ReduceOp.MAX)
        return bool(said.item())

    def wait(self) -> None:
        """Waits until all are here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Joins the group that ``torchrun`` announces in the environment; leaves it at the end."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    # gloo also for GPUs: the few megabytes of gradients here don't warrant another backend.
    dist.init_process_group("gloo")
    try:
        yield Processes(dist.get_rank(), count)
    finally:
        dist.destroy_process_group()
