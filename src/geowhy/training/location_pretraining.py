"""Gives a location encoder its first shape: it learns the truth of the concepts at places.

Only training places are used. From this space the directions ``E`` of the concept basis are fitted
before the alignment begins.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from geowhy.training.config import LocationConfig
from geowhy.training.features import Progress
from geowhy.training.location_torch import TorchLocationEncoder

__all__ = ["embed_places", "pretrain_location"]

PLACES_AT_ONCE = 4096


def pretrain_location(
    encoder: TorchLocationEncoder,
    lat_lon: Tensor,
    truth: Tensor,
    config: LocationConfig,
    seed: int,
    on_progress: Progress,
) -> None:
    """Regresses the truth ``[N, k]`` at degrees ``[N, 2]`` through a linear read-out, in place."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        readout = nn.Linear(encoder.architecture.size, truth.shape[1]).to(truth.device)
    optimiser = torch.optim.AdamW(
        [*encoder.parameters(), *readout.parameters()], lr=config.pretraining_rate
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, max(config.pretraining_steps, 1)
    )
    for step in range(config.pretraining_steps):
        rows = torch.randint(len(lat_lon), (config.pretraining_batch,), generator=generator)
        rows = rows.to(truth.device)
        loss = nn.functional.mse_loss(readout(encoder(lat_lon[rows])), truth[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        on_progress(step + 1, config.pretraining_steps)


def embed_places(encoder: TorchLocationEncoder, lat_lon: Tensor) -> Tensor:
    """Embeddings ``[N, d]`` of degrees ``[N, 2]``, without gradients."""
    with torch.no_grad():
        return torch.cat([encoder(chunk) for chunk in lat_lon.split(PLACES_AT_ONCE)])


def mean_embedding(encoder: TorchLocationEncoder, lat_lon: Tensor) -> NDArray[np.float32]:
    """Mean embedding ``[d]`` of degrees ``[N, 2]``."""
    return np.asarray(embed_places(encoder, lat_lon).mean(dim=0).cpu().numpy(), np.float32)
