"""From the scores of gallery points to places: a density over H3 cells, its modes, one answer.

A density on a gallery is ragged, so it is smoothed on the sphere first (von Mises-Fisher kernel).
Modes are the hills of the smoothed density. The answer is the point that minimises the expected
great-circle distance within the strongest mode: its geometric median. Scores that point to the
right hill most often make it far too heavy; so the masses of the hills are raised to a power, their
*sureness*, that validation views chose, and the density within each is scaled alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import AnyFloats, Bools, Floats32, Floats64, Ints, Points, Rows
from geowhy.geo.cells import CellGrid
from geowhy.geo.pose import Pose
from geowhy.geo.sphere import EARTH_RADIUS_KM, distance_km, lat_lon_to_unit, unit_to_lat_lon
from geowhy.types import LatLon

__all__ = ["CellDensity", "Decoder", "Estimate", "Mode", "radius_km", "shares", "softmax"]

LEAST_OWN_SHARE = 1e-3  # of a mode's mass; what has less of its own was made by smoothing
LEAST_SHARE = 1e-3  # of a mode; divided by the number of points, it bounds what is left out
MEDIAN_ROUNDS = 12  # Weiszfeld's steps; the median moves by less than 1 km after about eight
TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True, eq=False)
class CellDensity:
    """A probability for each H3 cell that holds gallery points."""

    cells: NDArray[np.uint64]  # [M]
    centres: Floats64  # degrees [M, 2]
    probability: Floats64  # adds up to 1, [M]


@dataclass(frozen=True, slots=True, eq=False)
class Hills:
    """A smoothed density, cut into the hills around its local maxima."""

    density: Floats64  # smoothed probability of each cell, [M]; adds up to 1
    of_cell: Ints  # the hill of each cell, numbered from the heaviest, [M]
    mass: Floats64  # of each hill, [K]

    def without_echoes(self, own: Floats64) -> Hills:
        """With the mass of hills that smoothing alone made given back to the others.

        ``own`` ``[K]`` is the probability of the points in each. Where a choice of places leaves an
        island and a far mainland, what is smoothed off the island piles up on the mainland.
        """
        is_echo = own < LEAST_OWN_SHARE * self.mass
        kept = np.where(is_echo, 0.0, own)
        mass = np.where(is_echo, 0.0, self.mass) + self.mass[is_echo].sum() * kept / kept.sum()
        factor = mass / np.maximum(self.mass, TINY)
        order = np.argsort(-mass, kind="stable")
        count = int((mass > 0).sum())
        # All echoes are one, without mass.
        of_cell = np.minimum(np.argsort(order)[self.of_cell], count).astype(np.intp)
        density = self.density * factor[self.of_cell]
        return Hills(density, of_cell, np.append(mass[order[:count]], 0.0))

    def tempered(self, sureness: float) -> Hills:
        """With masses raised to the power ``sureness``: below 1 the light hills gain."""
        mass = self.mass**sureness
        mass /= mass.sum()
        factor = mass / np.maximum(self.mass, TINY)
        return Hills(self.density * factor[self.of_cell], self.of_cell, mass)


@dataclass(frozen=True, slots=True)
class Mode:
    """One hill of the posterior."""

    lat_lon: tuple[float, float]  # its geometric median, degrees
    probability: float  # its mass

    @property
    def position(self) -> LatLon:
        """The same median as a point."""
        return LatLon(*self.lat_lon)


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What a decoder makes of a posterior.

    The credible region is the fewest cells of the strongest mode that hold most of it, 0.9 unless a
    decoder was told otherwise: a hill's foot may reach around half of the Earth. ``half_km`` holds
    half of the places' probability; smoothing would hide how sharply a place was recognised.
    """

    modes: tuple[Mode, ...]  # strongest first; the first one's point is the answer
    density: CellDensity  # smoothed where modes are hills
    region: Bools  # whether each cell is in the credible region of the strongest mode, [C]
    basin: Rows  # the mode to whose basin each cell belongs, numbered from the strongest, [C]
    half_km: float  # radius around the answer, before calibration
    is_point: bool = False  # the answer is a single place, not one in the middle of its region
    pose: Pose | None = None  # how the picture lies there, if a head can tell
    verified: bool | None = None  # whether it agrees with the map there, likewise
    # How well it does, and the best that it does elsewhere, likewise: correlations of edges.
    agreement: tuple[float, float | None] | None = None
    elsewhere: float = 0.0  # probability that it is none of the modes, if a head counts with that

    @property
    def lat_lon(self) -> tuple[float, float]:
        """The answer, degrees."""
        return self.modes[0].lat_lon

    def radius_km(self, mass: float) -> float:
        """Radius around the answer that holds ``mass`` of the density, before calibration."""
        return radius_km(self.lat_lon, self.density.centres, self.density.probability, mass)


