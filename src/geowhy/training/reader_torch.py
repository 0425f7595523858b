"""The network of the map reader and its training; `geowhy.model.maps` runs it exported.

How far readings are off is measured where no training view was, and they are weighed by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from geowhy.arrays import Floats32, Ints, Rows
from geowhy.errors import ConfigError
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import EARTH_RADIUS_KM
from geowhy.model.maps import (
    MAP_LIMIT,
    PATCH,
    PICTURE_COLUMNS,
    PICTURE_GRID,
    MapMatcher,
    MapReader,
    patterns,
)
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.training.config import ReaderConfig
from geowhy.training.dataset import SYMMETRIES, Places, turned
from geowhy.training.features import Progress
from geowhy.training.regression import regress, tensors_of

__all__ = ["ReadingLesson", "TorchMapReader", "fit_matcher", "train_reader"]

WARM_UP = 50  # steps
FOLDS = 4  # of 10-degree cells
MEASURED = 2  # of the folds; more of them gained nothing on validation views
VIEWS_A_FOLD = 4_000
CHUNK = 500


class TorchMapReader(nn.Module):
    """A network over the fields of a view; its ``state_dict`` has the names of `MapReader`."""

    def __init__(self, summary: int, config: ReaderConfig) -> None:
        """For ``summary`` whitened statistics; random weights from torch's generator."""
        super().__init__()
        self.picture_mean = nn.Buffer(torch.zeros(3, 1, 1))
        self.picture_spread = nn.Buffer(torch.ones(3, 1, 1))
        self.map_mean = nn.Buffer(torch.zeros(len(MAP_NAMES), 1, 1))
        self.map_spread = nn.Buffer(torch.ones(len(MAP_NAMES), 1, 1))
        self.patch = nn.Conv2d(3, config.hidden, PATCH, stride=PATCH)
        self.context = nn.Linear(summary, config.hidden)
        self.around = nn.Conv2d(config.hidden, config.hidden, 3, padding=1)
        self.field = nn.Conv2d(config.hidden, config.hidden, 1)
        self.maps = nn.Conv2d(config.hidden, len(MAP_NAMES), 1)
        self.dropout = nn.Dropout(config.dropout)

    def fit_scales(self, pictures: Tensor, maps: Tensor) -> None:
        """Takes mean and spread of each colour ``[N, 3, P, P]`` and each map ``[N, m, G, G]``."""
        for values, mean, spread in (
            (pictures, self.picture_mean, self.picture_spread),
            (maps, self.map_mean, self.map_spread),
        ):
            mean.copy_(values.mean(dim=(0, 2, 3))[:, None, None])
            spread.copy_(values.std(dim=(0, 2, 3))[:, None, None].clamp(min=1e-3))

    def forward(self, pictures: Tensor, summary: Tensor) -> Tensor:
        """Standardised maps ``[N, m, G, G]`` of pictures ``[N, 3, P, P]`` and their statistics."""
        standard = (pictures - self.picture_mean) / self.picture_spread
        fields = torch.relu(self.patch(standard.clamp(-MAP_LIMIT, MAP_LIMIT)))
        context = self.context(self.dropout(summary))[:, :, None, None]
        hidden = torch.relu(self.around(fields) + context)
        return cast(Tensor, self.maps(torch.relu(self.field(hidden))))


@dataclass(frozen=True, slots=True, eq=False)
class ReadingLesson:
    """What a reader learns from, N views."""

    features: Floats32  # of the backbone, the picture last [N, f]
    summary: Floats32  # their whitened statistics [N, s]
    surroundings: Floats32  # what the atlas says around them, the maps first [N, a]
    land: Floats32  # the same of places on land at large, which give the units of maps


