"""Parts of countries that lie far from the rest, where they lie, and how they are called.

The atlas has one class for a country and all of its parts without an ISO code of their own there.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAR_PARTS", "FarPart", "far_part"]


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


# Where the United Nations list a part by itself, such as Svalbard, the region is theirs.
FAR_PARTS = (
    FarPart("Canary Islands", "ES", "Northern Africa", (26, -26, 31, -12)),
    FarPart("Madeira", "PT", "Northern Africa", (29, -19, 34.5, -14)),
    FarPart("Azores", "PT", "Southern Europe", (35, -33, 41, -23)),
    FarPart("Svalbard", "NO", "Northern Europe", (73, 5, 82, 40)),
    FarPart("Jan Mayen", "NO", "Northern Europe", (70, -12, 72, -6)),
    FarPart("Hawaii", "US", "Polynesia", (18, -180, 31, -150)),
    FarPart("Easter Island", "CL", "Polynesia", (-29, -112, -24, -103)),
    FarPart("Line Islands", "KI", "Polynesia", (-13, -165, 8, -147)),
    FarPart("Phoenix Islands", "KI", "Polynesia", (-9, -179, 1, -167)),
    FarPart("Galápagos", "EC", "South America", (-4, -95, 4, -87)),
    FarPart("San Andrés and Providencia", "CO", "Caribbean", (11.5, -83, 17, -78)),
    FarPart("Prince Edward Islands", "ZA", "Southern Africa", (-49, 34, -44, 41)),
    FarPart("Macquarie Island", "AU", "Australia and New Zealand", (-57, 155, -52, 163)),
    FarPart("Bonaire", "NL", "Caribbean", (11, -70, 13, -67), is_territory=True),
    FarPart("Saba and Sint Eustatius", "NL", "Caribbean", (17, -64, 18, -62), is_territory=True),
    FarPart("Clipperton", "FR", "Central America", (9, -111, 12, -108), is_territory=True),
    FarPart(
        "French Southern Territories", "FR", "Eastern Africa", (-55, 38, -10, 85), is_territory=True
    ),
    FarPart(
        "British Indian Ocean Territory",
        "GB",
        "Eastern Africa",
        (-10, 68, -3, 76),
        is_territory=True,
    ),
    FarPart("Ascension", "GB", "Western Africa", (-10, -17, -5, -11), is_territory=True),
    FarPart("Saint Helena", "GB", "Western Africa", (-20, -11, -12, -1), is_territory=True),
    FarPart("Tristan da Cunha", "GB", "Western Africa", (-45, -20, -32, -3), is_territory=True),
    FarPart("Akrotiri and Dhekelia", "GB", "Western Asia", (34, 32, 36, 35), is_territory=True),
    FarPart("Navassa Island", "US", "Caribbean", (18, -76, 19, -74), is_territory=True),
    FarPart("Wake Island", "US", "Micronesia", (18, 165, 21, 168), is_territory=True),
    FarPart(
        "United States Pacific Islands", "US", "Micronesia", (-3, -180, 18, -158), is_territory=True
    ),
)


def far_part(country: str, lat: float, lon: float) -> FarPart | None:
    """The far part of ``country`` that a point, degrees, lies in; None for the country's rest."""
    wrapped = (lon + 180.0) % 360.0 - 180.0
    return next((part for part in FAR_PARTS if part.holds(country, lat, wrapped)), None)
