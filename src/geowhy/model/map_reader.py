"""Reads maps off a view, and holds them against the atlas.

A small network tells from a picture of the ground what the atlas would map there: where land and
water lie, how high it is, what grows. Such a reading is right in regions that no training view
showed, for a dark blue pixel is water anywhere; so the outline of a coast can be recognised on
the map. Reading and atlas are compared by their coarse patterns, the lowest frequencies of a
cosine transform of each map. `geowhy.training.reader_torch` is the same with gradients.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.model.tensors import required_tensors

__all__ = [
    "COLUMNS_PER_MAP",
    "LEVEL_WEIGHT",
    "MAP_LIMIT",
    "MAP_TITLES",
    "MAP_WEIGHTS",
    "PATCH",
    "PICTURE_COLUMNS",
    "PICTURE_GRID",
    "READER_TENSORS",
    "ROW_COLUMNS",
    "MapReader",
    "patterns",
    "without_picture",
]

Floats = NDArray[np.float32]

PICTURE_GRID = 32  # the picture of a view, pixels a side; the last of its features
PICTURE_COLUMNS = 3 * PICTURE_GRID**2  # colour by row by column
PATCH = PICTURE_GRID // MAP_GRID  # pixels a side of a field
MAP_LIMIT = 6.0  # standard deviations; a rare land cover shall not drown the others
FREQUENCIES = 4  # a side, of MAP_GRID; the finer ones gained nothing on validation views
# How much a difference counts, of maps in standard deviations. What can be read well and is sharp
# on the map counts most; the other maps added nothing on validation views.
MAP_WEIGHTS = {"land": 2.0, "elevation": 0.7, "ndvi_max": 2.0, "water": 1.0, "forest": 1.0}
# The mean of a map counts less than its pattern: readings err by a whole region, and the concepts
# tell of it already.
LEVEL_WEIGHT = 0.1
MAP_TITLES = {
    "land": "land and sea",
    "elevation": "elevation",
    "ndvi_max": "green in the green season",
    "water": "lakes and sea",
    "forest": "forest",
}
COLUMNS_PER_MAP = FREQUENCIES**2 + 1
ROW_COLUMNS = len(MAP_WEIGHTS) * COLUMNS_PER_MAP
CHOSEN = [MAP_NAMES.index(name) for name in MAP_WEIGHTS]

READER_TENSORS = (
    "picture_mean",
    "picture_spread",
    "map_mean",
    "map_spread",
    "patch.weight",
    "patch.bias",
    "context.weight",
    "context.bias",
    "around.weight",
    "around.bias",
    "field.weight",
    "field.bias",
    "maps.weight",
    "maps.bias",
    "weight",
)


class MapReader:
    """Brings views and places to rows whose inner product says how well their maps agree.

    For one map with patterns ``q`` read off a view and ``g`` of a place, the product is
    ``weight * (2 q·g - |g|²)``: the squared distance, negated, but for ``|q|²``, which is the same
    for all places. So it adds up over maps, and is linear in the row of a place.

    Attributes:
        tensors: the weights by name, float32.
    """

    def __init__(self, tensors: Mapping[str, Floats]) -> None:
        """Takes the weights.

        Raises:
            ModelFormatError: if one is missing.
        """
        self.tensors = required_tensors("the map reader", tensors, READER_TENSORS)

    @property
    def weight(self) -> float:
        """How much the maps count against the concepts."""
        return float(self.tensors["weight"].item())

    @property
    def summary_size(self) -> int:
        """How many whitened statistics of a view it looks at."""
        return int(self.tensors["context.weight"].shape[1])

    def weighing(self, weight: float) -> MapReader:
        """The same reader with another weight."""
        return MapReader({**self.tensors, "weight": np.array([weight], np.float32)})

    def read(self, features: Floats, summary: Floats) -> Floats:
        """Standardised maps of views, ``[N, len(MAP_NAMES), MAP_GRID, MAP_GRID]``.

        Args:
            features: of the backbone ``[N, f]``, the picture last.
            summary: whitened statistics of the same views ``[N, s]``.
        """
        fields = np.maximum(self._linear("patch", self._patches(features)), 0)
        hidden = self._linear("around", _neighbourhoods(fields))
        hidden += self._linear("context", summary)[:, None, None, :]
        hidden = self._linear("field", np.maximum(hidden, 0))
        maps = self._linear("maps", np.maximum(hidden, 0))
        return np.ascontiguousarray(maps.transpose(0, 3, 1, 2))

    def image_rows(self, features: Floats, summary: Floats) -> Floats:
        """Rows of views, ``[N, ROW_COLUMNS]``."""
        coarse = patterns(self.read(features, summary))
        norms = np.full((*coarse.shape[:2], 1), -1, np.float32)
        rows = self.weight * np.concatenate([2 * coarse, norms], axis=2)
        return np.asarray(rows.reshape(len(rows), -1), np.float32)

    def place_rows(self, surroundings: Floats) -> Floats:
        """Rows of places, ``[M, ROW_COLUMNS]``, from what the atlas says around them."""
        fields = surroundings[:, : len(MAP_NAMES) * MAP_GRID**2]
        maps = fields.reshape(-1, len(MAP_NAMES), MAP_GRID, MAP_GRID)
        standard = (maps - self.tensors["map_mean"]) / self.tensors["map_spread"]
        coarse = patterns(np.clip(standard, -MAP_LIMIT, MAP_LIMIT))
        norms = (coarse**2).sum(axis=2, keepdims=True)
        rows = np.concatenate([coarse, norms], axis=2)
        return np.asarray(rows.reshape(len(maps), -1), np.float32)

    def _patches(self, features: Floats) -> Floats:
        """The pixels of each field, ``[N, MAP_GRID, MAP_GRID, 3 * PATCH²]``."""
        picture = features[:, -PICTURE_COLUMNS:].reshape(-1, 3, PICTURE_GRID, PICTURE_GRID)
        standard = (picture - self.tensors["picture_mean"]) / self.tensors["picture_spread"]
        split = np.clip(standard, -MAP_LIMIT, MAP_LIMIT).reshape(
            -1, 3, MAP_GRID, PATCH, MAP_GRID, PATCH
        )
        fields = split.transpose(0, 2, 4, 1, 3, 5)
        return np.asarray(fields.reshape(-1, MAP_GRID, MAP_GRID, 3 * PATCH**2), np.float32)

    def _linear(self, name: str, x: Floats) -> Floats:
        """A convolution is the product of patches with its flattened kernel."""
        kernel = self.tensors[f"{name}.weight"]
        return np.asarray(
            x @ kernel.reshape(len(kernel), -1).T + self.tensors[f"{name}.bias"], np.float32
        )


def patterns(maps: Floats) -> Floats:
    """Weighted coarse patterns of the compared maps, ``[N, len(MAP_WEIGHTS), FREQUENCIES²]``.

    From standardised maps ``[N, len(MAP_NAMES), MAP_GRID, MAP_GRID]``. The squared distance of two
    is the weighted mean squared difference of the fields, without the finer frequencies and with
    little weight on the means.
    """
    waves = _cosines()
    coarse = waves @ maps[:, CHOSEN] @ waves.T
    coarse[..., 0, 0] *= np.sqrt(LEVEL_WEIGHT)
    weights = np.sqrt(np.array(list(MAP_WEIGHTS.values()), np.float32)) / MAP_GRID
    return np.asarray(coarse.reshape(len(maps), len(CHOSEN), -1) * weights[:, None], np.float32)


def without_picture(features: Floats) -> Floats:
    """The features that tell of a whole view."""
    return features[:, :-PICTURE_COLUMNS]


def _cosines() -> Floats:
    """The lowest rows of the orthonormal cosine transform (DCT-II), ``[FREQUENCIES, MAP_GRID]``."""
    row, column = np.arange(FREQUENCIES)[:, None], np.arange(MAP_GRID)[None]
    waves = np.cos(np.pi * (column + 0.5) * row / MAP_GRID) * np.sqrt(2 / MAP_GRID)
    waves[0] /= np.sqrt(2)
    return np.asarray(waves, np.float32)


def _neighbourhoods(fields: Floats) -> Floats:
    """Each field with the eight around it, zeros outside: ``[N, G, G, C]`` to ``[N, G, G, 9 C]``.

    In the order of a flattened kernel: channel, row, column.
    """
    padded = np.pad(fields, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.asarray(windows.reshape(*fields.shape[:3], -1), np.float32)
