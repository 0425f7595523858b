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
from geowhy.training.regression import regress, tensors_of

__all__ = ["PlaceNetwork", "train_place_reader"]

LIMIT = 6.0  # standard deviations; a rare land cover shall not drown the others


class PlaceNetwork(nn.Module):
    """One hidden layer; its ``state_dict`` has the names of `PlaceReader`."""

    def __init__(self, config: PlaceReaderConfig) -> None:
        """Random weights from torch's generator."""
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(PLACE_READING_SIZE))
        self.spread = nn.Buffer(torch.ones(PLACE_READING_SIZE))
        self.location_mean = nn.Buffer(torch.zeros(config.size))
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
    """Regresses the truth at training places, degrees ``[N, 2]``, through a linear read-out.

    Directions are fitted in the space of the result.

    Raises:
        DataError: if a concept is the same at all of these places.
    """
    atlas = Atlas.load()
    truth = vocabulary.truth(atlas, lat_lon)
    read = torch.from_numpy(read_places(atlas, lat_lon))
    standardised = torch.from_numpy(GroundTruth.fit(truth).standardised(truth))
    generator = torch.Generator().manual_seed(seed)

    def loss_of_a_batch() -> Tensor:
        rows = torch.randint(len(read), (config.batch,), generator=generator)
        return nn.functional.mse_loss(learner(read[rows]), standardised[rows])

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PlaceNetwork(config)
        network.mean.copy_(read.mean(dim=0))
        network.spread.copy_(read.std(dim=0, correction=0) + 1e-3)
        learner = nn.Sequential(network, nn.Linear(config.size, truth.shape[1]))
        steps, rate, decay = config.steps, config.rate, config.weight_decay
        regress(learner, loss_of_a_batch, steps, rate, on_progress, weight_decay=decay)
    network.eval()
    with torch.no_grad():
        network.location_mean.copy_(network(read).mean(dim=0))
        embeddings = network(read).numpy()
    directions = fit_grounded(embeddings, truth, names=vocabulary.names)
    bank = ConceptBank.build(vocabulary, directions, "grounded")
    return PlaceReader(tensors_of(network), bank)
