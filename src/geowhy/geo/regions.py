"""Masks: points in a country, a continent, a UN region, a state, a box or a GeoJSON polygon.

A name that several kinds of region share means the first of country, UN region, continent, US
state, and state or province elsewhere: Georgia is the country. "Georgia, US", "Georgia (US state)"
and "Micronesia (UN region)" name the others. A province whose name another country has too needs
its country's code or name: "Amazonas, BR".
A country is held with all its parts. Those far from its rest belong to the UN region and the
continent that they lie in: Hawaii to Polynesia. Russia is split at 60 degrees east between the
continents, but is all of it in the UN's Eastern Europe.
Boxes and polygons include their edges.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Bools, Floats64
from geowhy.errors import DataError
from geowhy.geo.atlas import Atlas
from geowhy.geo.far_parts import FAR_PARTS, TABLES, FarPart
from geowhy.geo.sphere import on_earth

__all__ = ["Region"]

GEOJSON_SUFFIXES = (".geojson", ".json")
LARGEST_LONGITUDE = 540.0  # a turn and a half: what a box or ring over the antimeridian needs
CLOSED_WITHIN_DEG = 1e-9  # longitudes written a turn apart differ in their last digits
FORMS = (
    "give a country (English name or ISO code), a continent, a UN region such as Western Africa, "
    "a US state, a state or province such as 'Bavaria' or 'Amazonas, BR', several of these "
    "with commas between, a box as south,west,north,east in degrees, or a .geojson file"
)
POLYGONS_ONLY = "give Polygons, MultiPolygons, Features, or collections of these"
OTHER_NAMES: dict[str, str] = TABLES["other_names"]
ASIAN_RUSSIA = FarPart("Asian Russia", "RU", "", (40.0, 60.0, 85.0, 200.0))


class _Area(Protocol):
    """What a region covers."""

    def covers(self, lat: Floats64, lon: Floats64) -> Bools:
        """Whether degrees ``[N]``, longitudes in [-180, 180), are inside, ``[N]``."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of the Earth.

    Attributes:
        name: how it is called; for named regions and boxes, :meth:`parse` understands it.
        holds: in words, what it takes in or leaves out that its name doesn't say; may be empty.
    """

    name: str
    _area: _Area
    holds: str = ""

    @classmethod
    def parse(cls, text: str, atlas: Atlas | None = None) -> Region:
        """The region that a user means: a name, a code, "south,west,north,east" or a file.

        Names are those of ``atlas``, by default the packaged one. Several names or codes with
        commas between mean all these together, if the whole isn't a name, as "Amazonas, BR" is.

        Raises:
            DataError: if nothing is called so, or the box or file can't be used.
        """
        edges = _edges(text)
        if edges:
            return cls.box(*edges)
        if text.lower().endswith(GEOJSON_SUFFIXES):
            return cls.from_geojson(Path(text))
        known = _named(atlas or Atlas.load())
        regions = _listed(text, known)
        if len(regions) == 1:
            return regions[0]
        holds = "; ".join(f"{each.name}: {each.holds}" for each in regions if each.holds)
        area = _Joined(tuple(each._area for each in regions))
        return cls(", ".join(each.name for each in regions), area, holds)

    @classmethod
    def box(cls, south: float, west: float, north: float, east: float) -> Region:
        """Between two parallels and two meridians, degrees; west > east: over the antimeridian.

        Raises:
            DataError: if an edge is not on Earth or the box has no area.
        """
        name = ",".join(f"{edge:.12g}" for edge in (south, west, north, east))
        try:
            return cls(name, _Box.between(south, west, north, east))
        except DataError as error:
            raise DataError(f"the box {name}: {error}") from None

    @classmethod
    def from_geojson(
        cls, source: str | Path | Mapping[str, Any], name: str | None = None
    ) -> Region:
        """The polygons in a GeoJSON file or object, together; named after the file.

        Edges are straight in longitude and latitude. A ring may cross the antimeridian by
        longitudes beyond ±180, or by a jump of more than 180 degrees between two neighbours.

        Raises:
            DataError: if the file can't be read, or a polygon isn't one or surrounds a pole.
        """
        if isinstance(source, Mapping):
            path, name = "the GeoJSON object", name or "polygon"
        else:
            path, name = str(source), name or Path(source).stem
        try:
            content = source if isinstance(source, Mapping) else _read(Path(source))
            return cls(name, _Polygons.of(content))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None

    def contains(self, lat_lon: ArrayLike) -> Bools:
        """Whether each of degrees ``[N, 2]`` lies in the region, ``[N]``; longitudes wrap.

        Raises:
            CoordinateError: if a coordinate is not finite or a latitude is beyond a pole.
        """
        lat, lon = on_earth(lat_lon).T
        return self._area.covers(lat, _wrapped(lon))


@dataclass(frozen=True, slots=True, eq=False)
class _Class:
    """The cells of one class of a layer."""

    atlas: Atlas
    layer: str
    number: int

    def covers(self, lat: Floats64, lon: Floats64) -> Bools:
        values = self.atlas.layer(self.layer).at(np.stack([lat, lon], axis=-1))
        return np.asarray(values == self.number)


@dataclass(frozen=True, slots=True)
class _Joined:
    """Several areas together, less what lies in any of ``without``."""

    areas: tuple[_Area, ...]
    without: tuple[_Area, ...] = ()

    def covers(self, lat: Floats64, lon: Floats64) -> Bools:
        inside = np.zeros(len(lat), np.bool_)
        for area in self.areas:
            inside |= area.covers(lat, lon)
        for area in self.without:
            inside &= ~area.covers(lat, lon)
        return inside


@dataclass(frozen=True, slots=True)
class _Within:
    """What two areas share."""

    area: _Area
    box: _Area

    def covers(self, lat: Floats64, lon: Floats64) -> Bools:
        inside = self.box.covers(lat, lon)
        inside[inside] = self.area.covers(lat[inside], lon[inside])
        return inside


@dataclass(frozen=True, slots=True)
class _Box:
    """Degrees; ``west`` in [-180, 180), ``east`` beyond it by at most 360."""

    south: float
    west: float
    north: float
    east: float

    @classmethod
    def between(cls, south: float, west: float, north: float, east: float) -> _Box:
        """The same four edges, whole turns added where that's needed."""
        _check_degrees(np.array([south, north]), np.array([west, east]))
        if south >= north:
            raise DataError("south isn't below north; the order is south,west,north,east")
        if west >= east and (west - east) % 360.0 == 0.0:
            raise DataError("west is the meridian of east; all longitudes are -180 to 180")
        start = west - 360.0 * math.floor((west + 180.0) / 360.0)
        east = min(east, west + 360.0)
        # Whole turns only: the edges stay, to the last digit, the numbers that were given.
        end = east + 360.0 * (math.floor((start - east) / 360.0) + 1)
        return cls(south, start, north, end)

    def covers(self, lat: Floats64, lon: Floats64) -> Bools:
        here = (self.west <= lon) & (lon <= self.east)
        over_antimeridian = lon + 360.0 <= self.east
        return (self.south <= lat) & (lat <= self.north) & (here | over_antimeridian)


