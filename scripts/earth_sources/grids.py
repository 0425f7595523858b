"""Worldwide grids of equal angles: [rows from 90 N, columns from 180 W]."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from geowhy.geo.sphere import lat_lon_to_unit

__all__ = [
    "block_majority",
    "block_mean",
    "cell_centres",
    "fill_from_nearest",
    "from_grid_points",
    "paint",
    "resample_nearest",
]

Grid = NDArray[Any]


def cell_centres(shape: tuple[int, ...], mask: NDArray[np.bool_] | None = None) -> Grid:
    """Centres of the cells of a grid, or of those in ``mask``, degrees ``[N, 2]``."""
    chosen = np.ones(shape, np.bool_) if mask is None else mask
    row, column = np.nonzero(chosen)
    lat = 90.0 - (row + 0.5) * (180.0 / shape[0])
    return np.stack([lat, (column + 0.5) * (360.0 / shape[1]) - 180.0], axis=-1)


def block_mean(grid: Grid, factor: int) -> NDArray[np.float32]:
    """Mean of blocks of ``factor`` x ``factor`` cells; NaN cells don't count."""
    valid = ~np.isnan(grid)
    total = _block_sum(np.where(valid, grid, 0).astype(np.float32), factor)
    count = _block_sum(valid.astype(np.float32), factor)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def block_majority(codes: NDArray[np.uint8], factor: int, ignored: int) -> NDArray[np.uint8]:
    """Most frequent code of each block, not counting ``ignored`` unless it is all there is."""
    shape = (codes.shape[0] // factor, codes.shape[1] // factor)
    best, best_count = np.full(shape, ignored, np.uint8), np.zeros(shape, np.float32)
    for code in np.setdiff1d(np.unique(codes), [ignored]):
        count = _block_sum((codes == code).astype(np.float32), factor)
        better = count > best_count
        best[better], best_count[better] = code, count[better]
    return best


def resample_nearest(grid: Grid, shape: tuple[int, int]) -> Grid:
    """The cell of ``grid`` under each cell centre of a grid of another shape."""
    rows = ((np.arange(shape[0]) + 0.5) * grid.shape[0] / shape[0]).astype(np.intp)
    columns = ((np.arange(shape[1]) + 0.5) * grid.shape[1] / shape[1]).astype(np.intp)
    return np.asarray(grid[rows][:, columns])


def from_grid_points(points: Grid) -> NDArray[np.float32]:
    """Points at 90 N … 90 S and 0 … 360 E (last excluded) to cells between them, from 180 W."""
    rows = (points[:-1] + points[1:]) / 2
    cells = (rows + np.roll(rows, -1, axis=1)) / 2
    return np.roll(cells, cells.shape[1] // 2, axis=1).astype(np.float32)


def fill_from_nearest(
    grid: Grid, missing: NDArray[np.bool_], wanted: NDArray[np.bool_], within_km: float
) -> Grid:
    """A copy with missing wanted cells taken from the nearest cell that isn't missing."""
    filled = grid.copy()
    holes = missing & wanted
    tree = cKDTree(lat_lon_to_unit(cell_centres(grid.shape, ~missing)))
    chord, nearest = tree.query(
        lat_lon_to_unit(cell_centres(grid.shape, holes)), distance_upper_bound=within_km / 6371.0
    )
    found = np.isfinite(chord)
    row, column = (index[found] for index in np.nonzero(holes))
    filled[row, column] = grid[~missing][nearest[found]]
    return filled


def paint(grid: Grid, polygon: BaseGeometry, code: int) -> None:
    """Write ``code`` into the cells whose centre lies in the polygon, in degrees."""
    shapely.prepare(polygon)
    west, south, east, north = polygon.bounds
    step = 180.0 / grid.shape[0]
    top, bottom = int((90 - north) / step), int((90 - south) / step) + 1
    left, right = int((west + 180) / step), int((east + 180) / step) + 1
    window = grid[top:bottom, left:right]
    lat = 90 - (np.arange(top, top + window.shape[0]) + 0.5) * step
    lon = (np.arange(left, left + window.shape[1]) + 0.5) * step - 180
    window[shapely.contains_xy(polygon, *np.meshgrid(lon, lat))] = code


def _block_sum(grid: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    rows = np.add.reduceat(grid, np.arange(0, grid.shape[0], factor), axis=0)
    return np.add.reduceat(rows, np.arange(0, grid.shape[1], factor), axis=1)
