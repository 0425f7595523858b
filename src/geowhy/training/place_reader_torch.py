"""Trains the place reader: it learns the truth of the concepts that no view shows."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from geowhy.arrays import Floats32, Points
from geowhy.concepts.bank import ConceptBank
from geowhy.concepts.sources import GroundedSource
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.geo.atlas import Atlas
from geowhy.model.place_reader import LIMIT, PLACE_READING_SIZE, PlaceReader, read_places
from geowhy.training.config import PlaceReaderConfig
from geowhy.training.dataset import GroundTruth
from geowhy.training.features import Progress

__all__ = ["train_place_reader"]


def train_place_reader(
    vocabulary: Vocabulary,
    lat_lon: Points,
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
    read = read_places(atlas, lat_lon)
    mean, spread = read.mean(axis=0), read.std(axis=0) + np.float32(1e-3)
    standard = np.clip((read - mean) / spread, -LIMIT, LIMIT)
    standardised = GroundTruth.fit(truth).standardised(truth)
    hidden, head = _fitted(standard, standardised, config, seed, on_progress)
    with torch.no_grad():
        embeddings = head(torch.relu(hidden(torch.from_numpy(standard)))).numpy()
    centre = embeddings.mean(axis=0)
    source = GroundedSource(embeddings - centre, truth)
    tensors = {
        "mean": mean,
        "spread": spread,
        "location_mean": centre,
        **{f"hidden.{n}": p.detach().numpy() for n, p in hidden.named_parameters()},
        **{f"head.{n}": p.detach().numpy() for n, p in head.named_parameters()},
    }
    return PlaceReader(tensors, ConceptBank.build(vocabulary, source))


def _fitted(
    inputs: Floats32, truth: Floats32, config: PlaceReaderConfig, seed: int, on_progress: Progress
) -> tuple[nn.Linear, nn.Linear]:
    """Hidden layer and head, trained to regress the truth through a linear read-out."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.from_numpy(inputs), torch.from_numpy(truth)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hidden = nn.Linear(PLACE_READING_SIZE, config.hidden)
        head = nn.Linear(config.hidden, config.size)
        readout = nn.Linear(config.size, y.shape[1])
        dropout = nn.Dropout(config.dropout)
        network = nn.Sequential(hidden, nn.ReLU(), dropout, head, readout)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=config.rate, weight_decay=config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
        for step in range(config.steps):
            rows = torch.randint(len(x), (config.batch,), generator=generator)
            loss = nn.functional.mse_loss(network(x[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            on_progress(step + 1, config.steps)
    return hidden, head
