"""A world map as SVG: where the model thinks that an image was taken, and how sure it is.

Equal Earth, so that equal areas look equal. The density is drawn in classes of fixed limits: two
maps can be compared at a glance. ``templates/map.html`` puts the parts together: a page needs
neither a network nor a plotting library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import h3
import numpy as np
import shapely

from geowhy.answer import Prediction
from geowhy.arrays import Floats64, Points
from geowhy.geo.sphere import HEIGHT_POLE, destination, equal_earth
from geowhy.types import LatLon

if TYPE_CHECKING:
    from geowhy.posterior import CellDensity

__all__ = [
    "CLASS_LIMITS", "COASTS", "VIEW_BOX", "X_MOST", "Y_MOST", "circle_path", "class_names",
    "coastlines", "density_paths", "map_shapes", "point_on_map", "view_of_answer",
]  # fmt: skip

COASTS = Path(__file__).parent.parent / "data" / "earth" / "coasts.npz"
X_MOST, Y_MOST = 2.706629983696, HEIGHT_POLE  # of the map, on a sphere of radius 1
WIDTH = 1000.0  # of the map, in units of the SVG
HEIGHT = WIDTH * Y_MOST / X_MOST
MARGIN = 3.0
VIEW_BOX = f"{-MARGIN:g} {-MARGIN:g} {WIDTH + 2 * MARGIN:g} {HEIGHT + 2 * MARGIN:.1f}"
CLASS_LIMITS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)  # probability of a cell
HALF_EARTH_KM = 20015.0
CIRCLE_POINTS = 181
SMALLEST_ISLAND, TOLERANCE = 1.0, 0.25  # of coasts, square units and units of the map
SMALLEST_REACH, ROOM = 25.0, 1.15  # around the answer: 850 km, and some space beyond its circle


def class_names() -> tuple[str, ...]:
    """The classes of the density in words, least probable first."""
    limits = [f"{limit * 100:g}" for limit in CLASS_LIMITS]
    between = [f"{low}–{high} %" for low, high in pairwise(limits)]
    return (*between, f"over {limits[-1]} %")


@lru_cache(maxsize=1)
def map_shapes() -> str:
    """Sea, graticule and land, about 40 kB: defined once, used by every map of a page."""
    lat = np.linspace(-90.0, 90.0, 61)
    east = np.stack([lat, np.full(61, 180.0)], axis=-1)
    sea = path_data(on_map(np.vstack([east, (east * [1.0, -1.0])[::-1]])), closed=True)
    lat = np.linspace(-90.0, 90.0, 37)
    meridians = (np.stack([lat, np.full(37, lon)], axis=-1) for lon in range(-150, 180, 30))
    parallels = (np.array([[lat, -180.0], [lat, 180.0]]) for lat in range(-60, 90, 30))
    grid = "".join(path_data(on_map(line)) for line in (*meridians, *parallels))
    land = ""
    for curve in coastlines():
        points = on_map(np.vstack([curve, curve[:1]]))
        if shapely.Polygon(points).area >= SMALLEST_ISLAND:
            kept = shapely.simplify(shapely.LineString(points), TOLERANCE, preserve_topology=False)
            land += path_data(shapely.get_coordinates(kept)[:-1], closed=True)
    return (
        f'<defs><path id="world-sea" d="{sea}"/><path id="world-grid" d="{grid}"/>'
        f'<path id="world-land" d="{land}"/></defs>'
    )


@lru_cache(maxsize=1)
def coastlines() -> tuple[Points, ...]:
    """Closed curves around all land, degrees ``[n, 2]`` each; along the map's edge where it is cut.

    Lakes are curves inside of others; fill them by the even-odd rule.
    """
    with np.load(COASTS) as stored:
        return tuple(np.split(stored["lat_lon"].astype(np.float64), stored["starts"]))


def density_paths(density: CellDensity) -> Iterator[tuple[int, str]]:
    """Number and path data of each class that has cells; less than the lowest limit is nothing."""
    number = np.searchsorted(CLASS_LIMITS, density.probability, side="right") - 1
    for each in range(len(CLASS_LIMITS)):
        cells = density.cells[number == each].tolist()
        outlines = (part for cell in cells for part in cell_outlines(cell))
        data = "".join(path_data(on_map(outline), closed=True) for outline in outlines)
        if data:
            yield each, data


def circle_path(centre: LatLon, radius_km: float) -> str:
    """Path data of a circle; empty around everything, or nothing: that is no line."""
    if not 0.0 < radius_km < HALF_EARTH_KM:
        return ""
    return "".join(path_data(on_map(line)) for line in circle_lines(centre, radius_km))


def view_of_answer(prediction: Prediction) -> tuple[float, float, float]:
    """What shows the answer and its outer circle: the middle (x, y) and the width, on the map."""
    x, y = point_on_map(prediction.position)
    reach = 100.0  # of a guess: half a continent
    if 0.0 < prediction.radius_90_km < HALF_EARTH_KM:
        lines = circle_lines(prediction.position, prediction.radius_90_km)
        away = np.abs(on_map(np.vstack(lines)) - [x, y])
        # What lies beyond the map's edge goes on at the other side of it: that isn't shown.
        near = away[away[:, 0] < WIDTH / 2]
        across, down = near.max(axis=0).tolist() if len(near) else (WIDTH / 2, 0.0)
        reach = max(SMALLEST_REACH, across, down * WIDTH / HEIGHT)
    return x, y, min(WIDTH, 2 * ROOM * reach)


def point_on_map(position: LatLon) -> tuple[float, float]:
    """Where a point lies: x right and y down."""
    x, y = on_map(np.array([position.lat, position.lon])).tolist()
    return x, y


def on_map(lat_lon: Points) -> Floats64:
    """Degrees ``[..., 2]`` to x right and y down ``[..., 2]`` within the map."""
    xy = equal_earth(lat_lon)
    return np.stack([X_MOST + xy[..., 0], Y_MOST - xy[..., 1]], axis=-1) * (WIDTH / 2 / X_MOST)


def path_data(points: Floats64, *, closed: bool = False) -> str:
    """A line or polygon ``[n, 2]`` on the map as path data; empty if it vanishes.

    To a tenth of a unit: one absolute point and short relative steps, without those of no length.
    """
    tenths = np.rint(points * 10).astype(np.int64)
    steps = np.diff(tenths, axis=0)
    moving = steps[np.any(steps != 0, axis=1)]
    if len(moving) < 1 + closed:
        return ""
    start, line = (" ".join(f"{x:g}" for x in (xy / 10).flat) for xy in (tenths[0], moving))
    return re.sub(r"(?<!\d)0(?=\.)", "", f"M{start}l{line}") + "z" * closed


def cell_outlines(cell: int) -> list[Points]:
    """An H3 cell as one or two polygons, degrees ``[n, 2]``, none across the map's edge."""
    return cut_at_antimeridian(np.array(h3.api.basic_int.cell_to_boundary(cell)))


