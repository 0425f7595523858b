"""How far from where it was laid a picture may lie.

The curvature of the likeness tells how well a pose is fixed by the pictures alone. Two pictures of
the Earth also differ by some km in where they show the same coast, however wide a picture is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats64

__all__ = ["BY_CURVATURE", "Spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations to either side, from those by curvature."""

    factor: float = 1.0
    floor_km: float = 0.0

    def sigma_km(self, by_curvature_km: Floats64) -> Floats64:
        """Of centres, ``[N]`` of any shape."""
        return np.asarray(np.hypot(self.factor * by_curvature_km, self.floor_km), np.float64)


BY_CURVATURE = Spread()  # alone
