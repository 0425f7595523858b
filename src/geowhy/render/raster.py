"""Values at places as a picture of the world on an Equal Earth map."""

from __future__ import annotations

import numpy as np

from geowhy.arrays import AnyFloats, Bools, Floats64, Ints
from geowhy.geo.sphere import HEIGHT_POLE, equal_earth

__all__ = ["X_MOST", "Y_MOST", "rasterised"]

X_MOST, Y_MOST = 2.706629983696, HEIGHT_POLE  # of the map, on a sphere of radius 1
PLACES_TO_A_PIXEL = 3.0
LAND_SHARE = 0.23  # of the rectangle around the map, Antarctica left out as galleries do
FEWEST_COLUMNS, MOST_COLUMNS = 90, 1440
REACH = 3  # pixels that the value of a place may spread to where there is none


def rasterised(lat_lon: Floats64, values: AnyFloats) -> Floats64:
    """Values ``[M]`` at degrees ``[M, 2]`` as a grid ``[H, W]``, rows from north.

    A pixel is the mean of the known values of its places. A pixel without a place is as the nearest
    one that has some, if that is within three pixels; NaN where that is unknown, or far.
    """
    height, width = _shape(len(lat_lon))
    x, y = equal_earth(lat_lon).T
    column = np.clip(((x / X_MOST + 1) * width / 2).astype(np.intp), 0, width - 1)
    row = np.clip(((1 - y / Y_MOST) * height / 2).astype(np.intp), 0, height - 1)
    pixel = row * width + column
    taken = np.bincount(pixel, minlength=height * width) > 0
    means = _means(pixel, np.asarray(values, np.float64), height * width)
    return _spread(means.reshape(height, width), taken.reshape(height, width))


def _shape(places: int) -> tuple[int, int]:
    """Height and width that give each pixel of land about three places."""
    pixels = places / PLACES_TO_A_PIXEL / LAND_SHARE
    width = round(np.clip(np.sqrt(pixels * X_MOST / Y_MOST), FEWEST_COLUMNS, MOST_COLUMNS))
    return round(width * Y_MOST / X_MOST), width


def _means(pixel: Ints, values: Floats64, count: int) -> Floats64:
    """Mean of the known values of each of ``count`` pixels; NaN where none is."""
    known = ~np.isnan(values)
    number = np.bincount(pixel[known], minlength=count)
    total = np.bincount(pixel[known], values[known], minlength=count)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _spread(values: Floats64, taken: Bools) -> Floats64:
    """Pixels that aren't taken become like their nearest neighbours, step by step."""
    straight = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    diagonal = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    for _ in range(REACH):
        before, had = np.pad(values, 1), np.pad(taken, 1)
        for down, right in straight + diagonal:
            window = (
                slice(1 + down, 1 + down + values.shape[0]),
                slice(1 + right, 1 + right + values.shape[1]),
            )
            fills = ~taken & had[window]
            values = np.where(fills, before[window], values)
            taken = taken | fills
    return np.where(taken, values, np.nan)
