"""Reads maps off a view.

A small network tells from a picture of the ground what the atlas would map there: where land and
water lie, how high it is, what grows. Such a reading is right in regions that no training view
showed, for a dark blue pixel is water anywhere; so the outline of a coast can be recognised on
the map, which `geowhy.model.map_matcher` does. `geowhy.training.reader_torch` is the same with
gradients.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geowhy.arrays import Floats32
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
        fields = np.maximum(self._linear("patch", self._patches(features)), 0)
        hidden = self._linear("around", _neighbourhoods(fields))
        hidden += self._linear("context", summary)[:, None, None, :]
        hidden = self._linear("field", np.maximum(hidden, 0))
        maps = self._linear("maps", np.maximum(hidden, 0))
        return np.ascontiguousarray(maps.transpose(0, 3, 1, 2))

    def mapped(self, surroundings: Floats32) -> Floats32:
        """Standardised maps of places ``[M, ...]``, from what the atlas says around them."""
        fields = surroundings[:, : len(MAP_NAMES) * MAP_GRID**2]
        maps = fields.reshape(-1, len(MAP_NAMES), MAP_GRID, MAP_GRID)
        standard = (maps - self.tensors["map_mean"]) / self.tensors["map_spread"]
        return np.asarray(np.clip(standard, -MAP_LIMIT, MAP_LIMIT), np.float32)

    def _patches(self, features: Floats32) -> Floats32:
        """The pixels of each field, ``[N, MAP_GRID, MAP_GRID, 3 * PATCH²]``."""
        picture = features[:, -PICTURE_COLUMNS:].reshape(-1, 3, PICTURE_GRID, PICTURE_GRID)
        standard = (picture - self.tensors["picture_mean"]) / self.tensors["picture_spread"]
        split = np.clip(standard, -MAP_LIMIT, MAP_LIMIT).reshape(
            -1, 3, MAP_GRID, PATCH, MAP_GRID, PATCH
        )
        fields = split.transpose(0, 2, 4, 1, 3, 5)
        return np.asarray(fields.reshape(-1, MAP_GRID, MAP_GRID, 3 * PATCH**2), np.float32)

    def _linear(self, name: str, x: Floats32) -> Floats32:
        """A convolution is the product of patches with its flattened kernel."""
        kernel = self.tensors[f"{name}.weight"]
        return np.asarray(
            x @ kernel.reshape(len(kernel), -1).T + self.tensors[f"{name}.bias"], np.float32
        )


def without_picture(features: Floats32) -> Floats32:
    """Of features ``[N, f]``, those that tell of a whole view."""
    return features[:, :-PICTURE_COLUMNS]


def _neighbourhoods(fields: Floats32) -> Floats32:
    """Each field with the eight around it, zeros outside: ``[N, G, G, C]`` to ``[N, G, G, 9 C]``.

    In the order of a flattened kernel: channel, row, column.
    """
    padded = np.pad(fields, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.asarray(windows.reshape(*fields.shape[:3], -1), np.float32)
