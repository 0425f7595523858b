"""Holds the maps that were read off a view against the maps of places.

Maps are compared by their patterns, the coefficients of a cosine transform. What was read is off by
an error, whose covariance among the maps is known for every frequency; and a place has patterns as
places on land have them. Both Gaussian, the logarithm of how much more probable a place's patterns
are under what was read than on land at large is a quadratic form. Its axes are the directions in
which errors are smallest against the spread of the land. A pattern that is read badly says nothing,
and a place whose patterns all the land shares, such as a plain without a coast, gains little by
agreeing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from geowhy.arrays import Floats32, Floats64
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.model.tensors import required_tensors

__all__ = ["MAP_TITLES", "MATCHER_TENSORS", "MapMatcher", "patterns"]


MAP_TITLES = {  # the maps that are compared; the others added nothing on validation views
    "land": "land and sea",
    "elevation": "elevation",
    "ndvi_max": "green in the green season",
    "forest": "forest",
}
CHOSEN = [MAP_NAMES.index(name) for name in MAP_TITLES]
# The mean of a map counts less than its pattern: readings err by a whole region, and the concepts
# tell of it already.
LEVEL_WEIGHT = 0.1
LEAST_INFORMATION = 0.02  # nats; what tells less isn't worth its place in the gallery
RIDGE = 1e-4  # added to variances: no pattern is read, or known, more exactly

MATCHER_TENSORS = ("frequency", "direction", "mean", "variance", "attribution", "weight")


class MapMatcher:
    """Brings maps to R numbers whose products say how well those of a view and of a place agree.

    A number is in deviations of the error of reading. With ``q`` read off a view, ``p`` of a place,
    and ``s`` the variance on land, its share in the score is ``weight / 2 * (2 q p - (1 - 1 / s)
    p²)``: the log-odds, but for what is the same for all places.

    Attributes:
        tensors: by name, float32. ``frequency`` ``[R]`` and ``direction`` ``[R, m]`` pick a number
            out of the patterns of the m maps; ``mean`` and ``variance`` ``[R]`` it has on land;
            ``attribution`` ``[R, m]`` tells how much of it each map is; ``weight`` is a scalar.
    """

    def __init__(self, tensors: Mapping[str, Floats32]) -> None:
        """Takes the tensors.

        Raises:
            ModelFormatError: if one is missing.
        """
        self.tensors = required_tensors("the map matcher", tensors, MATCHER_TENSORS)

    @classmethod
    def fit(cls, errors: Floats32, land: Floats32) -> Self:
        """From patterns ``[N, frequencies, m]``: of errors of readings, and of places on land."""
        mean = land.mean(axis=0)
        spread, error = _covariances(land - mean), _covariances(errors)
        unit = np.linalg.inv(np.linalg.cholesky(spread))
        ratios, axes = np.linalg.eigh(unit @ error @ unit.transpose(0, 2, 1))
        directions = axes.transpose(0, 2, 1) @ unit / np.sqrt(ratios)[:, :, None]
        weight = np.where(np.arange(len(ratios)) == 0, LEVEL_WEIGHT, 1.0)[:, None]
        told = -0.5 * np.log(np.clip(ratios, 1e-6, 1)) * weight
        frequency, axis = np.nonzero(told > LEAST_INFORMATION)
        direction = directions[frequency, axis].astype(np.float32)
        return cls(
            {
                "frequency": frequency.astype(np.float32),
                "direction": direction,
                "mean": (direction * mean[frequency]).sum(axis=1),
                "variance": (1 / ratios)[frequency, axis].astype(np.float32),
                "attribution": _attribution(direction, spread[frequency]),
                "weight": np.ones(1, np.float32),
            }
        )

    @property
    def weight(self) -> float:
        """How much the maps count against the concepts."""
        return float(self.tensors["weight"].item())

    @property
    def attribution(self) -> Floats32:
        """How much of each direction every map is, ``[R, m]``; rows add up to 1."""
        return self.tensors["attribution"]

    def weighing(self, weight: float) -> MapMatcher:
        """The same matcher with another weight."""
        return MapMatcher({**self.tensors, "weight": np.array([weight], np.float32)})

    def coordinates(self, maps: Floats32) -> Floats32:
        """Standardised maps ``[N, len(MAP_NAMES), MAP_GRID, MAP_GRID]`` to ``[N, R]``."""
        t = self.tensors
        chosen = patterns(maps)[:, t["frequency"].astype(np.intp)]
        found = np.einsum("nrm,rm->nr", chosen, t["direction"]) - t["mean"]
        return np.asarray(found, np.float32)

    def pulls(self, coordinates: Floats32) -> Floats32:
        """What a view's coordinates ``[N, R]`` multiply those of a place by, at weight 1."""
        return np.asarray(coordinates * self._level_weight, np.float32)

    def norms(self, coordinates: Floats32) -> Floats32:
        """What a place's coordinates ``[M, R]`` cost it, for each map ``[M, m]``, at weight 1."""
        cost = self._level_weight / 2 * (1 - 1 / self.tensors["variance"])
        return np.asarray((coordinates**2 * cost) @ self.attribution, np.float32)

    @property
    def _level_weight(self) -> Floats32:
        is_level = self.tensors["frequency"] == 0
        return np.where(is_level, np.float32(LEVEL_WEIGHT), np.float32(1))


def patterns(maps: Floats32) -> Floats32:
    """Cosine transform (DCT-II) of the compared maps, ``[N, MAP_GRID², m]``; row 0 is the mean.

    From standardised maps ``[N, len(MAP_NAMES), MAP_GRID, MAP_GRID]``.
    """
    waves = _cosines()
    coefficients = (waves @ maps[:, CHOSEN] @ waves.T).reshape(len(maps), len(CHOSEN), -1)
    return np.asarray(coefficients.transpose(0, 2, 1), np.float32)


def _covariances(values: Floats32) -> Floats64:
    """About 0, for each frequency: ``[N, F, m]`` to ``[F, m, m]``, never singular."""
    columns = values.transpose(1, 2, 0).astype(np.float64)
    covariances = columns @ columns.transpose(0, 2, 1) / len(values)
    return np.asarray(covariances + RIDGE * np.eye(values.shape[2]), np.float64)


def _attribution(direction: Floats32, spread: Floats64) -> Floats32:
    """Squared correlation of each direction with each map, as shares, ``[R, m]``."""
    covariance = (spread @ direction[:, :, None])[:, :, 0]
    squared = covariance**2 / np.einsum("rii->ri", spread)
    return np.asarray(squared / squared.sum(axis=1, keepdims=True), np.float32)


def _cosines() -> Floats32:
    """The rows of the orthonormal cosine transform, ``[MAP_GRID, MAP_GRID]``."""
    row, column = np.arange(MAP_GRID)[:, None], np.arange(MAP_GRID)[None]
    waves = np.cos(np.pi * (column + 0.5) * row / MAP_GRID) * np.sqrt(2 / MAP_GRID)
    waves[0] /= np.sqrt(2)
    return np.asarray(waves, np.float32)
