"""The evidence of a region: places outside it count for less."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats64, Points
from geowhy.errors import DataError
from geowhy.geo.regions import Region

__all__ = ["RegionPrior"]


@dataclass(frozen=True, slots=True)
class RegionPrior:
    """Places outside a region count ``outside`` of one inside, in (0, 1].

    Raises:
        DataError: if ``outside`` is not in that range.
    """

    region: Region
    outside: float
    source: str = "region"
    is_prior: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.outside <= 1.0:
            raise DataError(f"a weight of {self.outside} for places outside: give 0 to 1")

    def log_likelihood(self, lat_lon: Points) -> Floats64:
        """Nats ``[M]`` at places, degrees ``[M, 2]``."""
        return np.where(self.region.contains(lat_lon), 0.0, np.log(self.outside))
