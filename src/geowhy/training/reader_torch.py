"""The map reader with gradients, the same numbers as `geowhy.model.map_reader`; its training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from geowhy.model.map_reader import MAP_LIMIT, PATCH, PICTURE_COLUMNS, PICTURE_GRID
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.training.config import ReaderConfig
from geowhy.training.features import Progress
from geowhy.training.symmetry import SYMMETRIES, turned

__all__ = ["ReadingLesson", "TorchMapReader", "train_reader"]

WARM_UP_STEPS = 50


class TorchMapReader(nn.Module):
    """A network over the fields of a view; its ``state_dict`` has the names of `MapReader`."""

    picture_mean: Tensor
    picture_spread: Tensor
    map_mean: Tensor
    map_spread: Tensor

    def __init__(self, summary: int, config: ReaderConfig) -> None:
        """For ``summary`` whitened statistics; random weights from torch's generator."""
        super().__init__()
        for name, count in (("picture", 3), ("map", len(MAP_NAMES))):
            self.register_buffer(f"{name}_mean", torch.zeros(count, 1, 1))
            self.register_buffer(f"{name}_spread", torch.ones(count, 1, 1))
        self.patch = nn.Conv2d(3, config.hidden, PATCH, stride=PATCH)
        self.context = nn.Linear(summary, config.hidden)
        self.around = nn.Conv2d(config.hidden, config.hidden, 3, padding=1)
        self.field = nn.Conv2d(config.hidden, config.hidden, 1)
        self.maps = nn.Conv2d(config.hidden, len(MAP_NAMES), 1)
        self.dropout = nn.Dropout(config.dropout)

    def fit_scales(self, pictures: Tensor, maps: Tensor) -> None:
        """Takes mean and spread of each colour ``[N, 3, P, P]`` and each map ``[N, m, G, G]``."""
        for name, values in (("picture", pictures), ("map", maps)):
            mean = values.mean(dim=(0, 2, 3))[:, None, None]
            spread = values.std(dim=(0, 2, 3))[:, None, None].clamp(min=1e-3)
            getattr(self, f"{name}_mean").copy_(mean)
            getattr(self, f"{name}_spread").copy_(spread)

    def forward(self, pictures: Tensor, summary: Tensor) -> Tensor:
        """Standardised maps ``[N, m, G, G]`` of pictures ``[N, 3, P, P]`` and their statistics."""
        standard = (pictures - self.picture_mean) / self.picture_spread
        fields = torch.relu(self.patch(standard.clamp(-MAP_LIMIT, MAP_LIMIT)))
        context = self.context(self.dropout(summary))[:, :, None, None]
        hidden = torch.relu(self.around(fields) + context)
        return cast(Tensor, self.maps(torch.relu(self.field(hidden))))

    def to_tensors(self) -> dict[str, NDArray[np.float32]]:
        """A copy of all weights, as `MapReader` takes them."""
        return {name: t.detach().cpu().numpy().copy() for name, t in self.state_dict().items()}


@dataclass(frozen=True, slots=True, eq=False)
class ReadingLesson:
    """What a reader learns from.

    Attributes:
        features: of the backbone, the picture last ``[N, f]``.
        summary: whitened statistics of the views ``[N, s]``.
        surroundings: what the atlas says around them, the maps first ``[N, a]``.
        land: the same of places on land at large, from which the units of maps are taken.
    """

    features: NDArray[np.float32]
    summary: NDArray[np.float32]
    surroundings: NDArray[np.float32]
    land: NDArray[np.float32]


def train_reader(
    lesson: ReadingLesson,
    taught: NDArray[np.intp],
    config: ReaderConfig,
    seed: int,
    on_progress: Progress = lambda done, total: None,
) -> TorchMapReader:
    """Teaches a reader the maps around training views, under all symmetries of the square.

    Args:
        lesson: views and maps.
        taught: rows of the views that it learns from.
        config: sizes and steps.
        seed: of weights, batches and dropout.
        on_progress: takes steps done and to do.
    """
    pictures = torch.from_numpy(lesson.features[:, -PICTURE_COLUMNS:])
    maps, land = (
        torch.from_numpy(around[:, : len(MAP_NAMES) * MAP_GRID**2])
        for around in (lesson.surroundings, lesson.land)
    )
    summary, rows_taught = torch.from_numpy(lesson.summary), torch.from_numpy(taught)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = TorchMapReader(summary.shape[1], config)
        reader.fit_scales(_grids(pictures, PICTURE_GRID), _grids(land, MAP_GRID))
        optimiser = torch.optim.AdamW(
            reader.parameters(), lr=config.rate, weight_decay=config.weight_decay
        )
        for step in range(config.steps):
            for group in optimiser.param_groups:
                group["lr"] = config.rate * _rate_factor(step, config.steps)
            rows = rows_taught[torch.randint(len(taught), (config.batch,))]
            symmetry = int(torch.randint(SYMMETRIES, ()))
            kept = torch.rand(config.batch, 1) >= config.summary_dropout
            read = reader(
                _grids(turned(pictures[rows], 0, 3, PICTURE_GRID, symmetry), PICTURE_GRID),
                summary[rows] * kept,
            )
            truth = _grids(turned(maps[rows], 0, len(MAP_NAMES), MAP_GRID, symmetry), MAP_GRID)
            standard = (truth - reader.map_mean) / reader.map_spread
            loss = F.mse_loss(read, standard.clamp(-MAP_LIMIT, MAP_LIMIT))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            on_progress(step + 1, config.steps)
    return reader.eval()


def _grids(rows: Tensor, grid: int) -> Tensor:
    """Rows ``[N, c * grid²]`` as maps ``[N, c, grid, grid]``."""
    return rows.reshape(len(rows), -1, grid, grid)


def _rate_factor(step: int, steps: int) -> float:
    """A short warm-up, under half a cosine down to 0."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))
