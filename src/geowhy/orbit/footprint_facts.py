"""What the atlas says of the ground that a picture shows, at the picture's own width.

It is asked at 7 by 7 points of each footprint; what counts is the land among them. Of a class the
truth is the share of the land that has it, of a degree the mean over the land. **A class holds in
a footprint if a quarter of its land has it, or any of it if it is of water and coast; a degree
holds if its mean is above that of the land of the Earth.**
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats32, Ints, Selection
from geowhy.concepts.grounding import LayerValues
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.geo.pose import Poses, picture_plane

__all__ = ["FACTS", "FootprintFacts", "FootprintReader"]

POINTS = 7  # a side of the footprint
SUBSTANTIAL = 0.25  # of the land: enough of a class for a picture to be one of it
ANYWHERE = ("water and coast",)  # categories of lines and spots rather than of areas
LAND_SAMPLE = 20_000  # places that tell the mean of a degree


def _signed_root(metres: Floats32) -> Floats32:
    return np.asarray(np.sign(metres) * np.sqrt(np.abs(metres)), np.float32)


# What is said of the ground at large, beside the concepts: how much of it is land; and of each of
# these layers, on a scale on which the land is spread evenly, the mean and the deviation.
LAYERS: dict[str, Callable[[Floats32], Floats32]] = {
    **dict.fromkeys(("elevation", "relief"), _signed_root),
    **dict.fromkeys(("precipitation", "precipitation_driest", "precipitation_wettest"), np.log1p),
    **dict.fromkeys(("distance_to_coast_km", "water_share"), np.log1p),
    **dict.fromkeys(("temperature_coldest", "temperature_warmest"), np.asarray),
    **dict.fromkeys(("ndvi_max", "ndvi_min", "ghi", "wind", "humidity"), np.asarray),
    **dict.fromkeys(("forest_share", "cropland_share", "landmass_km2"), np.asarray),
}
FACTS = ("land", *(f"{name} {moment}" for moment in ("mean", "spread") for name in LAYERS))


@dataclass(frozen=True, slots=True, eq=False)
class FootprintFacts:
    """What is known of N footprints."""

    truth: Floats32  # of each concept, NaN where there is no land or the atlas is silent [N, k]
    ground: Floats32  # the `FACTS`, 0 where unknown [N, f]

    def __len__(self) -> int:
        return len(self.truth)

    def __getitem__(self, rows: Selection) -> FootprintFacts:
        """Of some footprints, by their rows ``[M]``."""
        return FootprintFacts(self.truth[rows], self.ground[rows])

    @property
    def numbers(self) -> Floats32:
        """All of it, as a location encoder reads it, ``[N, f + k]``; 0 where unknown."""
        return np.concatenate([self.ground, np.nan_to_num(self.truth)], axis=1)


class FootprintReader:
    """Asks the atlas about footprints, by the concepts of a vocabulary.

    Attributes:
        vocabulary: the k concepts.
    """

    def __init__(self, vocabulary: Vocabulary, atlas: Atlas | None = None) -> None:
        """Without an atlas it is the packaged one that is asked."""
        self.vocabulary = vocabulary
        self._atlas = atlas or Atlas.load()
        self._groundings = [concept.grounding for concept in vocabulary.concepts]

    def read(self, poses: Poses, shape: tuple[int, int] = (1, 1)) -> FootprintFacts:
        """Of pictures of that height and width, N of them."""
        sides = np.array(shape[::-1]) / max(shape)
        plane = picture_plane((POINTS, POINTS)).reshape(-1, 2) * sides
        return self.at(poses.ground(plane))

    def at(self, lat_lon: ArrayLike) -> FootprintFacts:
        """Of footprints by points spread evenly over each, degrees ``[N, P, 2]``."""
        points = np.asarray(lat_lon, np.float64)
        is_land = self._atlas.is_land(points.reshape(-1, 2)).reshape(points.shape[:2])
        places = LayerValues(self._atlas, points[is_land])
        counts = is_land.sum(axis=1)
        values = [scale(np.asarray(places[n], np.float32)) for n, scale in LAYERS.items()]
        layers = np.stack(values)
        mean = _means(layers, counts)
        of_point = np.repeat(np.nan_to_num(mean), counts, axis=0).T
        spread = np.sqrt(_means((layers - of_point) ** 2, counts))
        columns = [counts[:, None] / points.shape[1], np.nan_to_num(mean), np.nan_to_num(spread)]
        truth = _means(places.truth(self._groundings).T, counts)
        return FootprintFacts(truth, np.concatenate(columns, axis=1).astype(np.float32))

    def holds(self, facts: FootprintFacts) -> Floats32:
        """Which concepts hold in N footprints: 1 or 0, NaN where unknown, ``[N, k]``."""
        holds = facts.truth >= self._least
        return np.where(np.isnan(facts.truth), np.nan, holds).astype(np.float32)

    @cached_property
    def _least(self) -> Floats32:
        """Of the truth of each concept, for it to hold ``[k]``."""
        concepts, least = self.vocabulary.concepts, np.full(len(self._groundings), SUBSTANTIAL)
        anywhere = [concept.category in ANYWHERE for concept in concepts]
        least[anywhere] = np.finfo(np.float32).tiny
        is_degree = [each is not None and each.kind == "degree" for each in self._groundings]
        land = uniform_on_land(self._atlas, LAND_SAMPLE, np.random.default_rng(0))
        degrees = [g for g, degree in zip(self._groundings, is_degree, strict=True) if degree]
        least[is_degree] = np.nanmean(LayerValues(self._atlas, land).truth(degrees), axis=0)
        return least.astype(np.float32)


def _means(values: Floats32, counts: Ints) -> Floats32:
    """Means ``[N, v]`` of the known among values ``[v, L]`` of N runs of ``counts`` ``[N]``."""
    starts, some = np.cumsum(counts) - counts, counts > 0
    means = np.full((len(counts), len(values)), np.nan, np.float32)
    if some.any():
        known = ~np.isnan(values)
        total = np.add.reduceat(np.where(known, values, 0), starts[some], axis=1)
        number = np.add.reduceat(known, starts[some], axis=1, dtype=np.int32)
        with np.errstate(invalid="ignore"):
            means[some] = (total / number).T
    return means
