"""Gives a location encoder its first shape: it learns the truth of the concepts at places.

Only training places are used. From this space the directions ``E`` of the concept basis are fitted
before the alignment begins.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from geowhy.training.config import LocationConfig
from geowhy.training.dataset import Places
from geowhy.training.features import Progress
from geowhy.training.location_torch import TorchLocationEncoder

__all__ = ["embed_places", "pretrain_location"]

PLACES_AT_ONCE = 4096


def pretrain_location(
    encoder: TorchLocationEncoder,
    places: Places,
    config: LocationConfig,
    seed: int,
    on_progress: Progress,
) -> None:
    """Regresses the truth of the places through a linear read-out, in place and without dropout."""
    encoder.eval()
    truth = places.truth
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
        rows = torch.randint(len(truth), (config.pretraining_batch,), generator=generator)
        rows = rows.to(truth.device)
        embeddings = encoder(places.lat_lon[rows], places.surroundings[rows])
        loss = nn.functional.mse_loss(readout(embeddings), truth[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        on_progress(step + 1, config.pretraining_steps)


def embed_places(encoder: TorchLocationEncoder, places: Places, count: int | None = None) -> Tensor:
    """Embeddings ``[N, d]`` of places, or of the first ``count``, without gradients or dropout."""
    chunks = torch.arange(len(places.lat_lon))[:count].split(PLACES_AT_ONCE)
    encoder.eval()
    with torch.no_grad():
        return torch.cat([encoder(places.lat_lon[c], places.surroundings[c]) for c in chunks])
