"""What the small networks share: how they are taught, and how their weights leave torch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from geowhy.arrays import Floats32
from geowhy.training.features import Progress

__all__ = ["regress", "tensors_of"]


def regress(
    network: nn.Module,
    loss_of_a_batch: Callable[[], Tensor],
    steps: int,
    rate: float,
    on_progress: Progress,
    *,
    weight_decay: float = 1e-2,
) -> None:
    """Minimises a loss by AdamW in place, the rate falling by half a cosine.

    ``loss_of_a_batch`` draws a batch, and gives its mean loss ``[]``.
    """
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=weight_decay)
    for step in range(steps):
        cosine = math.cos(math.pi * step / steps)
        for group in optimiser.param_groups:
            group["lr"] = rate * 0.5 * (1 + cosine)
        loss = loss_of_a_batch()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        on_progress(step + 1, steps)


def tensors_of(module: nn.Module) -> dict[str, Floats32]:
    """A copy of all weights, by the names that the module's numpy form takes."""
    return {name: t.detach().cpu().numpy().copy() for name, t in module.state_dict().items()}
