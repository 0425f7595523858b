"""The azimuthal equidistant map about a point: true distances and bearings from its centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats64
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit, local_frame, unit_to_lat_lon

__all__ = ["plane_to_sphere", "sphere_to_plane"]


def plane_to_sphere(centres: ArrayLike, east_north_km: ArrayLike) -> Floats64:
    """Degrees ``[N, M, 2]`` of points of the maps about ``centres``, degrees ``[N, 2]``.

    ``east_north_km`` is ``[N, M, 2]``, or ``[M, 2]`` for the same points of each map.
    """
    lat, lon = np.moveaxis(np.radians(np.asarray(centres, np.float64)), -1, 0)
    up, north, east = (axis[:, None] for axis in local_frame(lat, lon))
    plane = np.asarray(east_north_km, np.float64) / EARTH_RADIUS_KM
    angle = np.hypot(plane[..., 0], plane[..., 1])[..., None]
    along = plane * np.sinc(angle / np.pi)  # sin(angle) / angle, and 1 at the centre
    return unit_to_lat_lon(np.cos(angle) * up + along[..., :1] * east + along[..., 1:] * north)


def sphere_to_plane(centres: ArrayLike, lat_lon: ArrayLike) -> Floats64:
    """East and north, km ``[N, M, 2]``, on the maps about ``centres``, degrees ``[N, 2]``.

    ``lat_lon`` is degrees ``[N, M, 2]``, or ``[M, 2]`` for the same points on each map. The
    antipode of a centre lies in every direction: here it lies north.
    """
    lat, lon = np.moveaxis(np.radians(np.asarray(centres, np.float64)), -1, 0)
    up, north, east = (axis[:, None] for axis in local_frame(lat, lon))
    vectors = lat_lon_to_unit(lat_lon)
    x, y, z = ((vectors * axis).sum(-1) for axis in (east, north, up))
    distance = np.arctan2(np.hypot(x, y), z) * EARTH_RADIUS_KM
    bearing = np.arctan2(x, y)
    return np.stack([distance * np.sin(bearing), distance * np.cos(bearing)], axis=-1)
