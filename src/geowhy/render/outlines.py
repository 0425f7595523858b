"""Shapes on the sphere as SVG paths on an Equal Earth map, cut where they cross its edge."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import h3
import numpy as np
import shapely

from geowhy.arrays import Floats64
from geowhy.geo.sphere import destination, equal_earth
from geowhy.render.raster import X_MOST, Y_MOST
from geowhy.types import LatLon

__all__ = [
    "COASTS",
    "HEIGHT",
    "WIDTH",
    "cell_outlines",
    "circle_lines",
    "closed_path",
    "coastlines",
    "cut_at_antimeridian",
    "on_map",
    "open_path",
]


WIDTH = 1000.0  # of the map, in units of the SVG
HEIGHT = WIDTH * Y_MOST / X_MOST
CIRCLE_POINTS = 181
COASTS = Path(__file__).parent.parent / "data" / "earth" / "coasts.npz"


@lru_cache(maxsize=1)
def coastlines() -> tuple[Floats64, ...]:
    """Closed curves around all land, degrees ``[n, 2]`` each; along the map's edge where it is cut.

    Lakes are curves inside of others; fill them by the even-odd rule.
    """
    with np.load(COASTS) as stored:
        return tuple(np.split(stored["lat_lon"].astype(np.float64), stored["starts"]))


def on_map(lat_lon: Floats64) -> Floats64:
    """Degrees ``[..., 2]`` to x right and y down ``[..., 2]`` within the map."""
    xy = equal_earth(lat_lon)
    return np.stack([X_MOST + xy[..., 0], Y_MOST - xy[..., 1]], axis=-1) * (WIDTH / 2 / X_MOST)


def closed_path(points: Floats64) -> str:
    """A polygon ``[n, 2]`` on the map as path data, to a tenth of a unit; empty if it vanishes."""
    steps = _steps(points)
    return f"{steps}z" if steps.count(" ") > 2 else ""


def open_path(points: Floats64) -> str:
    """A line ``[n, 2]`` on the map as path data."""
    return _steps(points)


def cell_outlines(cell: int) -> list[Floats64]:
    """An H3 cell as one or two polygons, degrees ``[n, 2]``, none across the map's edge."""
    return cut_at_antimeridian(np.array(h3.api.basic_int.cell_to_boundary(cell)))


def cut_at_antimeridian(polygon: Floats64) -> list[Floats64]:
    """A polygon, degrees ``[n, 2]``, as polygons within [-180, 180]; it may hold a pole."""
    lon = np.degrees(np.unwrap(np.radians(np.append(polygon[:, 1], polygon[0, 1]))))
    points = np.stack([np.append(polygon[:, 0], polygon[0, 0]), lon], axis=-1)
    if abs(lon[-1] - lon[0]) > 180.0:  # once around: it holds the pole on whose side it lies
        pole = np.copysign(90.0, polygon[:, 0].sum())
        points = np.vstack([points, [pole, lon[-1]], [pole, lon[0]]])
    else:
        points = points[:-1]
    return [part[:-1] for part in _within(shapely.Polygon(points))]


def circle_lines(centre: LatLon, radius_km: float) -> list[Floats64]:
    """The circle of a radius around a point as lines, degrees ``[n, 2]``, cut at the map's edge."""
    bearings = np.linspace(0.0, 360.0, CIRCLE_POINTS)
    points = destination((centre.lat, centre.lon), bearings, np.full(CIRCLE_POINTS, radius_km))
    points[:, 1] = np.degrees(np.unwrap(np.radians(points[:, 1])))
    return _within(shapely.LineString(points))


def _within(shape: shapely.Geometry) -> list[Floats64]:
    """Parts of a line or polygon, its points longitude after latitude, in [-180, 180]."""
    parts = []
    for turn in np.array([[0.0, -360.0], [0.0, 0.0], [0.0, 360.0]]):
        turned = shapely.transform(shape, turn.__add__)
        clipped = shapely.get_parts(shapely.clip_by_rect(turned, -91.0, -180.0, 91.0, 180.0))
        parts += [shapely.get_coordinates(part) for part in clipped if part.length]
    return parts


def _steps(points: Floats64) -> str:
    """Path data: one absolute point and short relative steps, without those of no length."""
    tenths = np.rint(points * 10).astype(np.int64)
    steps = np.diff(tenths, axis=0)
    moving = steps[np.any(steps != 0, axis=1)]
    first = " ".join(map(_tenth, tenths[0].tolist()))
    return f"M{first}l" + _joined(moving.ravel().tolist()) if len(moving) else ""


def _joined(tenths: Iterable[int]) -> str:
    return " ".join(map(_tenth, tenths))


def _tenth(value: int) -> str:
    """A tenth in as few characters as SVG takes: "1.5", ".3", "-2"."""
    whole, rest = divmod(abs(value), 10)
    digits = f"{whole or ''}.{rest}" if rest else f"{whole}"
    return f"-{digits}" if value < 0 else digits