@dataclass(eq=False)
class Decoder:
    """Turns scores of gallery points into posteriors; all that depends on the gallery is kept.

    Takes 4 bytes for each pair of cells: 23 MB at 2,400 cells.
    """

    lat_lon: Points  # the gallery, degrees [M, 2]
    grid: CellGrid  # its cells
    smoothing_km: float  # width of the smoothing
    sureness: float = 1.0  # power to which the masses of hills are raised
    region_mass: float = 0.9  # share of the strongest mode that lies in its credible region
    has_gaps: bool = False  # places were chosen: smoothing may carry mass over what was left out

    def __post_init__(self) -> None:
        self._units = lat_lon_to_unit(self.lat_lon)
        # What spreads each cell's probability around it, [M, M]; columns add up to 1. A von
        # Mises-Fisher density: Gaussian of the given width where the Earth is nearly flat.
        units = lat_lon_to_unit(self.grid.centres).astype(np.float32)
        kernel = units @ units.T
        kernel -= 1
        kernel *= np.float32((EARTH_RADIUS_KM / self.smoothing_km) ** 2)
        np.exp(kernel, out=kernel)
        kernel /= kernel.sum(axis=0, keepdims=True)
        self._kernel = kernel

    def decode(self, probability: Floats32, top_k: int) -> Estimate:
        """At most ``top_k`` modes of one image, from probabilities of gallery points ``[M]``."""
        points = probability.astype(np.float64)
        hills = self.hills(probability)
        if self.has_gaps:
            of_point = hills.of_cell[self.grid.point_to_cell]
            own = np.bincount(of_point, points, len(hills.mass)).astype(np.float64)
            hills = hills.without_echoes(own)
        hills = hills.tempered(self.sureness)
        of_point = hills.of_cell[self.grid.point_to_cell]
        modes = []
        for number in range(min(top_k, int((hills.mass > 0).sum()))):
            rows, weights = shares(points, np.flatnonzero(of_point == number))
            lat, lon = geometric_median(self._units[rows], weights).tolist()
            modes.append(Mode((lat, lon), float(hills.mass[number])))
        # Radius that holds half of the points, where those of a hill share out its mass.
        factor = hills.mass / np.maximum(np.bincount(of_point, points, len(hills.mass)), TINY)
        weights = points * factor[of_point]
        heavy = np.flatnonzero(weights > LEAST_SHARE / len(weights))
        half_km = radius_km(modes[0].lat_lon, self.lat_lon[heavy], weights[heavy], 0.5)
        # The fewest cells of the strongest hill that hold most of it.
        is_strongest = hills.of_cell == 0
        own = np.where(is_strongest, hills.density, 0.0)
        heaviest = np.argsort(-own, kind="stable")
        region = np.zeros(len(own), np.bool_)
        region[heaviest] = np.cumsum(own[heaviest]) - own[heaviest] < self.region_mass * own.sum()
        density = CellDensity(self.grid.cells, self.grid.centres, hills.density)
        return Estimate(tuple(modes), density, region & is_strongest, hills.of_cell, half_km)

    def hills(self, probability: Floats32) -> Hills:
        """The hills of one image's probability ``[M]``, before their masses are made honest."""
        smooth = self._kernel @ self.grid.density(probability).astype(np.float32)
        smooth = (smooth / smooth.sum()).astype(np.float64)
        return Hills(smooth, *self.grid.modes(smooth))


def shares(probability: AnyFloats, members: Rows) -> tuple[Rows, Floats64]:
    """Which members ``[m]`` of a mode weigh anything, and how much of it each is.

    A mode of a smoothed density may hold no probability of its own: then its ``members`` are all
    alike. Points that weigh next to nothing are left out, for most of them do; shares add up to 1.
    """
    if not len(members):
        return members, np.empty(0)
    weights = probability[members].astype(np.float64)
    if weights.sum() <= 0:
        weights = np.ones(len(members))
    heavy = np.flatnonzero(weights >= weights.sum() * LEAST_SHARE / len(weights))
    return members[heavy], weights[heavy] / weights[heavy].sum()


def softmax(logits: Floats32, temperature: float) -> Floats32:
    """Probabilities ``[N, M]`` from logits ``[N, M]`` divided by a temperature."""
    scaled = logits / np.float32(temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled


def geometric_median(units: Floats64, weights: Floats64) -> Floats64:
    """The point that minimises the weighted mean great-circle distance, degrees ``[2]``.

    Weiszfeld's algorithm in the tangent plane, from the mean direction; unit vectors ``[N, 3]``.
    """
    point = weights @ units
    point /= np.linalg.norm(point) or 1.0
    for _ in range(MEDIAN_ROUNDS):
        cosine = np.clip(units @ point, -1.0, 1.0)
        angle = np.arccos(cosine)
        sine = np.sqrt(np.maximum(1.0 - cosine**2, 1e-18))
        pull = weights / np.maximum(angle, 1e-6)
        # The sum of vectors of length `angle` in the tangent plane, towards each unit vector.
        share = pull * angle / sine
        direction = share @ units - (share @ cosine) * point
        point = point + direction / pull.sum()
        point /= np.linalg.norm(point)
    return unit_to_lat_lon(point)


def radius_km(
    lat_lon: tuple[float, float], places: Floats64, weights: Floats64, mass: float
) -> float:
    """Radius around a point that holds a share ``mass`` of the weights of places ``[M, 2]``."""
    distances = distance_km(np.array(lat_lon), places)
    order = np.argsort(distances)
    reached = np.cumsum(weights[order])
    index = min(int(np.searchsorted(reached, mass * reached[-1])), len(order) - 1)
    return float(distances[order[index]])