def cut_at_antimeridian(polygon: Points) -> list[Points]:
    """A polygon, degrees ``[n, 2]``, as polygons within [-180, 180]; it may hold a pole."""
    points = np.vstack([polygon, polygon[:1]])
    points[:, 1] = np.degrees(np.unwrap(np.radians(points[:, 1])))
    first, last = points[0, 1], points[-1, 1]
    if abs(last - first) > 180.0:  # once around: it holds the pole on whose side it lies
        pole = np.copysign(90.0, polygon[:, 0].sum())
        points = np.vstack([points, [pole, last], [pole, first]])
    else:
        points = points[:-1]
    return [part[:-1] for part in _within(shapely.Polygon(points))]


def circle_lines(centre: LatLon, radius_km: float) -> list[Points]:
    """The circle of a radius around a point as lines, degrees ``[n, 2]``, cut at the map's edge."""
    bearings = np.linspace(0.0, 360.0, CIRCLE_POINTS)
    points = destination((centre.lat, centre.lon), bearings, np.full(CIRCLE_POINTS, radius_km))
    points[:, 1] = np.degrees(np.unwrap(np.radians(points[:, 1])))
    return _within(shapely.LineString(points))


def _within(shape: shapely.Geometry) -> list[Points]:
    """Parts of a line or polygon, its points longitude after latitude, in [-180, 180]."""
    parts = []
    for turn in np.array([[0.0, -360.0], [0.0, 0.0], [0.0, 360.0]]):
        turned = shapely.transform(shape, turn.__add__)
        clipped = shapely.get_parts(shapely.clip_by_rect(turned, -91.0, -180.0, 91.0, 180.0))
        parts += [shapely.get_coordinates(part) for part in clipped if part.length]
    return parts
