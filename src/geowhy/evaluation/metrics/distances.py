"""How far off answers are: great-circle errors, the shares within so many km, and the GeoScore."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.arrays import Floats64, Ints64, Points
from geowhy.evaluation.estimates import Estimate, block_mean, block_statistic
from geowhy.geo.sphere import EARTH_RADIUS_KM, distance_km

__all__ = ["FARTHEST_KM", "THRESHOLDS_KM", "DistanceMetrics", "errors_km", "geoscore"]

THRESHOLDS_KM = (1, 25, 200, 750, 2500)  # street, city, region, country, continent
FARTHEST_KM = math.pi * EARTH_RADIUS_KM  # to the antipodes
GEOSCORE_MOST, GEOSCORE_KM = 5000.0, 1492.7


def errors_km(truth: Points, answer: Points) -> Floats64:
    """Great-circle error, km, of each of degrees ``[N, 2]``, ``[N]``.

    Where either is NaN, as of a missing image, it is as large as can be: half the circumference.
    """
    return np.asarray(np.nan_to_num(distance_km(truth, answer), nan=FARTHEST_KM))


def geoscore(error_km: Floats64) -> Floats64:
    """The score of the game GeoGuessr, 0 to 5,000, for errors ``[N]``, km.

    ``5000 · exp(−d / 1492.7 km)``, as by Haas et al. (PIGEON, CVPR 2024, arXiv 2307.05845), Astruc
    et al. (OpenStreetView-5M, CVPR 2024, arXiv 2404.18873) and Dufour et al. (Around the World in
    80 Timesteps, arXiv 2412.06781).
    """
    return np.asarray(GEOSCORE_MOST * np.exp(-error_km / GEOSCORE_KM))


@dataclass(frozen=True, slots=True)
class DistanceMetrics:
    """What errors amount to."""

    recall: dict[int, Estimate]  # share of answers within so many km
    median_km: Estimate
    mean_km: Estimate
    geoscore: Estimate  # mean

    @classmethod
    def of(cls, error_km: Floats64, blocks: Ints64) -> Self:
        """From errors ``[N]``, km, and the block of each truth ``[N]``."""
        return cls(
            recall={km: block_mean(error_km <= km, blocks) for km in THRESHOLDS_KM},
            median_km=block_statistic(np.median, error_km, blocks),
            mean_km=block_mean(error_km, blocks),
            geoscore=block_mean(geoscore(error_km), blocks),
        )
