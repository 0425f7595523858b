"""A point on Earth, as a value.

Coordinates are degrees, latitude first, on a sphere of radius 6371.0088 km.
"""

from __future__ import annotations

from dataclasses import dataclass

from geowhy.errors import CoordinateError

__all__ = ["LatLon"]


@dataclass(frozen=True, slots=True)
class LatLon:
    """A point on Earth, degrees; latitude in [-90, 90], longitude in [-180, 180].

    Raises:
        CoordinateError: if either is not a finite number in its range.
    """

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not -90.0 <= self.lat <= 90.0 or not -180.0 <= self.lon <= 180.0:
            raise CoordinateError(
                f"latitude {self.lat}, longitude {self.lon} is not a point on Earth: "
                "give degrees, latitude first, within ±90 and ±180"
            )
