"""Polar maps of pictures, and the heading at which two of them agree, by circular correlation.

A row of a polar map lies at one distance from a centre and a column in one direction, so that to
turn the picture is to roll the map: Shi et al., "Accurate 3-DoF Camera Geo-Localization via
Ground-to-Satellite Image Matching" (2022), section 3, here for two views from above.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Array, Bools, Floats32, Floats64

__all__ = ["circular_correlation", "polar_points", "sample"]


def polar_points(radii: ArrayLike, columns: int, centre: ArrayLike = (0.0, 0.0)) -> Floats64:
    """Points ``[R, columns, 2]`` of a picture's plane about ``centre`` ``[2]``.

    ``radii`` is ``[R]``; column a looks a·360°/columns clockwise from the picture's up.
    """
    azimuth = 2 * np.pi * np.arange(columns) / columns
    direction = np.stack([np.sin(azimuth), np.cos(azimuth)], axis=-1)
    points = np.asarray(radii, np.float64)[:, None, None] * direction + np.asarray(centre)
    return np.asarray(points, np.float64)


def sample(maps: Floats32, plane: ArrayLike) -> tuple[Floats32, Bools]:
    """Values ``[..., P]`` of maps ``[..., H, W]`` at points ``[P, 2]`` of their plane, bilinear.

    Also which points ``[P]`` lie inside, between the centres of pixels; the values of the others
    are 0, so that what isn't known adds nothing to a correlation.
    """
    height, width = maps.shape[-2:]
    points = np.asarray(plane, np.float64) * max(height, width)
    column = points[:, 0] + (width - 1) / 2
    row = (height - 1) / 2 - points[:, 1]
    inside = (row >= 0) & (row <= height - 1) & (column >= 0) & (column <= width - 1)
    top = np.clip(row.astype(np.intp), 0, max(height - 2, 0))
    left = np.clip(column.astype(np.intp), 0, max(width - 2, 0))
    down = np.where(inside, row - top, 0.0).astype(np.float32)
    right = np.where(inside, column - left, 0.0).astype(np.float32)
    flat = maps.reshape(*maps.shape[:-2], -1)
    corner = top * width + left
    below, beside = width * (height > 1), int(width > 1)
    known = inside.astype(np.float32)
    values = flat.take(corner, -1) * ((1 - down) * (1 - right) * known)
    values += flat.take(corner + beside, -1) * ((1 - down) * right * known)
    values += flat.take(corner + below, -1) * (down * (1 - right) * known)
    values += flat.take(corner + below + beside, -1) * (down * right * known)
    return values, inside


def circular_correlation(first: Array, second: Array) -> Array:
    """``[N, M, A]`` of polar maps ``[N, F, A]`` and ``[M, F, A]``, whose rows run round a circle.

    Entry h is the sum over rows f and columns a of ``first[n, f, a + h] · second[m, f, a]``: the
    largest tells by how many columns ``second`` has to be turned clockwise to lie on ``first``. By
    FFT along the columns and one product of matrices for each frequency, in the precision of the
    maps.
    """
    columns = first.shape[-1]
    one, other = (
        np.ascontiguousarray(np.fft.rfft(maps).transpose(2, 0, 1)) for maps in (first, second)
    )
    spectrum = one @ np.conj(other).transpose(0, 2, 1)
    return np.asarray(np.fft.irfft(spectrum.transpose(1, 2, 0), n=columns))
