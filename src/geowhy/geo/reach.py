"""Which points are near a region: what was found at one of them may lie inside.

A region is only known by what it contains, so it stands for the points of a lattice that it holds,
and its corners. So distances are true to about half a voxel, a quarter of what is reached.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import Bools, Floats64, Points
from geowhy.geo.regions import Region
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit

__all__ = ["reaches"]

LATTICES_DEG = 0.25, 0.1  # the second for what slips through the first; cells of countries
VOXELS = 2  # of a grid in space, in as far as is reached
ROW = 2**20  # more than there are voxels along an axis, even 20 m wide ones
STEPS = [  # to the keys of what is reached from a voxel
    (x * ROW + y) * ROW + z
    for x, y, z in product(range(-VOXELS, VOXELS + 1), repeat=3)
    if x * x + y * y + z * z <= VOXELS**2
]


def reaches(lat_lon: Points, reach_km: Floats64, region: Region) -> Bools:
    """Whether a region holds degrees ``[M, 2]`` or begins within ``reach_km`` ``[M]`` of them."""
    found, held = region.contains(lat_lon), lat_lon_to_unit(_held(region)) * EARTH_RADIUS_KM
    if not len(held):
        return found
    km = lat_lon_to_unit(lat_lon) * EARTH_RADIUS_KM
    for reach in np.unique(reach_km):
        of_region = _distinct(_voxels(held, reach))
        near = _distinct(np.concatenate([of_region + step for step in STEPS]))
        rows = np.flatnonzero((reach_km == reach) & ~found)
        keys = _voxels(km[rows], reach)
        place = np.searchsorted(near, keys).clip(max=len(near) - 1)
        found[rows] = near[place] == keys
    return found


def _held(region: Region) -> Points:
    """Points that a region holds, some of any that isn't empty, degrees ``[P, 2]``."""
    for step in LATTICES_DEG:
        lat = np.arange(step / 2, 180, step) - 90
        lon = np.arange(step / 2, 360, step) - 180
        lattice = np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1).reshape(-1, 2)
        held = lattice[region.contains(lattice)]
        if region.corners is not None:
            return np.concatenate([held, region.corners])
        if len(held):
            break
    return held


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """In order; `numpy.unique` hashes, and that takes seconds for keys like these."""
    keys = np.sort(keys)
    return keys[np.diff(keys, prepend=keys[0] - 1) > 0]


def _voxels(km: Floats64, reach_km: float) -> NDArray[np.int64]:
    """Keys ``[P]`` of the voxels that points in space ``[P, 3]`` are in; they add up like steps."""
    x, y, z = np.floor(km * (VOXELS / reach_km)).astype(np.int64).T
    return np.asarray((x * ROW + y) * ROW + z)
