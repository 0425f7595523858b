"""Countries as a grid, and what is known of each."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from earth_sources.archives import Archives
from earth_sources.grids import paint
from earth_sources.writing import BuiltLayer, class_layer, decoded_layer, tabled_layer
from geowhy.geo.atlas import Country, Source, Transform

__all__ = [
    "PACKAGE",
    "Territories",
    "class_by_country",
    "country_codes",
    "country_layers",
    "in_country",
    "number_by_country",
    "read_countries",
]

PACKAGE = "@rapideditor/country-coder"
SHAPE = (1800, 3600)  # 0.1 degrees
LEVELS = ("intermediateRegion", "subregion")
# Northern and North America overlap; the Channel Islands are no region of the geoscheme any more.
NOT_REGIONS = frozenset({"003", "830"})
SHORT_NAMES = {
    "CN": "China",
    "CY": "Cyprus",
    "FM": "Micronesia",
    "NL": "Netherlands",
    "US": "United States",
}
NOBODY_DRIVES = frozenset({"AQ", "BV", "HM"})
NO_COUNTRY = "where there is no country"


class Territories:
    """Features of the border file: those with a shape, by ISO code, and the named groups."""

    def __init__(self, features: list[dict[str, Any]]) -> None:
        self.properties = [feature["properties"] for feature in features]
        self.shapes: dict[str, list[tuple[dict[str, Any], BaseGeometry]]] = defaultdict(list)
        for feature in features:
            code = _code(feature["properties"])
            if feature["geometry"] and code:
                self.shapes[code].append((feature["properties"], shape(feature["geometry"])))

    def country(self, code: str) -> Country:
        """What is known of a country; region and driving side are those of its largest part."""
        own = next(p for p in self.properties if p.get("iso1A2") == code)
        parts = sorted(self.shapes[code], key=lambda part: -part[1].area)
        # The larger part of Russia is of a continent, but of no region.
        regions = filter(None, (self._region(properties) for properties, _ in parts))
        side = "" if code in NOBODY_DRIVES else parts[0][0].get("driveSide", "right")
        name = SHORT_NAMES.get(code, own["nameEn"])
        return Country(code, name, next(regions, name), side)

    def speed_unit(self, country: Country) -> str:
        """Unit of speed on road signs, in the largest part; empty where nobody drives."""
        largest, _ = max(self.shapes[country.code], key=lambda part: part[1].area)
        return str(largest.get("roadSpeedUnit", "km/h")) if country.driving_side else ""

    def _region(self, properties: dict[str, Any]) -> str:
        groups = set(properties.get("groups", ())) - NOT_REGIONS
        for level in LEVELS:
            for group in self.properties:
                if group.get("level") == level and group.get("m49") in groups:
                    return str(group["nameEn"])
        return ""


def read_countries(archives: Archives) -> Territories:
    """The border file."""
    return Territories(json.load(archives.read(PACKAGE, "data/borders.json"))["features"])


def country_layers(
    archives: Archives, territories: Territories
) -> tuple[list[BuiltLayer], tuple[Country, ...]]:
    """The layers country, un_region and driving_side; and the countries in their order."""
    countries = tuple(territories.country(code) for code in sorted(territories.shapes))
    sources = (archives.source(PACKAGE),)
    layer = class_layer(
        "country",
        "country or territory, ISO 3166-1 alpha-2; the sea around it, drawn coarsely, included",
        _rasterised(territories, countries),
        tuple(country.code for country in countries),
        sources,
        missing="on the high seas, in Northern Cyprus and in Bir Tawil",
    )
    regions = [country.region for country in countries]
    sides = [country.driving_side for country in countries]
    return [
        layer,
        class_by_country("un_region", "region of the United Nations geoscheme", regions, sources),
        class_by_country("driving_side", "side of the road that one drives on", sides, sources),
    ], countries


def country_codes(layers: list[BuiltLayer]) -> NDArray[Any]:
    """The array ``country``, from the first of the layers of countries."""
    codes = layers[0].stored
    assert codes is not None, "the layers aren't those of countries"
    return codes


def in_country(
    layers: list[BuiltLayer], countries: tuple[Country, ...], code: str
) -> NDArray[np.bool_]:
    """Cells of 0.1 degrees that lie in a country."""
    number = 1 + [country.code for country in countries].index(code)
    return np.asarray(country_codes(layers) == number)


def class_by_country(
    name: str,
    description: str,
    values: Sequence[str],
    sources: tuple[Source, ...],
    *,
    labels: tuple[str, ...] = (),
    missing: str = NO_COUNTRY,
) -> BuiltLayer:
    """A layer of classes, given by name in the order of the countries; empty where missing."""
    labels = labels or tuple(sorted(set(values) - {""}))
    classes = [labels.index(value) if value else -1 for value in values]
    return decoded_layer(
        name,
        description,
        labels,
        sources,
        array="country",
        classes=(-1, *classes),
        resolution_deg=180.0 / SHAPE[0],
        missing=missing,
    )


def number_by_country(
    name: str,
    description: str,
    unit: str,
    values: Sequence[float | None],
    sources: tuple[Source, ...],
    *,
    missing: str = NO_COUNTRY,
    transform: Transform = "linear",
) -> BuiltLayer:
    """A layer of numbers in the order of the countries; None where missing."""
    return tabled_layer(
        name,
        description,
        unit,
        values,
        sources,
        array="country",
        resolution_deg=180.0 / SHAPE[0],
        missing=missing,
        transform=transform,
    )


def _code(properties: dict[str, Any]) -> str | None:
    """Own code, or that of the country; reserved codes such as that of Ascension don't count."""
    if "iso1A2" in properties and properties.get("isoStatus") != "excRes":
        return str(properties["iso1A2"])
    country = properties.get("country")
    return None if country is None else str(country)


def _rasterised(territories: Territories, countries: tuple[Country, ...]) -> NDArray[np.uint8]:
    """Codes, 1 for the first country, of the cells whose centre lies in it; 0 elsewhere."""
    grid = np.zeros(SHAPE, np.uint8)
    for code, country in enumerate(countries, start=1):
        for _, geometry in territories.shapes[country.code]:
            for part in shapely.get_parts(geometry):
                paint(grid, part, code)
    return grid