def train_reader(
    lesson: ReadingLesson,
    taught: Ints,
    config: ReaderConfig,
    seed: int,
    on_progress: Progress = lambda done, total: None,
) -> TorchMapReader:
    """Teaches a reader the maps around the views ``taught`` ``[n]``, rows of the lesson.

    Batches come under all symmetries of the square.
    """
    pictures = torch.from_numpy(lesson.features[:, -PICTURE_COLUMNS:])
    maps, land = (
        torch.from_numpy(around[:, : len(MAP_NAMES) * MAP_GRID**2])
        for around in (lesson.surroundings, lesson.land)
    )
    summary, rows_taught = torch.from_numpy(lesson.summary), torch.from_numpy(taught)

    def loss_of_a_batch() -> Tensor:
        rows = rows_taught[torch.randint(len(taught), (config.batch,))]
        symmetry = int(torch.randint(SYMMETRIES, ()))
        kept = torch.rand(config.batch, 1) >= config.summary_dropout
        picture = turned(pictures[rows], 0, 3, PICTURE_GRID, symmetry)
        read = reader(_grids(picture, PICTURE_GRID), summary[rows] * kept)
        truth = _grids(turned(maps[rows], 0, len(MAP_NAMES), MAP_GRID, symmetry), MAP_GRID)
        standard = (truth - reader.map_mean) / reader.map_spread
        return F.mse_loss(read, standard.clamp(-MAP_LIMIT, MAP_LIMIT))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = TorchMapReader(summary.shape[1], config)
        reader.fit_scales(_grids(pictures, PICTURE_GRID), _grids(land, MAP_GRID))
        steps, rate, decay = config.steps, config.rate, config.weight_decay
        regress(
            reader, loss_of_a_batch, steps, rate, on_progress, weight_decay=decay, warm_up=WARM_UP
        )
    return reader.eval()


def _grids(rows: Tensor, grid: int) -> Tensor:
    """Rows ``[N, c * grid²]`` as maps ``[N, c, grid, grid]``."""
    return rows.reshape(len(rows), -1, grid, grid)


def fit_matcher(
    lesson: ReadingLesson,
    places: Places,
    land: Places,
    clear_km: float,
    config: ReaderConfig,
    seed: int,
    on_progress: Progress,
) -> MapMatcher:
    """Weighs patterns of maps by the errors of readers that were taught elsewhere.

    ``places`` are the centres of the lesson's views; those nearer to each other than ``clear_km``
    share pixels. The nearest place of ``land`` stands for the truth, as it does in a gallery.

    Raises:
        ConfigError: if there are too few views to hold some out.
    """
    units = places.units.cpu().numpy()
    cells = ten_degree_cell(places.lat_lon.cpu().numpy())
    fold_of_cell = np.random.default_rng(seed).permutation(cells.max() + 1) % FOLDS
    land_units, land_surroundings = land.units.cpu().numpy(), land.surroundings.cpu().numpy()
    errors = []
    for fold in range(MEASURED):
        held_out = np.flatnonzero(fold_of_cell[cells] == fold)
        taught = _clear_of(held_out, units, clear_km)
        if not len(held_out) or not len(taught):
            raise ConfigError(
                f"{len(units)} training views leave {len(taught)} that are clear of the "
                f"{len(held_out)} held out to measure the map reader: raise views.count, or set "
                "reader.steps = 0"
            )
        reader = MapReader(tensors_of(train_reader(lesson, taught, config, seed)))
        some = held_out[:: max(1, len(held_out) // VIEWS_A_FOLD)]
        read = patterns(reader.read(lesson.features[some], lesson.summary[some]))
        chunks = (units[some[start : start + CHUNK]] for start in range(0, len(some), CHUNK))
        nearest = np.concatenate([(chunk @ land_units.T).argmax(axis=1) for chunk in chunks])
        errors.append(read - patterns(reader.mapped(land_surroundings[nearest])))
        on_progress(fold + 1, MEASURED)
    everywhere = patterns(reader.mapped(lesson.land))  # every reader has the same units
    return MapMatcher.fit(np.concatenate(errors), everywhere)


def _clear_of(held_out: Rows, units: Floats32, clear_km: float) -> Rows:
    """Rows of ``units`` that are at least so far from every held-out one."""
    limit = np.cos(clear_km / EARTH_RADIUS_KM)
    is_near = np.zeros(len(units), bool)
    for start in range(0, len(held_out), CHUNK):
        chunk = units[held_out[start : start + CHUNK]]
        is_near |= (units @ chunk.T).max(axis=1) > limit
    return np.flatnonzero(~is_near)
