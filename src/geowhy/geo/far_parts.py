"""Parts of countries that lie far from the rest, where they lie, and how they are called.

The atlas has one class for a country and all of its parts without an ISO code of their own there.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["FAR_PARTS", "TABLES", "FarPart", "far_part"]


@dataclass(frozen=True, slots=True)
class FarPart:
    """The part of a country that lies in a box.

    Attributes:
        name: English name.
        country: ISO 3166-1 alpha-2.
        un_region: of the United Nations geoscheme, where it lies.
        box: south, west, north, east, degrees; none crosses the antimeridian.
        is_territory: whether it is a dependent one, rather than a part like others.
    """

    name: str
    country: str
    un_region: str
    box: tuple[float, float, float, float]
    is_territory: bool = False

    def holds(self, country: str, lat: float, lon: float) -> bool:
        """Whether a point of ``country``, degrees, longitude in [-180, 180), lies in it."""
        south, west, north, east = self.box
        return country == self.country and south <= lat <= north and west <= lon <= east


TABLES: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent.parent / "data" / "earth" / "regions.toml").read_text(encoding="utf-8")
)
FAR_PARTS = tuple(FarPart(**{**part, "box": tuple(part["box"])}) for part in TABLES["far_parts"])


def far_part(country: str, lat: float, lon: float) -> FarPart | None:
    """The far part of ``country`` that a point, degrees, lies in; None for the country's rest."""
    wrapped = (lon + 180.0) % 360.0 - 180.0
    return next((part for part in FAR_PARTS if part.holds(country, lat, wrapped)), None)
