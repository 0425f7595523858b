"""Overhead views cut out of an equirectangular image of the whole Earth.

A view is an azimuthal equidistant map about its own centre, north up, at a stated number of km per
pixel. So neither the size of things nor their distortion tells the latitude, which both would on a
crop of the world image itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.arrays import Floats32, Pixels
from geowhy.errors import DataError
from geowhy.geo.sphere import EARTH_RADIUS_KM, local_frame

__all__ = ["WorldImage", "cut_views", "footprint", "view_grid"]

VIEWS_AT_ONCE = 256  # 64-pixel views: about 100 MB of intermediate arrays


@dataclass(frozen=True)
class WorldImage:
    """The whole Earth in equirectangular projection: ``pixels`` ``[H, W, C]``, W = 2 H.

    The first row touches the north pole, the first column the antimeridian, but for the offset.

    Attributes:
        pixels: colours.
        offset_deg: how far north and how far east of their true coordinates the image shows
            things, degrees; whatever is cut from it is looked up that much further.

    Raises:
        DataError: if the image isn't twice as wide as high.
    """

    pixels: Pixels
    offset_deg: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[1] != 2 * self.pixels.shape[0]:
            raise DataError(
                f"a world image is twice as wide as high, with channels; this one has the shape "
                f"{self.pixels.shape}: give an equirectangular image of the whole Earth"
            )


def view_grid(centres: ArrayLike, km_per_pixel: ArrayLike, size: int) -> Floats32:
    """Unit vectors ``[N, size, size, 3]`` at the pixel centres of views.

    ``centres`` are degrees ``[N, 2]``, ``km_per_pixel`` is ``[N]`` or one number. Pixel (0, 0) is
    the north-west corner. The map is azimuthal equidistant: distances from the centre are true.
    """
    centre_radians = np.radians(np.asarray(centres, np.float64))
    up, north, east = (
        v.astype(np.float32)[:, None, None]
        for v in local_frame(centre_radians[:, 0], centre_radians[:, 1])
    )
    offset = np.arange(size, dtype=np.float32) - (size - 1) / 2
    x, y = np.meshgrid(offset, -offset)
    scale = np.broadcast_to(np.asarray(km_per_pixel, np.float32), len(up)) / EARTH_RADIUS_KM
    length = np.hypot(x, y)
    angle = length * scale[:, None, None].astype(np.float32)
    # At the very centre any direction will do, since the angle there is 0.
    x, y = (side / np.maximum(length, np.finfo(np.float32).tiny) for side in (x, y))
    heading = x[..., None] * east + y[..., None] * north
    grid = np.cos(angle)[..., None] * up + np.sin(angle)[..., None] * heading
    return np.asarray(grid, np.float32)


def cut_views(world: WorldImage, centres: ArrayLike, km_per_pixel: ArrayLike, size: int) -> Pixels:
    """Views ``[N, size, size, C]`` of the world image, bilinear.

    ``centres`` are degrees ``[N, 2]``, ``km_per_pixel`` is ``[N]`` or one number.
    """
    centres = np.asarray(centres, np.float64)
    scales = np.broadcast_to(np.asarray(km_per_pixel, np.float64), len(centres))
    channels = world.pixels.shape[2]
    flat = world.pixels.reshape(-1, channels)
    views = np.empty((len(centres), size, size, channels), np.uint8)
    for start in range(0, len(centres), VIEWS_AT_ONCE):
        chunk = slice(start, start + VIEWS_AT_ONCE)
        indices, weights = _corners(view_grid(centres[chunk], scales[chunk], size), world)
        value = np.zeros((*indices.shape[1:], channels), np.float32)
        for index, weight in zip(indices, weights, strict=True):
            value += flat[index] * weight[..., None]
        views[chunk] = np.rint(value)
    return views


def footprint(
    world: WorldImage, centres: ArrayLike, km_per_pixel: ArrayLike, size: int
) -> NDArray[np.int32]:
    """Flat indices ``[N, 4, size, size]`` of every source pixel that each view draws on.

    ``centres`` are degrees ``[N, 2]``, ``km_per_pixel`` is ``[N]`` or one number.
    """
    indices, _ = _corners(view_grid(centres, km_per_pixel, size), world)
    return np.moveaxis(indices, 0, 1)


def _corners(vectors: Floats32, world: WorldImage) -> tuple[NDArray[np.int32], Floats32]:
    """Flat indices of the four pixels around each unit vector ``[..., 3]``, and their weights.

    Both are ``[4, ...]``. They go round the antimeridian and straight on over the poles.
    """
    height, width = world.pixels.shape[:2]
    north, east = world.offset_deg
    lat = np.arcsin(np.clip(vectors[..., 2], -1, 1))
    lon = np.arctan2(vectors[..., 1], vectors[..., 0])
    row = (0.5 - north / 180 - lat / np.pi) * height - 0.5
    column = (0.5 + east / 360 + lon / (2 * np.pi)) * width - 0.5
    top, left = np.floor(row).astype(np.int32), np.floor(column).astype(np.int32)
    down, right = row - top, column - left
    indices, weights = [], []
    for i, share_of_row in ((0, 1 - down), (1, down)):
        over_pole = (top + i < 0) | (top + i >= height)
        start = np.clip(top + i, 0, height - 1) * width
        for j, share_of_column in ((0, 1 - right), (1, right)):
            across = np.where(over_pole, left + j + width // 2, left + j) % width
            indices.append(np.asarray(start + across, np.int32))
            weights.append(share_of_row * share_of_column)
    return np.stack(indices), np.stack(weights).astype(np.float32)
