"""Masks: points in a country, a continent, a UN region, a state, a box or a GeoJSON polygon.

A name that several share means the first of country, UN region, continent, US state and province:
Georgia is the country, and "Georgia, US" or "Micronesia (UN region)" name the others. Parts of a
country far from its rest belong to the UN region and the continent that they lie in: Hawaii to
Polynesia. Russia is split at 60 degrees east between the continents, but is all of it in the UN's
Eastern Europe. Boxes and polygons include their edges.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Bools, Floats64, Points
from geowhy.errors import DataError
from geowhy.geo.atlas import FAR_PARTS, TABLES, Atlas, FarPart
from geowhy.geo.axis_order import axis_order_warning
from geowhy.geo.sphere import on_earth

__all__ = ["Region"]

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

Covers = Callable[[Floats64, Floats64], Bools]  # of degrees [N], longitudes in [-180, 180)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of the Earth, by a ``name`` that `parse` understands unless it is a polygon.

    ``holds`` says in words what it takes in or leaves out that its name doesn't say; ``corners``
    are those of a box or of polygons, degrees ``[C, 2]``.
    """

    name: str
    _covers: Covers
    holds: str = ""
    corners: Points | None = None

    @classmethod
    def parse(cls, text: str, atlas: Atlas | None = None) -> Region:
        """The region that a user means: a name, a code, "south,west,north,east" or a file.

        Names are those of ``atlas``, by default the packaged one. Several names or codes with
        commas between mean all these together, if the whole isn't a name, as "Amazonas, BR" is.

        Raises:
            DataError: if nothing is called so, or the box or file can't be used.
        """
        words = text.split(",")
        try:
            edges = [float(word) for word in words]
        except ValueError:
            edges = []
        if len(edges) == 4:
            return cls.box(*edges)
        if edges:
            raise DataError(f"{text!r} isn't a box: give four numbers, south,west,north,east")
        if text.lower().endswith((".geojson", ".json")):
            return cls.from_geojson(Path(text))
        known, regions = _named(atlas or Atlas.load()), []
        while words:  # each region is the longest name that the next words are
            ends = range(len(words), 0, -1)
            end = next((n for n in ends if _key(",".join(words[:n])) in known), 0)
            if not end:
                raise DataError(_unknown(words[0].strip(), known))
            regions.append(known[_key(",".join(words[:end]))])
            words = words[end:]
        if len(regions) == 1:
            return regions[0]
        holds = "; ".join(f"{each.name}: {each.holds}" for each in regions if each.holds)
        covers = _joined([each._covers for each in regions])
        return cls(", ".join(each.name for each in regions), covers, holds)

    @classmethod
    def box(cls, south: float, west: float, north: float, east: float) -> Region:
        """Between two parallels and two meridians, degrees; west > east: over the antimeridian.

        Raises:
            DataError: if an edge is not on Earth or the box has no area.
        """
        name = ",".join(f"{edge:.12g}" for edge in (south, west, north, east))
        try:
            corners = np.array([(lat, lon) for lat in (south, north) for lon in (west, east)])
            return cls(name, _box(south, west, north, east), corners=corners)
        except DataError as error:
            raise DataError(f"the box {name}: {error}") from None

    @classmethod
    def from_geojson(
        cls, source: str | Path | Mapping[str, Any], name: str | None = None
    ) -> Region:
        """The polygons in a GeoJSON file or object, together; named after the file.

        Edges are straight in longitude and latitude. A ring may cross the antimeridian by
        longitudes beyond ±180, or by a jump of more than 180 degrees between two neighbours.
        ``holds`` warns of one that was probably written with the latitude first.

        Raises:
            DataError: if the file can't be read, or a polygon isn't one or surrounds a pole.
        """
        if isinstance(source, Mapping):
            path, name = "the GeoJSON object", name or "polygon"
        else:
            path, name = str(source), name or Path(source).stem
        try:
            content = source if isinstance(source, Mapping) else _read(source)
            covers, corners = _polygons(content)
            return cls(name, covers, axis_order_warning(content), corners)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None

    def contains(self, lat_lon: ArrayLike) -> Bools:
        """Whether each of degrees ``[N, 2]`` lies in the region, ``[N]``; longitudes wrap.

        Raises:
            CoordinateError: if a coordinate is not finite or a latitude is beyond a pole.
        """
        lat, lon = on_earth(lat_lon).T
        # Unlike sphere.wrap_longitude, this leaves those in [-180, 180) alone to the last bit.
        return self._covers(lat, lon - 360.0 * _turns(lon))


