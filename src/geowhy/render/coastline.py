"""Outlines of land: smooth closed curves around the cells of a land grid."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from geowhy.geo.atlas import Atlas

__all__ = ["coastlines", "contours"]

ROWS = 360  # half a degree: finer than a world map can show
LAND_SHARE = 0.5  # a cell with more land than this is land

Floats = NDArray[np.float64]
Edge = tuple[bool, int, int]  # whether it goes down, row and column of its first corner

# Marching squares. Bits of a case: corner north-west 1, north-east 2, south-east 4, south-west 8
# above the level. Sides: 0 north, 1 east, 2 south, 3 west. Each piece leads from side to side with
# the high ground on its right, so that pieces join to curves of one direction.
_PIECES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((3, 0),),
    2: ((0, 1),),
    3: ((3, 1),),
    4: ((1, 2),),
    5: ((3, 0), (1, 2)),
    6: ((0, 2),),
    7: ((3, 2),),
    8: ((2, 3),),
    9: ((2, 0),),
    10: ((0, 1), (2, 3)),
    11: ((2, 1),),
    12: ((1, 3),),
    13: ((1, 0),),
    14: ((0, 3),),
}


@lru_cache(maxsize=1)
def coastlines() -> tuple[Floats, ...]:
    """Closed curves around all land, degrees ``[n, 2]`` each; along the map's edge where it is cut.

    Lakes are curves inside of others; fill them by the even-odd rule.
    """
    land = np.maximum(Atlas.load().layer("land").grid(), 0)
    side = land.shape[0] // ROWS
    share = land.reshape(ROWS, side, 2 * ROWS, side).mean(axis=(1, 3), dtype=np.float64)
    degrees = 180.0 / ROWS
    curves = []
    for curve in contours(share, LAND_SHARE):
        lat = np.clip(90.0 - (curve[:, 0] + 0.5) * degrees, -90.0, 90.0)
        lon = np.clip((curve[:, 1] + 0.5) * degrees - 180.0, -180.0, 180.0)
        curves.append(np.stack([lat, lon], axis=-1))
    return tuple(curves)


def contours(grid: Floats, level: float) -> Iterator[Floats]:
    """Closed curves around the parts of a grid ``[H, W]`` above a level, as row and column.

    A curve is ``[n, 2]`` without its first point again; outside of the grid all is below.
    """
    padded = np.pad(grid, 1, constant_values=level - 1.0)
    onward = _pieces(padded > level)
    while onward:
        start, edge = onward.popitem()
        curve = [start]
        while edge != start:
            curve.append(edge)
            edge = onward.pop(edge)
        yield np.array([_crossing(padded, level, edge) for edge in curve]) - 1.0


def _pieces(above: NDArray[np.bool_]) -> dict[Edge, Edge]:
    """For every edge of the grid that the curves cross, the edge that they cross next."""
    case = (
        above[:-1, :-1] * 1 + above[:-1, 1:] * 2 + above[1:, 1:] * 4 + above[1:, :-1] * 8
    ).astype(np.int64)
    onward: dict[Edge, Edge] = {}
    for row, column in np.argwhere((case > 0) & (case < 15)).tolist():
        sides: tuple[Edge, ...] = (
            (False, row, column),
            (True, row, column + 1),
            (False, row + 1, column),
            (True, row, column),
        )
        for start, end in _PIECES[int(case[row, column])]:
            onward[sides[start]] = sides[end]
    return onward


def _crossing(grid: Floats, level: float, edge: Edge) -> tuple[float, float]:
    """Where the level lies on an edge, by linear interpolation."""
    down, row, column = edge
    first = grid[row, column]
    second = grid[row + 1, column] if down else grid[row, column + 1]
    share = float((level - first) / (second - first))
    return (row + share, float(column)) if down else (float(row), column + share)
