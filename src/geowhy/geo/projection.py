"""Equal Earth, an equal-area map of the whole sphere (Šavrič, Patterson and Jenny, 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.geo.sphere import wrap_longitude

__all__ = ["equal_earth", "equal_earth_inverse"]

# The projection is defined by this polynomial of its parametric latitude θ.
A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796
M = np.sqrt(3.0) / 2.0
THETA_POLE = np.pi / 3.0
HEIGHT_POLE = 1.3173627591574133  # y of the poles
NEWTON_STEPS = 8  # far more than double precision takes, the poles included

Floats = NDArray[np.float64]


def equal_earth(lat_lon: ArrayLike) -> Floats:
    """Degrees ``[..., 2]`` to x (east) and y (north) ``[..., 2]`` on a sphere of radius 1.

    x is within ±2.7066 and y within ±1.3173; the central meridian is Greenwich, and longitudes
    outside [-180, 180] wrap.
    """
    lat, lon = np.moveaxis(np.asarray(lat_lon, np.float64), -1, 0)
    # 180 itself stays on the eastern edge, where those who drew up to it expect it.
    east = np.radians(np.where(np.abs(lon) <= 180.0, lon, wrap_longitude(lon)))
    theta = np.arcsin(M * np.sin(np.radians(lat)))
    return np.stack([east * np.cos(theta) / (M * _slope(theta)), _height(theta)], axis=-1)


def equal_earth_inverse(xy: ArrayLike) -> Floats:
    """X and y ``[..., 2]`` to degrees ``[..., 2]``; NaN for points off the map."""
    x, y = np.moveaxis(np.asarray(xy, np.float64), -1, 0)
    theta = np.clip(y / A1, -THETA_POLE, THETA_POLE)
    for _ in range(NEWTON_STEPS):
        theta = np.clip(theta - (_height(theta) - y) / _slope(theta), -THETA_POLE, THETA_POLE)
    lon = np.degrees(M * x * _slope(theta) / np.cos(theta))
    lat = np.degrees(np.arcsin(np.clip(np.sin(theta) / M, -1.0, 1.0)))
    # The tolerance takes the map's own edge in, whatever the rounding.
    on_map = (np.abs(lon) <= 180.0 + 1e-9) & (np.abs(y) <= HEIGHT_POLE + 1e-12)
    inside = np.stack([lat, np.clip(lon, -180.0, 180.0)], axis=-1)
    return np.where(on_map[..., None], inside, np.nan)


def _height(theta: Floats) -> Floats:
    """Y of the parametric latitude, radians."""
    square = theta**2
    return np.asarray(theta * (A1 + A2 * square + square**3 * (A3 + A4 * square)))


def _slope(theta: Floats) -> Floats:
    """dy/dθ."""
    square = theta**2
    return np.asarray(A1 + 3 * A2 * square + square**3 * (7 * A3 + 9 * A4 * square))