def _of_class(atlas: Atlas, layer: str, number: int) -> Covers:
    return lambda lat, lon: np.asarray(atlas.layer(layer).at(np.stack([lat, lon], -1)) == number)


def _joined(areas: Sequence[Covers], without: Sequence[Covers] = ()) -> Covers:
    """Several areas together, less what lies in any of ``without``."""

    def covers(lat: Floats64, lon: Floats64) -> Bools:
        inside = np.zeros(len(lat), np.bool_)
        for area in areas:
            inside |= area(lat, lon)
        for area in without:
            inside &= ~area(lat, lon)
        return inside

    return covers


def _part(atlas: Atlas, part: FarPart) -> Covers:
    number = [country.code for country in atlas.countries].index(part.country)
    country, box = _of_class(atlas, "country", number), _box(*part.box)
    return lambda lat, lon: box(lat, lon) & country(lat, lon)


def _box(south: float, west: float, north: float, east: float) -> Covers:
    _check_degrees(np.array([south, north]), np.array([west, east]))
    if south >= north:
        raise DataError("south isn't below north; the order is south,west,north,east")
    if west >= east and (west - east) % 360.0 == 0.0:
        raise DataError("west is the meridian of east; all longitudes are -180 to 180")
    # Whole turns only, so that the edges stay the numbers that were given to the last digit: the
    # start is in [-180, 180), and the end beyond it by at most 360.
    start = west - 360.0 * math.floor((west + 180.0) / 360.0)
    east = min(east, west + 360.0)
    end = east + 360.0 * (math.floor((start - east) / 360.0) + 1)

    def covers(lat: Floats64, lon: Floats64) -> Bools:
        here, over_antimeridian = (start <= lon) & (lon <= end), lon + 360.0 <= end
        return (south <= lat) & (lat <= north) & (here | over_antimeridian)

    return covers


@lru_cache(maxsize=4)
def _named(atlas: Atlas) -> dict[str, Region]:
    """Every region that has a name, by the key of each of its names."""
    found: dict[str, Region] = {}

    def add(region: Region, kind: str, *others: str) -> None:
        """Under all its names but those that another has already."""
        name, full_name = region.name, f"{region.name} ({kind})"
        if _key(name) in found:
            region = replace(region, name=full_name)
        for each in (name, full_name, *others):
            found.setdefault(_key(each), region)

    for number, country in enumerate(atlas.countries):
        code = country.code
        others = [name for name, other in OTHER_NAMES.items() if other == code]
        holds = _far_parts_in_words([part for part in FAR_PARTS if part.country == code], [])
        region = Region(country.name, _of_class(atlas, "country", number), holds)
        add(region, "country", code, *others, TABLES["three_letters"].get(code, code))
    for name in atlas.infos["un_region"].labels:
        countries = sorted(each.name for each in atlas.countries if each.region == name)
        add(_of_un_regions(atlas, name, [name], countries), "UN region")
    for name, parts in TABLES["continents"].items():
        add(_of_un_regions(atlas, name, parts, parts), "continent")
    for number, name in enumerate(_labels(atlas, "us_state")):
        region = Region(name, _of_class(atlas, "us_state", number))
        add(region, "US state", f"{name}, US", f"{name}, USA")
    country_names = {country.code: country.name for country in atlas.countries}
    labels = _labels(atlas, "first_level_region")
    sharing = Counter(_key(label.rpartition(", ")[0]) for label in labels)
    for number, label in enumerate(labels):
        name, _, code = label.rpartition(", ")
        if code == "US" and "us_state" in atlas.infos:
            continue  # they are there already
        region = Region(label, _of_class(atlas, "first_level_region", number))
        names = [label, f"{name}, {country_names[code]}"] + [name] * (sharing[_key(name)] == 1)
        for each in names:
            found.setdefault(_key(each), region)
    for part in FAR_PARTS:
        found.setdefault(_key(part.name), Region(part.name, _part(atlas, part)))
    return found