@dataclass(frozen=True, slots=True, eq=False)
class _Polygons:
    """Shapely's geometry: x is the longitude, each polygon begins within [-180, 180)."""

    geometry: Any

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> _Polygons:
        """All polygons of a GeoJSON object."""
        import shapely  # only those who need polygons wait for it

        geometry = shapely.union_all([_polygon(rings) for rings in _polygons(content)])
        if geometry.is_empty:
            raise DataError("it covers nothing; give at least one polygon")
        shapely.prepare(geometry)
        return cls(geometry)

    def covers(self, lat: Floats64, lon: Floats64) -> Bools:
        import shapely

        # contains_xy leaves out the edges, and with them the seam of what the antimeridian cuts.
        here = shapely.intersects_xy(self.geometry, lon, lat)
        return np.asarray(here | shapely.intersects_xy(self.geometry, lon + 360.0, lat))


def _edges(text: str) -> list[float]:
    """The four numbers of a box; none if the text isn't numbers."""
    try:
        edges = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    if len(edges) != 4:
        raise DataError(f"{text!r} isn't a box: give four numbers, south,west,north,east")
    return edges


@lru_cache(maxsize=4)
def _named(atlas: Atlas) -> dict[str, Region]:
    """Every region that has a name, by the key of each of its names."""
    found: dict[str, Region] = {}
    for number, country in enumerate(atlas.countries):
        code = country.code
        others = [name for name, other in OTHER_NAMES.items() if other == code]
        parts = [part.name for part in FAR_PARTS if part.country == code]
        region = Region(country.name, _Class(atlas, "country", number), _told(parts, []))
        _add(found, region, "country", code, *others, TABLES["three_letters"].get(code, code))
    un_regions = {name: _un_region(atlas, name) for name in atlas.infos["un_region"].labels}
    for region in un_regions.values():
        _add(found, region, "UN region")
    for region in _continents(atlas, un_regions):
        _add(found, region, "continent")
    if "us_state" in atlas.infos:
        for number, name in enumerate(atlas.infos["us_state"].labels):
            area = _Class(atlas, "us_state", number)
            _add(found, Region(name, area), "US state", f"{name}, US", f"{name}, USA")
    if "first_level_region" in atlas.infos:
        _add_first_level(found, atlas)
    for part in FAR_PARTS:
        found.setdefault(_key(part.name), Region(part.name, _part(atlas, part)))
    return found


