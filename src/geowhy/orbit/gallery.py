"""Places at several widths, described once, among which a picture from above is searched.

The places of a width lie about a quarter of it apart (Fibonacci's spiral), wherever a picture would
show enough land; widths grow by a constant factor. Descriptions have length 1 and are kept in eight
bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.arrays import Bools, Floats32, Floats64, Points, Rows
from geowhy.errors import DataError, ModelFormatError
from geowhy.geo.atlas import Atlas
from geowhy.geo.cells import CellGrid
from geowhy.geo.pose import Poses, picture_plane
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit, on_earth, unit_to_lat_lon

__all__ = ["GalleryPlaces", "OrbitGallery", "distinct_places", "gallery_places"]

CELL_RESOLUTION = 2  # H3 cells about 320 km wide
LAND_PROBES = 8  # a side: how much of a picture is land is counted at so many points
PROBED_AT_ONCE = 16_384
TOLD_APART_AT_ONCE = 256
SEARCHED_AT_ONCE = 32_768  # places: 16 MB of single precision
LARGEST = 127
REACH = 0.25  # widths: a fifth in the search for its pose, and a little in the refinement
NEAR_WIDTHS, NEAR_RATIO = (
    0.3,
    1.4,
)  # what is nearer to a better place, and about as wide, is as good


@dataclass(frozen=True, slots=True, eq=False)
class GalleryPlaces:
    """What M pictures of the reference show; all are north up."""

    lat_lon: Points  # degrees [M, 2]
    width_km: Floats64  # [M]

    def __len__(self) -> int:
        return len(self.lat_lon)

    def rows(self, chosen: Rows) -> GalleryPlaces:
        """Those of rows ``[m]``."""
        return GalleryPlaces(self.lat_lon[chosen], self.width_km[chosen])

    def distinct(self, scores: Floats32, most: int) -> Rows:
        """Rows of the best of them, by their scores ``[M]``; see `distinct_places`."""
        return distinct_places(self, scores, most)

    def poses(self, chosen: Rows) -> Poses:
        """How their pictures of the reference lie, of rows ``[m]``."""
        return Poses(self.lat_lon[chosen], self.width_km[chosen], np.zeros(len(chosen)))

    def of_width(self, width_km: float) -> Poses:
        """How the pictures lie that are as wide, or nearest to that."""
        nearest_km = self.width_km[np.abs(self.width_km - width_km).argmin()]
        return self.poses(np.flatnonzero(self.width_km == nearest_km))

    @property
    def reach_km(self) -> Floats64:
        """How far from each a picture may lie that is laid there, ``[M]``."""
        return REACH * self.width_km

    @property
    def log_share(self) -> Floats32:
        """Of a picture to be there before it is seen, nats ``[M]``, but for a constant.

        Wide places lie further apart, so each stands for more ground. Any ground is as probable,
        and any factor of widths.
        """
        return np.asarray(2 * np.log(self.width_km), np.float32)

    def nearest(self, lat_lon: ArrayLike) -> Rows:
        """Rows of the places nearest to degrees ``[N, 2]``, one of each of W widths, ``[N, W]``.

        Raises:
            CoordinateError: if a point isn't on Earth.
        """
        unit, there = lat_lon_to_unit(on_earth(lat_lon)), lat_lon_to_unit(self.lat_lon)
        groups = [
            np.flatnonzero(self.width_km == width_km) for width_km in np.unique(self.width_km)
        ]
        return np.stack([rows[(unit @ there[rows].T).argmax(axis=1)] for rows in groups], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class OrbitGallery:
    """Places with their descriptions."""

    places: GalleryPlaces
    codes: NDArray[np.int8]  # [M, d]
    step: Floats32  # between two codes, of each column [d]
    grid: CellGrid  # the H3 cells that the places occupy

    @classmethod
    def of(cls, places: GalleryPlaces, descriptions: Floats32) -> OrbitGallery:
        """From descriptions ``[M, d]``."""
        step = np.abs(descriptions).max(axis=0) / LARGEST
        step = np.maximum(step, np.finfo(np.float32).tiny).astype(np.float32)
        codes = np.rint(descriptions / step).astype(np.int8)
        return cls(places, codes, step, CellGrid.build(places.lat_lon, CELL_RESOLUTION))

    def to_tensors(self) -> dict[str, NDArray[np.generic]]:
        """As arrays by name."""
        places = {
            "lat_lon": self.places.lat_lon.astype(np.float32),
            "width_km": self.places.width_km.astype(np.float32),
        }
        cells = {f"grid.{name}": array for name, array in self.grid.to_arrays().items()}
        return {**places, **cells, "codes": self.codes, "step": self.step}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.generic]]) -> Self:
        """Takes what ``to_tensors`` gave.

        Raises:
            ModelFormatError: if an array is missing or doesn't fit the others.
        """
        try:
            lat_lon, width, codes, step = (
                tensors[name] for name in ("lat_lon", "width_km", "codes", "step")
            )
            cells = {n.removeprefix("grid."): a for n, a in tensors.items() if n[:5] == "grid."}
            grid = CellGrid.from_arrays(cells)
        except (KeyError, DataError) as error:
            raise ModelFormatError(
                f"the gallery lacks {error}: the model folder is damaged; get or train it anew"
            ) from error
        if not len(lat_lon) == len(width) == len(codes) or codes.shape[1:] != step.shape:
            raise ModelFormatError(
                f"the gallery has {len(lat_lon):,} places, {len(width):,} widths and descriptions "
                f"{codes.shape}: the model folder is damaged; get or train it anew"
            )
        places = GalleryPlaces(lat_lon.astype(np.float64), width.astype(np.float64))
        return cls(places, codes.astype(np.int8, copy=False), step.astype(np.float32), grid)

    def described(self, rows: Rows) -> Floats32:
        """Descriptions of some places ``[m, d]``."""
        return np.asarray(self.codes[rows] * self.step, np.float32)

    def search(
        self, queries: Floats32, most: int, allowed: Bools | None = None
    ) -> tuple[list[Rows], list[Floats32]]:
        """The best distinct places for each description ``[N, d]``, best first, with their scores.

        Args:
            queries: of length 1.
            most: how many, at most; of places that show nearly the same only the best is given.
            allowed: which places may be found ``[M]``; None for all.
        """
        scores = np.empty((len(queries), len(self.codes)), np.float32)
        scaled = (queries * self.step).T
        for start in range(0, len(self.codes), SEARCHED_AT_ONCE):
            block = slice(start, start + SEARCHED_AT_ONCE)
            scores[:, block] = (self.codes[block].astype(np.float32) @ scaled).T
        if allowed is not None:
            scores[:, ~allowed] = -np.inf
        rows = [distinct_places(self.places, of_query, most) for of_query in scores]
        return rows, [of_query[found] for of_query, found in zip(scores, rows, strict=True)]


def distinct_places(places: GalleryPlaces, scores: Floats32, most: int) -> Rows:
    """Rows of the best of M places, of which none shows nearly what a better one does.

    At most ``most``, best first, by their scores ``[M]``; what scores minus infinity is left out.
    """
    tried = min(len(scores), 16 * most)
    left = np.argpartition(-scores, tried - 1)[:tried]
    left = left[np.argsort(-scores[left], kind="stable")]
    left = left[np.isfinite(scores[left])]
    unit, width = lat_lon_to_unit(places.lat_lon[left]), places.width_km[left]
    found = np.empty(0, np.intp)
    for start in range(0, len(left), TOLD_APART_AT_ONCE):
        some = np.arange(start, min(start + TOLD_APART_AT_ONCE, len(left)))
        some = some[~_alike(unit, width, some, found).any(axis=1)]
        alike, kept = _alike(unit, width, some, some), list[int]()
        for row in range(len(some)):
            if not alike[row, kept].any():
                kept.append(row)
        found = np.append(found, some[kept])
        if len(found) >= most:
            break
    return left[found[:most]]


def _alike(unit: Floats64, width_km: Floats64, some: Rows, others: Rows) -> Bools:
    """Which places show nearly what others do, ``[N, M]``."""
    away_km = EARTH_RADIUS_KM * np.sqrt((2 - 2 * unit[some] @ unit[others].T).clip(min=0))
    near = away_km < NEAR_WIDTHS * np.maximum.outer(width_km[some], width_km[others])
    ratio = np.abs(np.subtract.outer(np.log(width_km[some]), np.log(width_km[others])))
    return np.asarray(near & (ratio < np.log(NEAR_RATIO)))


def gallery_places(
    least_km: float, most_km: float, ratio: float, spacing: float, least_land: float
) -> GalleryPlaces:
    """Places whose pictures show at least ``least_land`` of land.

    Widths go from ``least_km`` up to ``most_km``, each ``ratio`` times the one before; places of a
    width are ``spacing`` widths apart.
    """
    land = Atlas.load().layer("land")
    points, widths = list[Points](), list[Floats64]()
    width_km, plane = least_km, picture_plane((LAND_PROBES, LAND_PROBES)).reshape(-1, 2)
    while width_km <= most_km * (1 + 1e-9):
        lat_lon = _spiral(int(4 * np.pi * EARTH_RADIUS_KM**2 / (spacing * width_km) ** 2))
        for start in range(0, len(lat_lon), PROBED_AT_ONCE):
            some = lat_lon[start : start + PROBED_AT_ONCE]
            count = len(some)
            probes = Poses(some, np.full(count, width_km), np.zeros(count)).ground(plane)
            share = (land.at(probes.reshape(-1, 2)) == 1).reshape(count, -1).mean(axis=1)
            points.append(some[share >= least_land])
            widths.append(np.full(int((share >= least_land).sum()), width_km))
        width_km *= ratio
    return GalleryPlaces(np.concatenate(points), np.concatenate(widths))


def _spiral(count: int) -> Points:
    """Points about equally far from each other, all over the Earth, ``[count, 2]``."""
    number = np.arange(count) + 0.5
    z = 1 - 2 * number / count
    turn = number * np.pi * (1 + np.sqrt(5))
    radius = np.sqrt(1 - z**2)
    return unit_to_lat_lon(np.stack([radius * np.cos(turn), radius * np.sin(turn), z], axis=-1))
