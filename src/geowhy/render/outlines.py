"""Shapes on the sphere as SVG paths on an Equal Earth map, cut where they cross its edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import h3
import numpy as np
from numpy.typing import NDArray

from geowhy.geo.projection import equal_earth
from geowhy.geo.sphere import destination
from geowhy.types import LatLon

__all__ = [
    "HEIGHT",
    "WIDTH",
    "cell_outlines",
    "circle_lines",
    "closed_path",
    "cut_at_antimeridian",
    "on_map",
    "open_path",
    "simplified",
]

Floats = NDArray[np.float64]

WIDTH = 1000.0  # of the map, in units of the SVG
_X_MOST, _Y_MOST = 2.706629983696, 1.317362759157
HEIGHT = WIDTH * _Y_MOST / _X_MOST
CIRCLE_POINTS = 181
WHOLE_TURNS = (-720.0, -360.0, 0.0, 360.0, 720.0)


def on_map(lat_lon: Floats) -> Floats:
    """Degrees ``[..., 2]`` to x right and y down ``[..., 2]`` within the map."""
    xy = equal_earth(lat_lon)
    return np.stack([_X_MOST + xy[..., 0], _Y_MOST - xy[..., 1]], axis=-1) * (WIDTH / 2 / _X_MOST)


def closed_path(points: Floats) -> str:
    """A polygon ``[n, 2]`` on the map as path data, to a tenth of a unit; empty if it vanishes."""
    steps = _steps(points)
    return f"{steps}z" if steps.count(" ") > 2 else ""


def open_path(points: Floats) -> str:
    """A line ``[n, 2]`` on the map as path data."""
    return _steps(points)


def cell_outlines(cell: int) -> list[Floats]:
    """An H3 cell as one or two polygons, degrees ``[n, 2]``, none across the map's edge."""
    return cut_at_antimeridian(np.array(h3.api.basic_int.cell_to_boundary(cell)))


def cut_at_antimeridian(polygon: Floats) -> list[Floats]:
    """A polygon, degrees ``[n, 2]``, as polygons within [-180, 180]; it may hold a pole."""
    lon = np.degrees(np.unwrap(np.radians(np.append(polygon[:, 1], polygon[0, 1]))))
    points = np.stack([np.append(polygon[:, 0], polygon[0, 0]), lon], axis=-1)
    if abs(lon[-1] - lon[0]) > 180.0:  # once around: it holds the pole on whose side it lies
        pole = np.copysign(90.0, polygon[:, 0].sum())
        points = np.vstack([points, [pole, lon[-1]], [pole, lon[0]]])
    else:
        points = points[:-1]
    parts = (_within(points + np.array([0.0, shift])) for shift in WHOLE_TURNS)
    return [part for part in parts if len(part) > 2]


def circle_lines(centre: LatLon, radius_km: float) -> list[Floats]:
    """The circle of a radius around a point as lines, degrees ``[n, 2]``, cut at the map's edge."""
    bearings = np.linspace(0.0, 360.0, CIRCLE_POINTS)
    points = destination((centre.lat, centre.lon), bearings, np.full(CIRCLE_POINTS, radius_km))
    lines, start = [], 0
    for i in (np.flatnonzero(np.abs(np.diff(points[:, 1])) > 180.0) + 1).tolist():
        before, after = _edge_points(points[i - 1], points[i])
        lines.append(np.vstack([points[start:i], before]))
        points[i - 1] = after  # the next line begins on the other edge
        start = i - 1
    return [*lines, points[start:]]


def simplified(points: Floats, tolerance: float) -> Floats:
    """A curve ``[n, 2]`` without the points that lie within ``tolerance`` (Douglas, Peucker)."""
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        away = _distances(points[first + 1 : last], points[first], points[last])
        if away.max() > tolerance:
            middle = first + 1 + int(away.argmax())
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points[keep]


def _distances(points: Floats, start: Floats, end: Floats) -> Floats:
    """How far points ``[n, 2]`` are from a line; from its start if it has no length."""
    along = end - start
    length = np.hypot(*along)
    offset = points - start
    if length == 0.0:
        return np.hypot(offset[:, 0], offset[:, 1])
    return np.asarray(np.abs(along[0] * offset[:, 1] - along[1] * offset[:, 0]) / length)


def _within(polygon: Floats) -> Floats:
    """The part of a polygon with longitudes in [-180, 180] (Sutherland, Hodgman)."""
    for sign in (-1.0, 1.0):
        if not len(polygon):
            break
        polygon = np.array(list(_clipped(polygon, sign))).reshape(-1, 2)
    return polygon


def _clipped(polygon: Floats, sign: float) -> Iterator[Floats]:
    """Corners of the part of a polygon with ``sign * longitude <= 180``."""
    inside = sign * polygon[:, 1] <= 180.0
    for i in range(len(polygon)):
        if inside[i] != inside[i - 1]:
            before, after = polygon[i - 1], polygon[i]
            share = (sign * 180.0 - before[1]) / (after[1] - before[1])
            yield np.array([before[0] + share * (after[0] - before[0]), sign * 180.0])
        if inside[i]:
            yield polygon[i]


def _edge_points(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Where the way between two points meets the map's edge, on this and on the other side."""
    side = np.copysign(180.0, before[1])
    to_edge, beyond = abs(side - before[1]), abs(side + after[1])
    share = to_edge / (to_edge + beyond) if to_edge + beyond else 0.5
    lat = before[0] + share * (after[0] - before[0])
    return np.array([lat, side]), np.array([lat, -side])


def _steps(points: Floats) -> str:
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