def _add(found: dict[str, Region], region: Region, kind: str, *others: str) -> None:
    """Add a region under all its names but those that another has already."""
    name, full_name = region.name, f"{region.name} ({kind})"
    if _key(name) in found:
        region = replace(region, name=full_name)
    for each in (name, full_name, *others):
        found.setdefault(_key(each), region)


def _un_region(atlas: Atlas, name: str) -> Region:
    """A UN region, with the far parts of countries elsewhere and without its own elsewhere."""
    here, elsewhere = _moved(atlas, (name,))
    whole = _Class(atlas, "un_region", atlas.infos["un_region"].labels.index(name))
    area = _Joined(
        (whole, *(_part(atlas, part) for part in here)),
        tuple(_part(atlas, part) for part in elsewhere),
    )
    countries = sorted(each.name for each in atlas.countries if each.region == name)
    words = _told([part.name for part in here], [part.name for part in elsewhere])
    return Region(name, area, "; ".join(filter(None, (", ".join(countries), words))))


def _continents(atlas: Atlas, un_regions: Mapping[str, Region]) -> Iterator[Region]:
    """The continents that aren't UN regions themselves."""
    russia = _part(atlas, ASIAN_RUSSIA)
    splits = {"Europe": "Russia west of 60° E only", "Asia": "with Russia east of 60° E"}
    for name, parts in TABLES["continents"].items():
        areas = tuple(un_regions[part]._area for part in parts if part in un_regions)
        here, elsewhere = ([part.name for part in each] for each in _moved(atlas, parts))
        words = (", ".join(parts), _told(here, elsewhere), splits.get(name))
        area = _Joined(
            (*areas, russia) if name == "Asia" else areas, (russia,) if name == "Europe" else ()
        )
        yield Region(name, area, "; ".join(filter(None, words)))


def _moved(atlas: Atlas, un_regions: tuple[str, ...]) -> tuple[list[FarPart], list[FarPart]]:
    """Far parts that lie in UN regions whose countries aren't there, and the other way round."""
    at_home = {each.code for each in atlas.countries if each.region in un_regions}
    here = [p for p in FAR_PARTS if p.un_region in un_regions and p.country not in at_home]
    away = [p for p in FAR_PARTS if p.un_region not in un_regions and p.country in at_home]
    return here, away


