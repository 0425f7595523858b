"""What a file itself says of its place: reported beside an answer, never used for one.

A photograph has the GPS position of its camera; a GeoTIFF its georeference, of which degrees, Web
Mercator and UTM are understood.

Sources: GeoTIFF 1.1 (OGC 19-008r4); the inverse of UTM by Krüger's series to the third order of n,
which is true to a millimetre within a zone (Karney, Journal of Geodesy 85, 2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from geowhy.answer import FileRecord
from geowhy.geo.sphere import distance_km
from geowhy.images.gps import position_in
from geowhy.images.ifd import Directory
from geowhy.types import LatLon

__all__ = ["file_record"]

_WIDTH, _HEIGHT, _SCALE, _TIE, _MATRIX, _KEYS = 256, 257, 33550, 33922, 34264, 34735
_MODEL, _RASTER, _PROJECTED = 1024, 1025, 3072  # keys
_GEOGRAPHIC, _POINTS = 2, 2  # of the model; of the raster: positions are of pixels' centres
_WEB_MERCATOR = (3857, 3785, 900913)
_SEMI_MAJOR_M, _FLATTENING = 6378137.0, 1 / 298.257223563
_UTM = ((32600, 60, True), (32700, 60, False), (25800, 60, True), (26900, 60, True))
_SCALE_AT_MERIDIAN, _FALSE_EASTING_M, _FALSE_NORTHING_M = 0.9996, 500_000.0, 10_000_000.0

_ToDegrees = Callable[[float, float], tuple[float, float]]  # x, y to latitude, longitude


def file_record(directory: Directory | None) -> tuple[FileRecord | None, str]:
    """What the tags of an image say of its place, or None; and a note on what can't be used.

    A georeference goes before a camera's position, since it is of the picture.
    """
    if directory is None:
        return None, ""
    try:
        found = _georeference(directory)
    except (ValueError, OverflowError) as error:  # keys may be any kind of number
        return None, f"its georeference isn't reported: {error}"
    if found is not None:
        return found, ""
    try:
        camera = position_in(directory)
    except ValueError as error:
        return None, f"its GPS position can't be used: {error}"
    return (FileRecord(camera.position, "camera") if camera else None), ""


def _georeference(directory: Directory) -> FileRecord | None:
    keys = _geo_keys(directory)
    affine = _affine(directory, 0.5 if keys.get(_RASTER) == _POINTS else 0.0)
    if affine is None or not keys:
        return None
    to_degrees = _projection(keys)
    width, height = (float(directory.number(tag) or 0) for tag in (_WIDTH, _HEIGHT))

    def at(column: float, row: float) -> LatLon:
        a, b, c, d, e, f = affine
        lat, lon = to_degrees(a * column + b * row + c, d * column + e * row + f)
        # Written so that not-a-number fails too. Some maps go on beyond 180 degrees.
        if not (abs(lat) <= 90.0 and abs(lon) <= 540.0):
            raise ValueError(f"it leads to latitude {lat:g}, longitude {lon:g}")
        return LatLon(lat, (lon + 180.0) % 360.0 - 180.0)

    middle = at(width / 2, height / 2)
    line = [at(width * share / 4, height / 2) for share in range(5)]
    points = np.array([(each.lat, each.lon) for each in line])
    return FileRecord(middle, "georeference", float(distance_km(points[1:], points[:-1]).sum()))


def _geo_keys(directory: Directory) -> dict[int, int]:
    """The keys whose values stand in the directory itself."""
    numbers = [int(value or 0) for value in directory.numbers(_KEYS)]
    rows = (numbers[at : at + 4] for at in range(4, len(numbers) - 3, 4))
    return {key: value for key, place, _, value in rows if place == 0}


def _affine(directory: Directory, shift: float) -> tuple[float, ...] | None:
    """A to f of x = a column + b row + c, y = d column + e row + f; None if there is none.

    ``shift`` is where in a pixel its position is, in pixels from its top left corner.
    """
    matrix = [float(value or 0) for value in directory.numbers(_MATRIX)]
    scale = [float(value or 0) for value in directory.numbers(_SCALE)]
    tie = [float(value or 0) for value in directory.numbers(_TIE)]
    if len(matrix) == 16:
        a, b, c, d, e, f = (matrix[index] for index in (0, 1, 3, 4, 5, 7))
    elif len(scale) >= 2 and len(tie) >= 6:
        a, b, d, e = scale[0], 0.0, 0.0, -scale[1]
        c, f = tie[3] - a * tie[0], tie[4] - e * tie[1]
    else:
        return None
    return a, b, c - (a + b) * shift, d, e, f - (d + e) * shift


def _projection(keys: dict[int, int]) -> _ToDegrees:
    if keys.get(_MODEL) == _GEOGRAPHIC:
        return lambda x, y: (y, x)
    code = keys.get(_PROJECTED, 0)
    if code in _WEB_MERCATOR:
        return _from_web_mercator
    for first, most, north in _UTM:
        if 1 <= code - first <= most:
            return lambda x, y: _from_utm(x, y, code - first, north)
    named = f"the projection EPSG:{code}" if code else "a projection without a code"
    raise ValueError(f"it is in {named}, and only degrees, Web Mercator and UTM are read")


def _from_web_mercator(x: float, y: float) -> tuple[float, float]:
    upright = math.atan(math.sinh(max(-50.0, min(50.0, y / _SEMI_MAJOR_M))))
    return math.degrees(upright), math.degrees(x / _SEMI_MAJOR_M)


def _from_utm(x: float, y: float, zone: int, north: bool) -> tuple[float, float]:
    n = _FLATTENING / (2 - _FLATTENING)
    radius = _SEMI_MAJOR_M / (1 + n) * (1 + n**2 / 4 + n**4 / 64) * _SCALE_AT_MERIDIAN
    beta = (
        n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96,
        n**2 / 48 + n**3 / 15,
        17 * n**3 / 480,
    )
    delta = (2 * n - 2 * n**2 / 3 - 2 * n**3, 7 * n**2 / 3 - 8 * n**3 / 5, 56 * n**3 / 15)
    xi = (y - (0.0 if north else _FALSE_NORTHING_M)) / radius
    eta = (x - _FALSE_EASTING_M) / radius
    if not (abs(xi) < 2.0 and abs(eta) < 1.0):
        raise ValueError("it lies outside its zone of UTM")
    xi_, eta_ = xi, eta
    for j, each in enumerate(beta, 1):
        xi_ -= each * math.sin(2 * j * xi) * math.cosh(2 * j * eta)
        eta_ -= each * math.cos(2 * j * xi) * math.sinh(2 * j * eta)
    conformal = math.asin(math.sin(xi_) / math.cosh(eta_))
    lat = conformal + sum(each * math.sin(2 * j * conformal) for j, each in enumerate(delta, 1))
    lon = math.radians(6 * zone - 183) + math.atan2(math.sinh(eta_), math.cos(xi_))
    return math.degrees(lat), math.degrees(lon)
