"""Whether stated radii hold the truth, and how sharp they are: one without the other is easy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.arrays import Floats64, Ints64
from geowhy.evaluation.estimates import Estimate, block_mean, block_statistic

__all__ = ["RadiusMetrics"]


@dataclass(frozen=True, slots=True)
class RadiusMetrics:
    """Of the images that were answered, if radii were stated: who abstains states none."""

    coverage_50: Estimate  # share of truths within the radius stated for half of them
    coverage_90: Estimate
    sharpness_50_km: Estimate  # median of the stated radii
    sharpness_90_km: Estimate
    stated: int  # images

    @classmethod
    def of(
        cls, error_km: Floats64, radius_50_km: Floats64, radius_90_km: Floats64, blocks: Ints64
    ) -> Self:
        """From errors, radii and blocks of answered images, each ``[N]``; NaN for no radius."""
        stated = ~(np.isnan(radius_50_km) | np.isnan(radius_90_km))
        error_km, blocks = error_km[stated], blocks[stated]
        half_km, most_km = radius_50_km[stated], radius_90_km[stated]
        return cls(
            block_mean(error_km <= half_km, blocks),
            block_mean(error_km <= most_km, blocks),
            block_statistic(np.median, half_km, blocks),
            block_statistic(np.median, most_km, blocks),
            int(stated.sum()),
        )