def _part(atlas: Atlas, part: FarPart) -> _Area:
    codes = [country.code for country in atlas.countries]
    return _Within(_Class(atlas, "country", codes.index(part.country)), _Box.between(*part.box))


def _told(taken_in: list[str], left_out: list[str]) -> str:
    """In words, which far parts a region has and lacks."""
    both = (("with", taken_in), ("without", left_out))
    return "; ".join(f"{word} {', '.join(names)}" for word, names in both if names)


def _listed(text: str, known: dict[str, Region]) -> list[Region]:
    """The regions of a list, each the longest name that its next words are."""
    words = text.split(",")
    regions: list[Region] = []
    while words:
        ends = range(len(words), 0, -1)
        end = next((n for n in ends if _key(",".join(words[:n])) in known), 0)
        if not end:
            raise DataError(_unknown(words[0].strip(), known))
        regions.append(known[_key(",".join(words[:end]))])
        words = words[end:]
    return regions


def _add_first_level(found: dict[str, Region], atlas: Atlas) -> None:
    """Add "Bavaria, DE" also as "Bavaria, Germany", and as "Bavaria" if there is one only."""
    countries = {country.code: country.name for country in atlas.countries}
    labels = atlas.infos["first_level_region"].labels
    sharing = Counter(_key(label.rpartition(", ")[0]) for label in labels)
    for number, label in enumerate(labels):
        name, _, code = label.rpartition(", ")
        if code == "US" and "us_state" in atlas.infos:
            continue  # they are there already
        names = [label, f"{name}, {countries[code]}", name]
        region = Region(label, _Class(atlas, "first_level_region", number))
        for each in names if sharing[_key(name)] == 1 else names[:2]:
            found.setdefault(_key(each), region)


def _key(name: str) -> str:
    """What is left of a name if case, accents, punctuation and articles don't count."""
    plain = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    words = [word for word in re.findall(r"\w+", letters) if word != "the"]
    if len(words) > 1 and words[0] == "st":  # alone it is the code of São Tomé
        words[0] = "saint"
    return " ".join(words)


def _unknown(text: str, known: dict[str, Region]) -> str:
    key = _key(text)
    names = dict.fromkeys(region.name for region in known.values())
    longer = [name for name in names if f" {key} " in f" {_key(name)} "]  # Korea, Amazonas
    close = difflib.get_close_matches(key, known, n=3, cutoff=0.7)
    near = longer[:3] or list(dict.fromkeys(known[each].name for each in close))
    hint = f"did you mean {' or '.join(near)}? Otherwise " if near else ""
    return f"there is no region called {text!r}: {hint}{FORMS}"


