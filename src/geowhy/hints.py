"""What a user knows of how a picture lies, as values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geowhy.errors import ConfigError

__all__ = ["NO_HINTS", "HeadingRange", "Hints", "WidthRange"]


@dataclass(frozen=True, slots=True)
class WidthRange:
    """Widths of a picture's longer side on the ground.

    Raises:
        ConfigError: if they aren't in order, or not above 0.
    """

    least_km: float
    most_km: float

    def __post_init__(self) -> None:
        if not 0.0 < self.least_km <= self.most_km < math.inf:
            raise ConfigError(
                f"widths from {self.least_km:g} to {self.most_km:g} km: give two above 0, the "
                "smaller one first"
            )


@dataclass(frozen=True, slots=True)
class HeadingRange:
    """Bearings of a picture's up direction, clockwise from north.

    Raises:
        ConfigError: if the middle isn't finite, or the tolerance isn't within 0 to 180.
    """

    middle_deg: float
    tolerance_deg: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.middle_deg) and 0.0 <= self.tolerance_deg <= 180.0):
            raise ConfigError(
                f"a heading of {self.middle_deg:g}° ± {self.tolerance_deg:g}°: give degrees "
                "clockwise from north, and a tolerance from 0 to 180"
            )


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a picture beforehand; None for what isn't."""

    width: WidthRange | None = None
    heading: HeadingRange | None = None


NO_HINTS = Hints()
