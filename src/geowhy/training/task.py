"""What a run learns: the contract between an objective, which is one file, and the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from geowhy.training.dataset import BatchOrder

__all__ = ["Batch", "Task"]

Model_co = TypeVar("Model_co", covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The training samples of one step.

    Attributes:
        rows: those that this process learns from ``[N]``.
        order: in which all processes draw.
        step: from 0.
    """

    rows: Tensor
    order: BatchOrder
    step: int

    @property
    def past(self) -> Tensor:
        """The samples drawn before this step ``[order.queue]``, the same in every process."""
        return torch.from_numpy(self.order.queue_rows(self.step))


class Task(Protocol[Model_co]):
    """An objective with its data and the module that it trains.

    The loop owns the optimiser, the schedule, checkpoints and processes, and seeds torch before
    each step; chance in `losses` comes from torch's generator alone.

    Attributes:
        module: what is optimised, saved and resumed, in training mode when `losses` is called.
        samples: how many there are to draw batches from.
    """

    module: nn.Module
    samples: int

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars by name, for the log; ``total`` is minimised, a mean over the batch's rows."""

    def validation(self) -> dict[str, float]:
        """``validation``: the weights are best, and kept, where it is least; or nothing."""

    def export(self) -> Model_co:
        """What was learnt, as inference takes it: numpy, in full precision."""
