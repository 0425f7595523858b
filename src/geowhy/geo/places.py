"""Names for coordinates, offline: the nearest city and the country."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.arrays import Floats64, Ints
from geowhy.geo.atlas import EARTH, Atlas, far_part, stored_arrays
from geowhy.geo.sphere import EARTH_RADIUS_KM, distance_km, lat_lon_to_unit, unit_to_lat_lon

__all__ = ["City", "Gazetteer", "bearing_deg"]

COORDINATE_STEP_DEG = 0.002  # of the file
NEAR_KM = 25.0  # within this, a place is "near" a city
WITHIN_KM = 5.0  # within this, one is in the city
WITH_ARTICLE = ("GB", "NL", "US")  # the United Kingdom
COMPASS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"]


@dataclass(frozen=True, slots=True)
class City:
    """A city, at degrees."""

    name: str  # in Latin letters, as in GeoNames
    country: str  # ISO 3166-1 alpha-2
    population: int
    lat: float
    lon: float


@dataclass(frozen=True, slots=True, eq=False)
class Gazetteer:
    """C cities of at least 5,000 people, largest first, and the countries of the atlas."""

    names: tuple[str, ...]
    units: Floats64  # vectors [C, 3]
    populations: NDArray[np.uint32]  # [C]
    countries: NDArray[np.uint8]  # position of each city's in `country_codes`, [C]
    country_codes: tuple[str, ...]  # ISO 3166-1 alpha-2
    atlas: Atlas

    @staticmethod
    @lru_cache(maxsize=2)
    def load(path: Path = EARTH / "cities.npz") -> Gazetteer:
        """The gazetteer in ``path``, read once; by default the packaged one.

        Raises:
            DataError: if the file is missing or isn't a gazetteer.
        """
        with stored_arrays(path, "gazetteer") as arrays:
            codes = arrays["country_codes"].tobytes().decode()
            return Gazetteer(
                names=tuple(arrays["names"].tobytes().decode().split("\n")),
                units=lat_lon_to_unit(arrays["lat_lon"].T * COORDINATE_STEP_DEG),
                populations=arrays["population"],
                countries=arrays["country"],
                country_codes=tuple(codes[i : i + 2] for i in range(0, len(codes), 2)),
                atlas=Atlas.load(),
            )

    def city(self, index: int) -> City:
        """One city by its position."""
        lat, lon = unit_to_lat_lon(self.units[index]).tolist()
        country = self.country_codes[int(self.countries[index])]
        return City(self.names[index], country, int(self.populations[index]), lat, lon)

    def nearest_city(self, lat_lon: ArrayLike) -> Ints:
        """Position of the city nearest to each of degrees ``[N, 2]``, ``[N]``."""
        points = lat_lon_to_unit(np.asarray(lat_lon, np.float64).reshape(-1, 2))
        # One point at a time: as fast as a matrix product so thin, and it takes no memory.
        return np.array([(self.units @ point).argmax() for point in points], np.intp)

    def country_of(self, lat_lon: ArrayLike) -> list[str]:
        """ISO code of the country at each of degrees ``[N, 2]``; empty on the high seas.

        Raises:
            CoordinateError: if a coordinate is not on Earth.
        """
        return self._labels("country", lat_lon)

    def region_of(self, lat_lon: ArrayLike) -> list[str]:
        """First-level region, such as "Texas" or "Bavaria", at each of degrees ``[N, 2]``.

        By cells of 0.1 degrees; empty where there is none, and if the atlas has no layer of them.

        Raises:
            CoordinateError: if a coordinate is not on Earth.
        """
        if "first_level_region" not in self.atlas.infos:
            return [""] * len(self.country_of(lat_lon))
        # The labels end in the code of the country.
        return [label.rpartition(", ")[0] for label in self._labels("first_level_region", lat_lon)]

    def describe(self, lat_lon: ArrayLike) -> str:
        """A place in words, of degrees ``[2]``: the city to go by, and the country of the point.

        Such as "near Tamale, Ghana", "120 km north-east of Tamale, Ghana", "in Togo, 40 km east
        of Ho, Ghana", "off Accra, Ghana" and "at sea, 300 km south of Accra, Ghana". What is far
        from the rest of its country is named: "near Hilo, Hawaii, United States" and "in Bonaire,
        a territory of the Netherlands, 70 km east of Willemstad, Curaçao".

        Raises:
            CoordinateError: if the coordinate is not on Earth.
        """
        point = np.asarray(lat_lon, np.float64)
        country = self.country_of(point)[0]
        country_names = {each.code: each.name for each in self.atlas.countries}
        # The largest city nearby, for they come largest first; the nearest if none is near.
        cosines = self.units @ lat_lon_to_unit(point)
        near = np.flatnonzero(cosines >= np.cos(NEAR_KM / EARTH_RADIUS_KM))
        city = self.city(int(near[0] if len(near) else cosines.argmax()))
        city_part = far_part(city.country, city.lat, city.lon)
        city_country = country_names.get(city.country, city.country)
        name = ", ".join([city.name, *([city_part.name] if city_part else []), city_country])
        distance = float(distance_km((city.lat, city.lon), point))
        # The land mask misses atolls and quays: where a city is, one isn't at sea.
        afloat = distance > WITHIN_KM and not self.atlas.is_land(point)[0]
        if distance <= NEAR_KM:
            place = f"off {name}" if afloat else f"near {name}"
        else:
            direction = COMPASS[round(bearing_deg((city.lat, city.lon), point) / 45.0) % 8]
            step = 10 if distance < 1000 else 100  # two digits that mean something
            place = f"{step * round(distance / step):,} km {direction} of {name}"
            # A lake has land between it and the sea; NaN far out at sea, 0 near its coasts.
            is_lake = self.atlas.layer("distance_to_coast_km").at(point)[0] > WITHIN_KM
            place = f"{'on a lake' if is_lake else 'at sea'}, {place}" if afloat else place
        part = far_part(country, *point.tolist())
        if afloat or not country or (country, part) == (city.country, city_part):
            return place
        area = country_names.get(country, country)
        if part:
            the = "the " if country in WITH_ARTICLE else ""
            of_it = f"a territory of {the}{area}" if part.is_territory else area
            area = f"{part.name}, {of_it}"
        return f"in {area}, {place}"

    def _labels(self, layer_name: str, lat_lon: ArrayLike) -> list[str]:
        """Name of the class of a layer at each point; empty where it has none."""
        layer = self.atlas.layer(layer_name)
        return [layer.info.labels[i] if i >= 0 else "" for i in layer.at(lat_lon).tolist()]


def bearing_deg(start: ArrayLike, end: ArrayLike) -> float:
    """Direction of the great circle from degrees ``[2]`` to ``[2]`` at its start, in [0, 360)."""
    lat, lon = np.radians(np.asarray(start, np.float64))
    to_lat, to_lon = np.radians(np.asarray(end, np.float64))
    east = np.sin(to_lon - lon) * np.cos(to_lat)
    north = np.cos(lat) * np.sin(to_lat) - np.sin(lat) * np.cos(to_lat) * np.cos(to_lon - lon)
    return float(np.degrees(np.arctan2(east, north)) % 360.0)
