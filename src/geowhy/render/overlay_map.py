"""The map that a picture is laid over: the reference world, coasts, graticule and scale, offline.

A map is the azimuthal equidistant one about the picture's centre, north up, on which the picture is
one matrix. It is a square of `SIDE` units, x right and y down.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

from geowhy.arrays import Floats64, Pixels, Points
from geowhy.geo.atlas import Atlas
from geowhy.geo.azimuthal import plane_to_sphere, sphere_to_plane
from geowhy.geo.sphere import EARTH_RADIUS_KM, wrap_longitude
from geowhy.images.overhead import cut_views
from geowhy.images.worlds import reference_world
from geowhy.overlay.laid import LaidPicture
from geowhy.render.world_map import path_data

__all__ = ["GridLine", "OverlayMap"]

SIDE = 1000  # units, and pixels of what is drawn
ROOM = 1.25  # of the map beyond the corner that is farthest
LINES = 4  # of the graticule, at least, along the map
STEPS_DEG = (30.0, 15.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1)
ALL_AROUND_DEG = 300.0  # of longitude: then a map holds a pole
LINE_POINTS = 181
LABEL = (80.0, 30.0)  # what a label may take, across and down
LAND_CELL_KM = 5.56  # of the atlas
COAST_LINES = ((5, (0, 20, 40, 130)), (3, (255, 240, 120, 255)))  # widths in pixels, RGBA
SCALE_SHARE = 0.3  # of the map that the scale bar may be long
KM_PER_DEGREE = EARTH_RADIUS_KM * np.pi / 180


@dataclass(frozen=True, slots=True)
class GridLine:
    """A meridian or a parallel."""

    words: str  # "40° N"
    path: str
    label: (
        tuple[float, float] | None
    )  # where the words begin, on the map; None where there's no room


@dataclass(frozen=True)
class OverlayMap:
    """A square map about a picture's centre that holds all of the picture, and some more."""

    laid: LaidPicture  # level

    @cached_property
    def half_km(self) -> float:
        """From the middle to an edge."""
        return float(ROOM * np.hypot(*self.laid.corners_km.T).max())

    @property
    def matrix(self) -> tuple[float, ...]:
        """Of the picture's pixels to the map, as SVG has it: a, b, c, d, e, f."""
        to_map = self.laid.to_map / self.laid.to_map[2, 2]
        a, c, e = (to_map[0] * self._scale).tolist()
        b, d, f = (to_map[1] * -self._scale).tolist()
        return a, b, c, d, e + SIDE / 2, f + SIDE / 2

    def on_map(self, lat_lon: Points) -> Floats64:
        """Where degrees ``[N, 2]`` lie."""
        return self._units(sphere_to_plane(self._centre, lat_lon)[0])

    def world(self) -> Pixels:
        """The reference world there, ``[SIDE, SIDE, 3]``."""
        view = cut_views(reference_world(), self._centre, 2 * self.half_km / SIDE, SIDE)
        return np.ascontiguousarray(view[0])

    def coasts(self) -> Pixels:
        """Where land and sea meet in the atlas: a light line with a dark edge, ``[.., .., 4]``."""
        land = Atlas.load().is_land(self._grid(SIDE).reshape(-1, 2)).reshape(SIDE, SIDE)
        # Cells of the atlas are larger than pixels, and would be stairs.
        blur = ImageFilter.GaussianBlur(LAND_CELL_KM * SIDE / (2 * self.half_km) / 2)
        smooth = np.asarray(Image.fromarray(land.astype(np.uint8) * 255).filter(blur)) > 127
        shore = np.zeros((SIDE, SIDE), np.uint8)
        shore[1:] |= smooth[1:] != smooth[:-1]
        shore[:, 1:] |= smooth[:, 1:] != smooth[:, :-1]
        drawn = np.zeros((SIDE, SIDE, 4), np.uint8)
        for width, colour in COAST_LINES:
            line = Image.fromarray(shore).filter(ImageFilter.MaxFilter(width))
            drawn[np.asarray(line) > 0] = colour
        return drawn

    def graticule(self) -> Iterator[GridLine]:
        """Parallels and meridians with their degrees."""
        grid = self._grid(41).reshape(-1, 2)
        middle = self.laid.pose.lat_lon
        lat, beside = grid[:, 0], wrap_longitude(grid[:, 1] - middle.lon)
        if np.ptp(beside) > ALL_AROUND_DEG:
            beside = np.array([-180.0, 180.0])
        step = self._step(1.0)
        for north in _multiples(lat.min(), lat.max(), step):
            along = np.linspace(beside.min(), beside.max(), LINE_POINTS) + middle.lon
            words = f"{abs(north):g}° {'N' if north > 0 else 'S'}" if north else "0°"
            yield self._line(np.full(LINE_POINTS, north), along, words, "left")
        step = self._step(np.cos(np.radians(np.abs(lat).max())))
        for east in _multiples(middle.lon + beside.min(), middle.lon + beside.max(), step):
            along = np.linspace(max(lat.min(), -89.0), min(lat.max(), 89.0), LINE_POINTS)
            turned = float(wrap_longitude(east))
            words = f"{abs(turned):g}° {'E' if turned > 0 else 'W'}" if turned % 180 else "0°"
            words = "180°" if turned == -180.0 else words
            yield self._line(along, np.full(LINE_POINTS, east), words, "bottom")

    def scale_bar(self) -> tuple[float, float]:
        """A round length, km, and how long that is on the map."""
        most = 2 * self.half_km * SCALE_SHARE
        power = 10.0 ** np.floor(np.log10(most))
        length = float(max(n * power for n in (1, 2, 5) if n * power <= most))
        return length, length * self._scale

    @property
    def _centre(self) -> Floats64:
        return np.array([(self.laid.pose.lat_lon.lat, self.laid.pose.lat_lon.lon)])

    @property
    def _scale(self) -> float:
        return SIDE / (2 * self.half_km)

    def _units(self, east_north_km: Floats64) -> Floats64:
        return east_north_km * [self._scale, -self._scale] + SIDE / 2

    def _grid(self, side: int) -> Floats64:
        """Degrees ``[side, side, 2]`` of the middles of fields of the map."""
        away = ((np.arange(side) + 0.5) / side * 2 - 1) * self.half_km
        plane = np.stack(np.meshgrid(away, -away), axis=-1).reshape(-1, 2)
        return plane_to_sphere(self._centre, plane).reshape(side, side, 2)

    def _step(self, shrink: float) -> float:
        """Degrees between lines, where a degree is ``shrink`` times as long as one of latitude."""
        span = 2 * self.half_km / KM_PER_DEGREE / shrink
        return next((step for step in STEPS_DEG if span / step >= LINES), STEPS_DEG[-1])

    def _line(
        self, lat: Floats64, lon: Floats64, words: str, end: Literal["left", "bottom"]
    ) -> GridLine:
        points = self.on_map(np.stack([lat, lon], axis=-1))
        across, down = LABEL
        free = (points > [0.0, down]) & (points < [SIDE - across, SIDE - down * (end == "left")])
        inside = points[free.all(axis=1)]
        label = None
        if len(inside):
            x, y = inside[inside[:, 0].argmin() if end == "left" else inside[:, 1].argmax()]
            if end == "left" or y > SIDE - 2 * down:
                label = float(x) + 6.0, float(y) - 7.0
        return GridLine(words, path_data(points), label)


def _multiples(low: float, high: float, step: float) -> list[float]:
    """All multiples of a step in a range."""
    return [round(n * step, 6) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
