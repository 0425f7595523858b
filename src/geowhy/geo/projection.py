"""Equal Earth, an equal-area map of the whole sphere (Šavrič, Patterson and Jenny, 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats64
from geowhy.geo.sphere import wrap_longitude

__all__ = ["equal_earth"]

# The projection is defined by this polynomial of its parametric latitude θ.
A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796
M = np.sqrt(3.0) / 2.0
HEIGHT_POLE = 1.3173627591574133  # y of the poles


def equal_earth(lat_lon: ArrayLike) -> Floats64:
    """Degrees ``[..., 2]`` to x (east) and y (north) ``[..., 2]`` on a sphere of radius 1.

    x is within ±2.7066 and y within ±1.3173; the central meridian is Greenwich, and longitudes
    outside [-180, 180] wrap.
    """
    lat, lon = np.moveaxis(np.asarray(lat_lon, np.float64), -1, 0)
    # 180 itself stays on the eastern edge, where those who drew up to it expect it.
    east = np.radians(np.where(np.abs(lon) <= 180.0, lon, wrap_longitude(lon)))
    theta = np.arcsin(M * np.sin(np.radians(lat)))
    return np.stack([east * np.cos(theta) / (M * _slope(theta)), _height(theta)], axis=-1)


def _height(theta: Floats64) -> Floats64:
    """Y of the parametric latitude, radians."""
    square = theta**2
    return np.asarray(theta * (A1 + A2 * square + square**3 * (A3 + A4 * square)))


def _slope(theta: Floats64) -> Floats64:
    """dy/dθ."""
    square = theta**2
    return np.asarray(A1 + 3 * A2 * square + square**3 * (7 * A3 + 9 * A4 * square))