def _of_un_regions(
    atlas: Atlas, name: str, un_regions: Sequence[str], members: Sequence[str]
) -> Region:
    """A UN region or a continent, with the far parts of countries elsewhere but not its own ones.

    ``members`` are what it holds in words.
    """
    at_home = {each.code for each in atlas.countries if each.region in un_regions}
    here = [p for p in FAR_PARTS if p.un_region in un_regions and p.country not in at_home]
    away = [p for p in FAR_PARTS if p.un_region not in un_regions and p.country in at_home]
    words = [", ".join(members), _far_parts_in_words(here, away)]
    if name == "Asia":
        here, words = [*here, ASIAN_RUSSIA], [*words, "with Russia east of 60° E"]
    if name == "Europe":
        away, words = [*away, ASIAN_RUSSIA], [*words, "Russia west of 60° E only"]
    known = enumerate(atlas.infos["un_region"].labels)
    classes = [_of_class(atlas, "un_region", n) for n, label in known if label in un_regions]
    covers = _joined(
        [*classes, *(_part(atlas, part) for part in here)], [_part(atlas, part) for part in away]
    )
    return Region(name, covers, "; ".join(filter(None, words)))


def _far_parts_in_words(here: Sequence[FarPart], away: Sequence[FarPart]) -> str:
    """In words, which far parts a region has and lacks."""
    both = (("with", here), ("without", away))
    return "; ".join(f"{word} {', '.join(p.name for p in parts)}" for word, parts in both if parts)


def _labels(atlas: Atlas, layer: str) -> tuple[str, ...]:
    return atlas.infos[layer].labels if layer in atlas.infos else ()


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


def _read(path: str | Path) -> Mapping[str, Any]:
    """The object in a JSON file."""
    try:
        # Some programs begin their files with a byte order mark.
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError("there is no such file; check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"this isn't a readable GeoJSON file ({error}); export it again") from error
    if not isinstance(content, Mapping):
        raise DataError(f"this is JSON, but not GeoJSON; {POLYGONS_ONLY}")
    return content


def _polygons(content: Mapping[str, Any]) -> tuple[Covers, Points]:
    """All polygons of a GeoJSON object, however deep, and their corners; x is the longitude."""
    import shapely  # only those who need polygons wait for it

    polygons, waiting = [], [content]
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
                polygons.append(_polygon(rings))
            case other:
                kind = other.get("type") if isinstance(other, Mapping) else other
                raise DataError(f"{kind!r} isn't a usable part; {POLYGONS_ONLY}")
    geometry = shapely.union_all(polygons)
    if geometry.is_empty:
        raise DataError("it covers nothing; give at least one polygon")
    shapely.prepare(geometry)

    def covers(lat: Floats64, lon: Floats64) -> Bools:
        # contains_xy leaves out the edges, and with them the seam of what the antimeridian cuts.
        here = shapely.intersects_xy(geometry, lon, lat)
        return np.asarray(here | shapely.intersects_xy(geometry, lon + 360.0, lat))

    return covers, shapely.get_coordinates(geometry)[:, ::-1]


def _polygon(rings: list[Any]) -> Any:  # noqa: ANN401 - shapely has no types
    """Shapely's polygon of an outer ring and its holes, its west in [-180, 180)."""
    import shapely
    from shapely.affinity import translate

    areas = []
    for positions in rings:
        ring = _ring(positions)
        area = translate(shapely.Polygon(ring), -360.0 * float(_turns(ring[:, 0].min())))
        if not area.is_valid:
            reason = shapely.is_valid_reason(area)
            raise DataError(f"a ring isn't the outline of an area ({reason}); draw it again")
        areas.append(area)
    # A hole may be written a turn away from its polygon, or reach over its edge on the map.
    holes = [translate(hole, turn) for hole in areas[1:] for turn in (-360.0, 0.0, 360.0)]
    return shapely.difference(areas[0] if areas else shapely.Polygon(), shapely.union_all(holes))


def _ring(positions: Any) -> Floats64:  # noqa: ANN401 - from JSON
    """A closed ring ``[K, 2]``, longitude first, that goes on beyond ±180 instead of jumping.

    Heights are dropped.
    """
    try:
        ring = np.array([position[:2] for position in positions], np.float64)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise DataError("a ring isn't a list of positions; give [longitude, latitude]") from None
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 4:
        raise DataError("a ring needs four positions [longitude, latitude], the last as the first")
    _check_degrees(ring[:, 1], ring[:, 0], "GeoJSON has the longitude first, and degrees only")
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


def _turns(lon: Floats64) -> Floats64:
    """How many whole turns a longitude is beyond [-180, 180)."""
    return np.floor((lon + 180.0) / 360.0)
