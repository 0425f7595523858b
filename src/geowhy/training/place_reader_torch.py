"""The network of the place reader and its training, by the truth of concepts that no view shows.

`geowhy.model.place_reader` runs it exported.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from geowhy.arrays import Floats64
from geowhy.concepts.bank import ConceptBank, fit_grounded
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.geo.atlas import Atlas
from geowhy.model.place_reader import PLACE_READING_SIZE, PlaceReader, read_places
from geowhy.training.config import PlaceReaderConfig
from geowhy.training.dataset import GroundTruth
from geowhy.training.features import Progress

__all__ = ["PlaceNetwork", "train_place_reader"]

LIMIT = 6.0  # standard deviations; a rare land cover shall not drown the others


class PlaceNetwork(nn.Module):
    """One hidden layer; its ``state_dict`` has the names of `PlaceReader`."""

    mean: Tensor
    spread: Tensor
    location_mean: Tensor

    def __init__(self, config: PlaceReaderConfig) -> None:
        """Random weights from torch's generator."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(PLACE_READING_SIZE))
        self.register_buffer("spread", torch.ones(PLACE_READING_SIZE))
        self.register_buffer("location_mean", torch.zeros(config.size))
        self.hidden = nn.Linear(PLACE_READING_SIZE, config.hidden)
        self.head = nn.Linear(config.hidden, config.size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, read: Tensor) -> Tensor:
        """Readings of the atlas ``[N, PLACE_READING_SIZE]`` to centred embeddings ``[N, p]``."""
        standard = ((read - self.mean) / self.spread).clamp(-LIMIT, LIMIT)
        hidden = self.dropout(torch.relu(self.hidden(standard)))
        return cast(Tensor, self.head(hidden) - self.location_mean)


def train_place_reader(
    vocabulary: Vocabulary,
    lat_lon: Floats64,
    config: PlaceReaderConfig,
    seed: int,
    on_progress: Progress,
) -> PlaceReader:
    """From training places, degrees ``[N, 2]``; directions are fitted in the space of the result.

    Raises:
        DataError: if a concept is the same at all of these places.
    """
    atlas = Atlas.load()
    truth = vocabulary.truth(atlas, lat_lon)
    read = torch.from_numpy(read_places(atlas, lat_lon))
    standardised = torch.from_numpy(GroundTruth.fit(truth).standardised(truth))
    network = _trained(read, standardised, config, seed, on_progress)
    with torch.no_grad():
        network.location_mean.copy_(network(read).mean(dim=0))
        embeddings = network(read).numpy()
    tensors = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    directions = fit_grounded(embeddings, truth, names=vocabulary.names)
    return PlaceReader(tensors, ConceptBank.build(vocabulary, directions, "grounded"))


def _trained(
    read: Tensor, truth: Tensor, config: PlaceReaderConfig, seed: int, on_progress: Progress
) -> PlaceNetwork:
    """Regresses the standardised truth ``[N, k]`` through a linear read-out."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PlaceNetwork(config)
        network.mean.copy_(read.mean(dim=0))
        network.spread.copy_(read.std(dim=0, correction=0) + 1e-3)
        learner = nn.Sequential(network, nn.Linear(config.size, truth.shape[1]))
        optimiser = torch.optim.AdamW(
            learner.parameters(), lr=config.rate, weight_decay=config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
        for step in range(config.steps):
            rows = torch.randint(len(read), (config.batch,), generator=generator)
            loss = nn.functional.mse_loss(learner(read[rows]), truth[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            on_progress(step + 1, config.steps)
    return network.eval()