def _read(path: Path) -> Mapping[str, Any]:
    """The object in a JSON file."""
    try:
        # Some programs begin their files with a byte order mark.
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError("there is no such file; check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"this isn't a readable GeoJSON file ({error}); export it again") from error
    if not isinstance(content, Mapping):
        raise DataError(f"this is JSON, but not GeoJSON; {POLYGONS_ONLY}")
    return content


def _polygons(content: Mapping[str, Any]) -> Iterator[list[Any]]:
    """The rings of each polygon in a GeoJSON object, however deep."""
    waiting: list[Any] = [content]
    while waiting:
        match waiting.pop():
            case {"type": "FeatureCollection", "features": [*parts]}:
                waiting += parts
            case {"type": "GeometryCollection", "geometries": [*parts]}:
                waiting += parts
            case {"type": "Feature", "geometry": part}:
                waiting += [part] if part else []  # GeoJSON lets a feature have none
            case {"type": "MultiPolygon", "coordinates": [*parts]}:
                waiting += [{"type": "Polygon", "coordinates": rings} for rings in parts]
            case {"type": "Polygon", "coordinates": [*rings]}:
                yield rings
            case other:
                kind = other.get("type") if isinstance(other, Mapping) else other
                raise DataError(f"{kind!r} isn't a usable part; {POLYGONS_ONLY}")


def _polygon(rings: list[Any]) -> Any:  # noqa: ANN401 - shapely has no types
    """Shapely's polygon of an outer ring and its holes."""
    import shapely

    if not rings:
        return shapely.Polygon()
    outer, *holes = [_area_within(ring) for ring in rings]
    # A hole may be written a turn away from its polygon, or reach over its edge on the map.
    turns = [_shifted(hole, turn) for hole in holes for turn in (-360.0, 0.0, 360.0)]
    return shapely.difference(outer, shapely.union_all(turns))


def _area_within(positions: Any) -> Any:  # noqa: ANN401 - from JSON, to shapely
    """Shapely's polygon within one ring, its west in [-180, 180)."""
    import shapely

    ring = _unrolled(_positions(positions))
    area = _shifted(shapely.Polygon(ring), -360.0 * float(_turns(ring[:, 0].min())))
    if not area.is_valid:
        reason = shapely.is_valid_reason(area)
        raise DataError(f"a ring isn't the outline of an area ({reason}); draw it again")
    return area


def _shifted(area: Any, turn: float) -> Any:  # noqa: ANN401 - shapely has no types
    import shapely

    return shapely.transform(area, lambda points: np.add(points, (turn, 0.0)))


def _positions(positions: Any) -> Floats64:  # noqa: ANN401 - from JSON
    """Longitudes and latitudes of a ring, ``[K, 2]``; heights are dropped."""
    try:
        ring = np.array([position[:2] for position in positions], np.float64)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise DataError("a ring isn't a list of positions; give [longitude, latitude]") from None
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 4:
        raise DataError("a ring needs four positions [longitude, latitude], the last as the first")
    _check_degrees(ring[:, 1], ring[:, 0], "GeoJSON has the longitude first, and degrees only")
    return ring


def _unrolled(ring: Floats64) -> Floats64:
    """A closed ring ``[K, 2]`` whose longitudes go on beyond ±180 instead of jumping."""
    steps = np.diff(ring[:, 0])
    turns = np.round(steps / 360.0)  # a step of exactly 180 degrees is no jump
    unrolled = ring.copy()
    unrolled[1:, 0] -= 360.0 * np.cumsum(turns)
    gap = unrolled[-1] - unrolled[0]
    around = round(gap[0] / 360.0)
    if np.abs(gap - [360.0 * around, 0.0]).max() > CLOSED_WITHIN_DEG:
        raise DataError("a ring isn't closed; repeat its first position at its end")
    if around == 0 and np.ptp(unrolled[:, 0]) > 0.0:
        return unrolled
    # The world, or Antarctica, is drawn along the whole edge of the map: there the jumps are meant.
    if (np.abs(steps[turns != 0]) == 360.0).all() and (ring[0] == ring[-1]).all():
        return ring
    raise DataError(
        "a ring goes around a pole; lead it along the map's edge, by longitudes of exactly "
        "-180 and 180, to latitude ±90"
    )


def _check_degrees(
    lat: Floats64, lon: Floats64, remedy: str = "give degrees, latitude first"
) -> None:
    # Written so that NaN fails too.
    if not (np.abs(lat) <= 90.0).all():
        raise DataError(f"a latitude is beyond ±90; {remedy}")
    if not (np.abs(lon) <= LARGEST_LONGITUDE).all():
        raise DataError(f"a longitude is beyond ±{LARGEST_LONGITUDE:g}; {remedy}")


def _wrapped(lon: Floats64) -> Floats64:
    """Longitudes in [-180, 180); unlike sphere.wrap_longitude, those there stay to the last bit."""
    return lon - 360.0 * _turns(lon)


def _turns(lon: Floats64) -> Floats64:
    """How many whole turns a longitude is beyond [-180, 180)."""
    return np.floor((lon + 180.0) / 360.0)
