"""Compares maps: those that a small network reads off a view with those of places.

A network tells from a picture of the ground what the atlas would map there: where land and water
lie, how high it is, what grows. A reading is right in regions that no training view showed, for a
dark blue pixel is water anywhere; so the outline of a coast can be recognised on the map.

Maps are compared by their patterns, the coefficients of a cosine transform. What was read is off by
an error, whose covariance among the maps is known for every frequency; and a place has patterns as
places on land have them. Both Gaussian, the logarithm of how much more probable a place's patterns
are under what was read than on land at large is a quadratic form. Its axes are the directions in
which errors are smallest against the spread of the land. A pattern that is read badly says nothing,
and a place whose patterns all the land shares, such as a plain without a coast, gains little by
agreeing. The network is `geowhy.training.reader_torch`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.arrays import Bools, Floats32, Floats64
from geowhy.model.networks import run_network
from geowhy.model.store import required_tensors
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES
from geowhy.model.terms import Edit, Encoded, Part

__all__ = [
    "MAP_LIMIT",
    "MAP_TITLES",
    "PATCH",
    "PICTURE_COLUMNS",
    "PICTURE_GRID",
    "MapComparison",
    "MapImages",
    "MapMatcher",
    "MapPlaces",
    "MapReader",
    "MapTerm",
    "patterns",
]

PICTURE_GRID = 32  # the picture of a view, pixels a side; the last of its features
PICTURE_COLUMNS = 3 * PICTURE_GRID**2  # colour by row by column
PATCH = PICTURE_GRID // MAP_GRID  # pixels a side of a field
MAP_LIMIT = 6.0  # standard deviations; a rare land cover shall not drown the others

READER_TENSORS = (
    *("picture_mean", "picture_spread", "map_mean", "map_spread"),
    *(
        f"{layer}.{kind}"
        for layer in ("patch", "context", "around", "field", "maps")
        for kind in ("weight", "bias")
    ),
)

MAPS_CATEGORY = "layout of the land"
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
        information = -0.5 * np.log(np.clip(ratios, 1e-6, 1)) * weight
        frequency, axis = np.nonzero(information > LEAST_INFORMATION)
        direction = directions[frequency, axis].astype(np.float32)
        # Squared correlation of each direction with each map.
        covariance = (spread[frequency] @ direction[:, :, None])[:, :, 0]
        squared = covariance**2 / np.einsum("rii->ri", spread[frequency])
        attribution = squared / squared.sum(axis=1, keepdims=True)
        return cls(
            {
                "frequency": frequency.astype(np.float32),
                "direction": direction,
                "mean": (direction * mean[frequency]).sum(axis=1),
                "variance": (1 / ratios)[frequency, axis].astype(np.float32),
                "attribution": attribution.astype(np.float32),
                "weight": np.ones(1, np.float32),
            }
        )

    @property
    def weight(self) -> float:
        """How much the maps count against the concepts."""
        return float(self.tensors["weight"].item())

    @property
    def term(self) -> MapTerm:
        """Its part of a score."""
        names = tuple(f"layout of {title}" for title in MAP_TITLES.values())
        attribution = self.tensors["attribution"]
        return MapTerm(names, (MAPS_CATEGORY,) * len(names), attribution, self.weight)

    def weighing(self, weight: float) -> MapMatcher:
        """The same matcher with another weight."""
        return MapMatcher({**self.tensors, "weight": np.array([weight], np.float32)})

    def coordinates(self, maps: Floats32) -> Floats32:
        """Standardised maps ``[N, len(MAP_NAMES), MAP_GRID, MAP_GRID]`` to ``[N, R]``."""
        t = self.tensors
        chosen = patterns(maps)[:, t["frequency"].astype(np.intp)]
        found = np.einsum("nrm,rm->nr", chosen, t["direction"]) - t["mean"]
        return np.asarray(found, np.float32)

    def images(self, maps: Floats32) -> MapImages:
        """Views by the maps read off them ``[N, len(MAP_NAMES), MAP_GRID, MAP_GRID]``."""
        pulls = self.coordinates(maps) * self._level_weight
        shares = np.ones((len(pulls), len(MAP_TITLES)), np.float32)
        return MapImages(np.asarray(pulls, np.float32), shares)

    def places(self, coordinates: Floats32) -> MapPlaces:
        """Places by their coordinates ``[M, R]``."""
        cost = self._level_weight / 2 * (1 - 1 / self.tensors["variance"])
        norms = (coordinates**2 * cost) @ self.tensors["attribution"]
        return MapPlaces(coordinates, np.asarray(norms, np.float32))

    @property
    def _level_weight(self) -> Floats32:
        is_level = self.tensors["frequency"] == 0
        return np.where(is_level, np.float32(LEVEL_WEIGHT), np.float32(1))


def patterns(maps: Floats32) -> Floats32:
    """Cosine transform (DCT-II) of the compared maps, ``[N, MAP_GRID², m]``; row 0 is the mean.

    From standardised maps ``[N, len(MAP_NAMES), MAP_GRID, MAP_GRID]``.
    """
    row, column = np.arange(MAP_GRID)[:, None], np.arange(MAP_GRID)[None]
    waves = np.cos(np.pi * (column + 0.5) * row / MAP_GRID) * np.sqrt(2 / MAP_GRID)
    waves[0] /= np.sqrt(2)
    waves = waves.astype(np.float32)
    coefficients = (waves @ maps[:, CHOSEN] @ waves.T).reshape(len(maps), len(CHOSEN), -1)
    return np.asarray(coefficients.transpose(0, 2, 1), np.float32)


def _covariances(values: Floats32) -> Floats64:
    """About 0, for each frequency: ``[N, F, m]`` to ``[F, m, m]``, never singular."""
    columns = values.transpose(1, 2, 0).astype(np.float64)
    covariances = columns @ columns.transpose(0, 2, 1) / len(values)
    return np.asarray(covariances + RIDGE * np.eye(values.shape[2]), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class MapComparison:
    """The two halves of a comparison of maps."""

    reader: MapReader  # reads maps off views
    matcher: MapMatcher  # holds them against the maps of places

    def weighing(self, weight: float) -> MapComparison:
        """The same comparison with another weight."""
        return MapComparison(self.reader, self.matcher.weighing(weight))


@dataclass(frozen=True, slots=True, eq=False)
class MapImages(Part):
    """Images by maps that were read off them."""

    pulls: Floats32  # of a `MapMatcher`, [N, r], with the shares of its maps
    shares: Floats32  # how much of each of its m maps counts, [N, m]; 1 for all of it


@dataclass(frozen=True, slots=True, eq=False)
class MapPlaces(Part):
    """Places by the maps around them."""

    coordinates: Floats32  # of a `MapMatcher`, [M, r]
    norms: Floats32  # what each map costs them, [M, m]


@dataclass(frozen=True, slots=True, eq=False)
class MapTerm:
    """How well the maps that were read off an image agree with those of a place.

    Attributes:
        names, categories: of m maps.
        attribution: how much each map is of r coordinates, ``[r, m]``; rows add up to 1.
        weight: of all maps, in the score.
    """

    names: tuple[str, ...]
    categories: tuple[str, ...]
    attribution: Floats32
    weight: float
    source: str = "maps"
    are_concepts: bool = False

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Nats ``[N, M]``."""
        seen, known = images.part(MapImages), places.part(MapPlaces)
        agreement = seen.pulls @ known.coordinates.T
        agreement -= seen.shares @ known.norms.T
        agreement *= np.float32(self.weight)
        return np.asarray(agreement, np.float32)

    def contributions(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """Of each map ``[M, m]``; nothing is left over."""
        seen, known = image.part(MapImages), places.part(MapPlaces)
        agreement = (seen.pulls[0] * known.coordinates.astype(np.float64)) @ self.attribution
        return self.weight * (agreement - seen.shares[0] * known.norms), np.zeros(len(places))

    def activations(self, images: Encoded) -> Floats32:
        """How strongly each map pulls, ``[N, m]``."""
        pulls = np.abs(images.part(MapImages).pulls) @ self.attribution
        return np.asarray(pulls * np.float32(self.weight), np.float32)

    def exceeds(self, place: Encoded, reference: Encoded) -> Bools:
        """A map is never absent, ``[m]``."""
        return np.ones(len(self.names), np.bool_)

    def edited(self, image: Encoded, edit: Edit) -> MapImages:
        """With other shares of the maps."""
        part = image.part(MapImages)
        factor = edit(np.ones_like(part.shares))
        pulls = part.pulls * (factor @ self.attribution.T)
        return MapImages(np.asarray(pulls, np.float32), part.shares * factor)
