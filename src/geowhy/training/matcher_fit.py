"""Measures how far readings of maps are off, where no training view was, to weigh them by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import ConfigError
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import EARTH_RADIUS_KM
from geowhy.model.map_matcher import MapMatcher, patterns
from geowhy.model.map_reader import MapReader
from geowhy.training.config import ReaderConfig
from geowhy.training.dataset import Places
from geowhy.training.features import Progress
from geowhy.training.reader_torch import ReadingLesson, train_reader

__all__ = ["fit_matcher"]

FOLDS = 4  # of 10-degree cells
MEASURED = 2  # of the folds; more of them gained nothing on validation views
VIEWS_A_FOLD = 4_000
CHUNK = 500

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]


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

    Args:
        lesson: what the reader learns from, of the training views.
        places: centres of the same views.
        land: places on land; the nearest one stands for the truth, as it does in a gallery.
        clear_km: views that are nearer to each other than this share pixels.
        config: of the reader.
        seed: of the folds and the readers.
        on_progress: takes folds done and to do.

    Raises:
        ConfigError: if there are too few views to hold some out.
    """
    units = places.units.cpu().numpy()
    cells = ten_degree_cell(places.lat_lon.cpu().numpy())
    fold_of_cell = np.random.default_rng(seed).permutation(cells.max() + 1) % FOLDS
    land_units = land.units.cpu().numpy()
    land_surroundings = land.surroundings.cpu().numpy()
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
        reader = MapReader(train_reader(lesson, taught, config, seed).to_tensors())
        some = held_out[:: max(1, len(held_out) // VIEWS_A_FOLD)]
        read = patterns(reader.read(lesson.features[some], lesson.summary[some]))
        nearest = land_surroundings[_nearest(units[some], land_units)]
        errors.append(read - patterns(reader.mapped(nearest)))
        on_progress(fold + 1, MEASURED)
    everywhere = patterns(reader.mapped(lesson.land))  # every reader has the same units
    return MapMatcher.fit(np.concatenate(errors), everywhere)


def _clear_of(held_out: Rows, units: Floats, clear_km: float) -> Rows:
    """Rows of ``units`` that are at least so far from every held-out one."""
    limit = np.cos(clear_km / EARTH_RADIUS_KM)
    is_near = np.zeros(len(units), bool)
    for start in range(0, len(held_out), CHUNK):
        chunk = units[held_out[start : start + CHUNK]]
        is_near |= (units @ chunk.T).max(axis=1) > limit
    return np.flatnonzero(~is_near)


def _nearest(units: Floats, among: Floats) -> Rows:
    chunks = (units[start : start + CHUNK] for start in range(0, len(units), CHUNK))
    return np.concatenate([(chunk @ among.T).argmax(axis=1) for chunk in chunks])
