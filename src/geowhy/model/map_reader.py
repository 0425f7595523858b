"""Reads maps off a view.

A small network tells from a picture of the ground what the atlas would map there: where land and
water lie, how high it is, what grows. Such a reading is right in regions that no training view
showed, for a dark blue pixel is water anywhere; so the outline of a coast can be recognised on
the map, which `geowhy.model.map_matcher` does. The network is `geowhy.training.reader_torch`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geowhy.arrays import Floats32
from geowhy.model.networks import run_network
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.model.tensors import required_tensors

__all__ = [
    "MAP_LIMIT",
    "PATCH",
    "PICTURE_COLUMNS",
    "PICTURE_GRID",
    "READER_TENSORS",
    "MapReader",
    "without_picture",
]


PICTURE_GRID = 32  # the picture of a view, pixels a side; the last of its features
PICTURE_COLUMNS = 3 * PICTURE_GRID**2  # colour by row by column
PATCH = PICTURE_GRID // MAP_GRID  # pixels a side of a field
MAP_LIMIT = 6.0  # standard deviations; a rare land cover shall not drown the others

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
)


class MapReader:
    """Maps of views, as read, and maps of places, as the atlas has them, in the same units.

    Attributes:
        tensors: the weights by name, float32.
    """

    def __init__(self, tensors: Mapping[str, Floats32]) -> None:
        """Takes the weights.

        Raises:
            ModelFormatError: if one is missing.
        """
        self.tensors = required_tensors("the map reader", tensors, READER_TENSORS)

    @property
    def summary_size(self) -> int:
        """How many whitened statistics of a view it looks at."""
        return int(self.tensors["context.weight"].shape[1])

    def read(self, features: Floats32, summary: Floats32) -> Floats32:
        """Standardised maps of views, ``[N, len(MAP_NAMES), MAP_GRID, MAP_GRID]``.

        Args:
            features: of the backbone ``[N, f]``, the picture last.
            summary: whitened statistics of the same views ``[N, s]``.
        """
        pictures = features[:, -PICTURE_COLUMNS:].reshape(-1, 3, PICTURE_GRID, PICTURE_GRID)
        return run_network("map_reader", self.tensors, pictures=pictures, summary=summary)[0]

    def mapped(self, surroundings: Floats32) -> Floats32:
        """Standardised maps of places ``[M, ...]``, from what the atlas says around them."""
        fields = surroundings[:, : len(MAP_NAMES) * MAP_GRID**2]
        maps = fields.reshape(-1, len(MAP_NAMES), MAP_GRID, MAP_GRID)
        standard = (maps - self.tensors["map_mean"]) / self.tensors["map_spread"]
        return np.asarray(np.clip(standard, -MAP_LIMIT, MAP_LIMIT), np.float32)


def without_picture(features: Floats32) -> Floats32:
    """Of features ``[N, f]``, those that tell of a whole view."""
    return features[:, :-PICTURE_COLUMNS]
