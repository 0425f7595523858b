"""H3 cells, densities on them, and blocks of latitude and longitude.

A gallery of points is cut into cells once, as a :class:`CellGrid`; after that a query is array
arithmetic: probabilities of points are summed by cell, and each cell climbs to the local maximum
above it, which gives the *modes* of the density.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import h3
import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.arrays import Floats64, Ints, Ints64, Points
from geowhy.errors import DataError
from geowhy.geo.sphere import on_earth, wrap_longitude

__all__ = ["NEIGHBOURS", "CellGrid", "cell_of", "ten_degree_cell"]

NEIGHBOURS = 6  # of a hexagon; the twelve pentagons have one fewer


def cell_of(lat_lon: ArrayLike, resolution: int) -> NDArray[np.uint64]:
    """H3 cell of each of degrees ``[N, 2]`` at a resolution from 0 to 15, ``[N]``.

    Raises:
        CoordinateError: if a coordinate is not finite or a latitude is beyond a pole.
    """
    points = on_earth(lat_lon)
    # The library takes one point at a time.
    cells = map(h3.api.basic_int.latlng_to_cell, *points.T.tolist(), [resolution] * len(points))
    return np.fromiter(cells, np.uint64, len(points))


def ten_degree_cell(lat_lon: ArrayLike) -> Ints64:
    """Number of the latitude/longitude block that holds each of degrees ``[N, 2]``, ``[N]``.

    Blocks of ten degrees are numbered row by row from (90 S, 180 W); longitudes wrap.
    """
    points = np.asarray(lat_lon, np.float64)
    row = np.floor((points[..., 0] + 90.0) / 10.0).astype(np.int64)
    column = np.floor((points[..., 1] + 180.0) / 10.0).astype(np.int64)
    return np.minimum(row, 17) * 36 + column % 36


@dataclass(frozen=True, slots=True, eq=False)
class CellGrid:
    """The H3 cells that the points of a gallery occupy, N points in M cells."""

    cells: NDArray[np.uint64]  # ascending, [M]
    point_to_cell: NDArray[np.int32]  # position in `cells` of each point's cell, [N]
    neighbours: NDArray[np.int32]  # positions of the occupied neighbours, [M, 6], padded with -1
    centres: Points  # of the cells, longitudes in [-180, 180), [M, 2]
    point_count: NDArray[np.int32]  # in each cell, [M]

    @classmethod
    def build(cls, lat_lon: ArrayLike, resolution: int) -> CellGrid:
        """The grid of a gallery, degrees ``[N, 2]``; takes about 10 µs a point."""
        cells, point_to_cell = np.unique(cell_of(lat_lon, resolution), return_inverse=True)
        around = np.full((len(cells), NEIGHBOURS), np.iinfo(np.uint64).max, np.uint64)
        centres = np.empty((len(cells), 2))
        for row, cell in enumerate(cells.tolist()):
            ring = [other for other in h3.api.basic_int.grid_disk(cell, 1) if other != cell]
            around[row, : len(ring)] = ring
            centres[row] = h3.api.basic_int.cell_to_latlng(cell)
        centres[:, 1] = wrap_longitude(centres[:, 1])
        position = np.searchsorted(cells, around)
        occupied = cells[np.minimum(position, len(cells) - 1)] == around
        return cls(
            cells=cells,
            point_to_cell=point_to_cell.astype(np.int32),
            neighbours=np.where(occupied, position, -1).astype(np.int32),
            centres=centres,
            point_count=np.bincount(point_to_cell, minlength=len(cells)).astype(np.int32),
        )

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[np.generic]]) -> CellGrid:
        """The inverse of :meth:`to_arrays`.

        Raises:
            DataError: if an array is missing.
        """
        names = [each.name for each in fields(cls)]
        missing = [name for name in names if name not in arrays]
        if missing:
            raise DataError(f"the cells lack {', '.join(missing)}: build the gallery again")
        return cls(**{name: arrays[name] for name in names})  # type: ignore[arg-type]

    @property
    def resolution(self) -> int:
        """Of the H3 cells."""
        return int(h3.api.basic_int.get_resolution(int(self.cells[0])))

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays by name, to be saved."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def density(self, probabilities: ArrayLike) -> Floats64:
        """Sum of the points' probabilities ``[N]`` in each cell, ``[M]``."""
        mass = np.asarray(probabilities, np.float64)
        return np.asarray(np.bincount(self.point_to_cell, mass, len(self.cells)), np.float64)

    def summits(self, density: ArrayLike) -> Ints:
        """For each cell ``[M]``, the position of the local maximum that it climbs to.

        From each cell the way goes to the neighbour with the largest density, if that is larger
        than the cell's own. On plateaus the cell that comes first counts as larger, so that a
        plateau isn't torn into as many modes as it has cells.
        """
        values = np.asarray(density, np.float64)
        # Rank of each cell: a strict order, so that every way ends.
        rank = np.empty(len(values) + 1, np.int64)
        rank[np.argsort(-values, kind="stable")] = np.arange(len(values), 0, -1)
        rank[-1] = 0  # the padding is below all
        candidates = np.concatenate(
            [np.arange(len(values))[:, None], self.neighbours.astype(np.intp)], axis=1
        )
        steepest = rank[candidates].argmax(axis=1)
        up: Ints = candidates[np.arange(len(values)), steepest]
        while not np.array_equal(up[up], up):
            up = up[up]  # each round doubles the length of the steps
        return up

    def modes(self, density: ArrayLike) -> tuple[Ints, Floats64]:
        """Groups of cells around the local maxima, the heaviest first.

        From a density ``[M]``, the mode of each cell, ``[M]``, and the mass of each mode, ``[K]``.
        """
        mass = np.asarray(density, np.float64)
        summit, mode = np.unique(self.summits(mass), return_inverse=True)
        total = np.asarray(np.bincount(mode, mass, len(summit)), np.float64)
        order = np.argsort(-total, kind="stable")
        return np.argsort(order)[mode], total[order]
