"""What the atlas says of the 320 km around a coordinate, as one row of numbers.

A location encoder that sees coordinates alone knows nothing of a region that no training image
came from. One that reads maps does: where the water lies, how high and how green the land is, and
what grows on it can be matched with a view of a place that was never shown. First come maps of the
surroundings on a coarse grid, then how much each of them varies, then the climate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats32, Floats64, Points
from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import unit_to_lat_lon
from geowhy.images.overhead import view_grid

__all__ = ["MAP_GRID", "MAP_NAMES", "SURROUNDINGS_SIZE", "read_surroundings"]


WIDTH_KM = 320.0
SAMPLES = 32  # a side, 10 km apart: as fine as the atlas
MAP_GRID = 8  # fields a side, each the mean of 4 by 4 samples
PLACES_AT_ONCE = 1000  # 1 M samples: about 100 MB of intermediate arrays


def _signed_root(metres: Floats32) -> Floats32:
    """Tells lowlands apart, where most land lies, and leaves mountains in bounds."""
    return np.asarray(np.sign(metres) * np.sqrt(np.abs(metres)), np.float32)


MAPPED_LAYERS = ("land", "elevation", "relief", "ndvi_max", "ndvi_min")
COVER_GROUPS: dict[str, tuple[int, ...]] = {  # IGBP classes
    "water": (0,),
    "forest": (1, 2, 3, 4, 5),
    "shrubland": (6, 7),
    "savanna and grassland": (8, 9, 10),
    "wetland": (11,),
    "cropland": (12, 14),
    "snow and ice": (15,),
    "barren": (16,),
}
CLIMATE_LAYERS = (
    *("temperature_mean", "temperature_range", "precipitation", "ghi", "wind", "humidity"),
    *("distance_to_coast_km", "population_50km"),
)
TRANSFORMS: dict[str, Callable[[Floats32], Floats32]] = {  # the others are read as they are
    **dict.fromkeys(("elevation", "relief"), _signed_root),
    **dict.fromkeys(("precipitation", "distance_to_coast_km"), np.log1p),
}
KOPPEN_CLASSES = 30
COVER_CLASSES = 17

MAP_NAMES = (*MAPPED_LAYERS, *COVER_GROUPS)
SURROUNDINGS_SIZE = (
    len(MAP_NAMES) * MAP_GRID**2 + len(MAP_NAMES) + len(CLIMATE_LAYERS) + KOPPEN_CLASSES
)


def read_surroundings(lat_lon: ArrayLike) -> Floats32:
    """The surroundings of degrees ``[N, 2]``, ``[N, SURROUNDINGS_SIZE]``.

    The first ``len(MAP_NAMES) * MAP_GRID ** 2`` columns are maps: map by row from the north by
    column from the west. Where a layer has no value, mostly at sea, a map reads 0; the climate is
    the mean of the samples that have one.
    """
    atlas, centres = Atlas.load(), np.asarray(lat_lon, np.float64).reshape(-1, 2)
    rows = np.empty((len(centres), SURROUNDINGS_SIZE), np.float32)
    for start in range(0, len(centres), PLACES_AT_ONCE):
        chunk = slice(start, start + PLACES_AT_ONCE)
        rows[chunk] = _surroundings(atlas, centres[chunk])
    return rows


def _surroundings(atlas: Atlas, centres: Points) -> Floats32:
    samples = unit_to_lat_lon(view_grid(centres, WIDTH_KM / SAMPLES, SAMPLES))
    continuous = [
        TRANSFORMS.get(name, np.asarray)(np.nan_to_num(_values(atlas, name, samples)))
        for name in MAPPED_LAYERS
    ]
    cover = _values(atlas, "land_cover", samples).astype(np.intp)
    covers = [
        np.isin(np.arange(COVER_CLASSES), group).astype(np.float32)[cover]
        for group in COVER_GROUPS.values()
    ]
    maps = np.stack([*continuous, *covers], axis=1)
    count, number = maps.shape[:2]
    step = SAMPLES // MAP_GRID
    coarse = maps.reshape(count, number, MAP_GRID, step, MAP_GRID, step).mean(axis=(3, 5))
    climate = _climate(atlas, samples[:, ::step, ::step].reshape(count, -1, 2))
    return np.concatenate([coarse.reshape(count, -1), maps.std(axis=(2, 3)), climate], axis=1)


def _climate(atlas: Atlas, samples: Floats64) -> Floats32:
    """Means of the climate layers and shares of the Köppen classes, ``[N, 8 + 30]``."""
    means = [
        TRANSFORMS.get(name, np.asarray)(_known_mean(_values(atlas, name, samples)))
        for name in CLIMATE_LAYERS
    ]
    koppen = _values(atlas, "koppen_30", samples)
    shares = [(koppen == number).mean(axis=1) for number in range(KOPPEN_CLASSES)]
    return np.stack([*means, *shares], axis=1).astype(np.float32)


def _known_mean(values: Floats32) -> Floats32:
    """Mean of the values that aren't NaN, ``[N, S]`` to ``[N]``; 0 where all are."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0).sum(axis=1)
    return np.asarray(total / np.maximum(known.sum(axis=1), 1), np.float32)


def _values(atlas: Atlas, name: str, samples: Floats64) -> Floats32:
    """A layer at ``[..., 2]``, ``[...]``."""
    flat = atlas.layer(name).at(samples.reshape(-1, 2))
    return np.asarray(flat, np.float32).reshape(samples.shape[:-1])
