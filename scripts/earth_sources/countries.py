"""Countries as a grid, and what is known of each."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from earth_sources.archives import Archives
from earth_sources.writing import BuiltLayer, class_layer, decoded_layer
from geowhy.geo.atlas import Country, Source

__all__ = ["country_layers", "read_countries"]

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
        _by_country("un_region", "region of the United Nations geoscheme", regions, sources),
        _by_country("driving_side", "side of the road that one drives on", sides, sources),
    ], countries


def _by_country(
    name: str, description: str, values: list[str], sources: tuple[Source, ...]
) -> BuiltLayer:
    labels = tuple(sorted(set(values) - {""}))
    classes = [labels.index(value) if value else -1 for value in values]
    return decoded_layer(
        name,
        description,
        labels,
        sources,
        array="country",
        classes=(-1, *classes),
        resolution_deg=180.0 / SHAPE[0],
        missing="where there is no country",
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
                _paint(grid, part, code)
    return grid


def _paint(grid: NDArray[np.uint8], polygon: BaseGeometry, code: int) -> None:
    shapely.prepare(polygon)
    west, south, east, north = polygon.bounds
    step = 180.0 / SHAPE[0]
    top, bottom = int((90 - north) / step), int((90 - south) / step) + 1
    left, right = int((west + 180) / step), int((east + 180) / step) + 1
    window = grid[top:bottom, left:right]
    lat = 90 - (np.arange(top, top + window.shape[0]) + 0.5) * step
    lon = (np.arange(left, left + window.shape[1]) + 0.5) * step - 180
    window[shapely.contains_xy(polygon, *np.meshgrid(lon, lat))] = code
