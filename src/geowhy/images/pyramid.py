"""A world image at halved scales, from which views of any pose and size are cut quickly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geowhy.arrays import Floats32
from geowhy.geo.sphere import EARTH_RADIUS_KM
from geowhy.images.overhead import WorldImage

__all__ = ["WorldPyramid"]

SMALLEST = 256  # columns: coarser ones serve no view of less than half the Earth
POINTS_AT_ONCE = 32_768  # so that what is made of them stays in the cache
WHOLE = np.uint32(256)  # of a weight
BYTE, HALF = np.uint32(8), np.uint32(16)
RED_AND_BLUE = np.uint32(0x00FF00FF)  # of a pixel, whose bytes are red, green, blue and none
LOWEST, LOWER_HALF = np.uint32(0xFF), np.uint32(0xFFFF)


@dataclass(frozen=True)
class WorldPyramid:
    """A world image and its halves, quarters and so on, each the mean of 2 × 2 pixels.

    Attributes:
        world: the image itself.
        levels: ``[H, W]`` each, the finest first: the three colours of a pixel in the bytes of one
            number, so that they are fetched together. All have an even number of columns but
            perhaps the last; a last row may stand for half a row.
    """

    world: WorldImage
    levels: tuple[NDArray[np.uint32], ...] = field(init=False)

    def __post_init__(self) -> None:
        images = [Image.fromarray(self.world.pixels).convert("RGBX")]
        while images[-1].width % 2 == 0 and images[-1].width > SMALLEST:
            images.append(images[-1].reduce(2))
        levels = (np.asarray(image).view(np.uint32)[..., 0] for image in images)
        object.__setattr__(self, "levels", tuple(levels))

    def look_up(self, centres: Floats32, east_north_km: Floats32, km_apart: Floats32) -> Floats32:
        """Colours ``[3, N, M]``, in [0, 255], at points of the maps about ``centres`` ``[N, 2]``.

        The points are km east and north ``[N, M, 2]`` on the azimuthal equidistant maps, those of
        row n about ``km_apart[n]`` from each other: they are read, bilinear, from the coarsest
        level whose pixels are smaller.
        """
        lat, lon = _radians(centres, east_north_km)
        spacing = EARTH_RADIUS_KM * 2 * np.pi / self.world.pixels.shape[1]
        finest = np.log2(np.asarray(km_apart, np.float64) / spacing)
        numbers = np.clip(np.floor(finest + 0.01), 0, len(self.levels) - 1).astype(np.intp)
        colours = np.empty((3, *lat.shape), np.float32)
        at_once = max(1, POINTS_AT_ONCE // lat.shape[1])
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            for start in range(0, len(rows), at_once):
                some = rows[start : start + at_once]
                colours[:, some] = self._level(int(number), lat[some], lon[some])
        return colours

    def _level(self, number: int, lat: Floats32, lon: Floats32) -> Floats32:
        """Colours ``[3, ...]`` of one level at radians ``[...]``, bilinear.

        In whole numbers, 256 of which are one level of colour: of a pixel, two of its bytes are
        weighed at once, each with a byte of room above it.
        """
        height, width = self.levels[number].shape
        rows, columns = (side / 2**number for side in self.world.pixels.shape[:2])
        north, east = self.world.offset_deg
        row = lat * np.float32(-rows / np.pi) + np.float32((0.5 - north / 180) * rows - 0.5)
        column = lon * np.float32(columns / (2 * np.pi))
        column += np.float32((0.5 + east / 360) * columns - 0.5 + width)
        row = np.clip(row, 0, height - 1)
        top = np.minimum(row.astype(np.int32), height - 2)
        left = column.astype(np.int32)  # above 0: a turn of the Earth was added
        down = ((row - top) * np.float32(WHOLE)).astype(np.uint32)
        right = ((column - left) * np.float32(WHOLE)).astype(np.uint32)
        here, beside = left % width, (left + 1) % width
        top *= width
        both = (down * right) // WHOLE
        flat = self.levels[number].reshape(-1)
        red_and_blue, green = np.zeros((2, *lat.shape), np.uint32)
        for start, across, weight in (
            (top, here, WHOLE - down - right + both),
            (top, beside, right - both),
            (top + width, here, down - both),
            (top + width, beside, both),
        ):
            corner = flat.take(start + across)
            red_and_blue += (corner & RED_AND_BLUE) * weight
            green += (corner >> BYTE & LOWEST) * weight
        colours = np.stack([red_and_blue & LOWER_HALF, green, red_and_blue >> HALF])
        return np.asarray(colours * np.float32(1 / WHOLE), np.float32)


def _radians(centres: Floats32, east_north_km: Floats32) -> tuple[Floats32, Floats32]:
    """Latitude and longitude, radians ``[N, M]``, in single precision: to about 2 m."""
    east, north = (east_north_km[..., i] / np.float32(EARTH_RADIUS_KM) for i in (0, 1))
    angle = np.sqrt(east * east + north * north)
    shrink = np.sin(angle) / np.maximum(angle, np.float32(1e-12))
    shrink[angle == 0] = 1
    east, north, cos = east * shrink, north * shrink, np.cos(angle)
    lat, lon = (np.radians(centres[:, i, None]).astype(np.float32) for i in (0, 1))
    sine = cos * np.sin(lat) + north * np.cos(lat)
    ahead = cos * np.cos(lat) - north * np.sin(lat)
    return np.arcsin(np.clip(sine, -1, 1)), lon + np.arctan2(east, ahead)
