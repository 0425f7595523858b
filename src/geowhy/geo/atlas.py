"""Worldwide layers: a value at any coordinate, offline.

All layers live in one file, ``data/earth/atlas.npz``, and are read one by one when first asked for.
Each is a grid of equal angles with its north-west corner at (90 N, 180 W); a coordinate reads the
cell that it lies in. A stored cell is a small whole number, its code: 0 stands for *missing*, and a
table, one entry per code, turns codes into values. ``scripts/build_earth.py`` makes the file.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.arrays import Array, Bools, Floats32, Floats64
from geowhy.errors import ChecksumError, DataError
from geowhy.geo.code_rows import CodeRows
from geowhy.geo.sphere import on_earth, uniform_on_sphere

__all__ = [
    "Atlas",
    "Country",
    "FarPart",
    "Layer",
    "LayerInfo",
    "Source",
    "Storage",
    "far_part",
    "layer_digest",
    "stored_arrays",
    "uniform_on_land",
]

EARTH = Path(__file__).parent.parent / "data" / "earth"
TABLES: dict[str, Any] = tomllib.loads((EARTH / "regions.toml").read_text(encoding="utf-8"))

Kind = Literal["continuous", "class", "flag"]
Packing = Literal["plain", "delta", "bits"]
Transform = Literal["linear", "log1p"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a layer comes from."""

    package: str  # that carries the data
    version: str  # pinned
    licence: str  # the package's own
    upstream: str  # who made the data, and their terms


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What a layer means."""

    name: str
    description: str
    unit: str  # of the values; empty for classes and flags
    kind: Kind  # "continuous" reads float32, "class" and "flag" read int16
    resolution_deg: float  # side of a grid cell
    missing: str  # where the layer has no value; there it reads NaN, or -1 for classes
    labels: tuple[str, ...]  # of the classes 0, 1, …; empty for other kinds
    sources: tuple[Source, ...]
    sha256: str = ""  # what `layer_digest` makes of the layer as the file holds it


@dataclass(frozen=True, slots=True)
class Storage:
    """How a layer is written in the file.

    For continuous layers ``numbers`` has the value of each code, None where missing, or else
    code 1 is ``offset`` and each further one ``scale`` more; all this after the ``transform``.
    """

    array: str  # name of the array that holds the codes; layers may share one
    packing: Packing  # "delta": differences along a row, which compress better
    transform: Transform = "linear"
    scale: float = 1.0
    offset: float = 0.0
    classes: tuple[int, ...] = ()  # of each code, for class layers; empty if code - 1
    numbers: tuple[float | None, ...] = ()

    def table(self, kind: Kind, codes: Array) -> Floats32 | NDArray[np.int16]:
        """Value of every possible code of ``codes`` ``[...]``, code 0 being *missing*."""
        if kind == "flag":
            return np.array([0, 1], np.int16)
        steps = np.arange(-1, np.iinfo(codes.dtype).max)
        if kind == "class":
            return np.array(self.classes or steps, np.int16)
        values = self.offset + self.scale * steps
        if self.numbers:
            values = np.array(self.numbers, np.float64)  # None becomes NaN
        # Codes beyond the largest used one may overflow; nobody reads them.
        with np.errstate(over="ignore"):
            values = np.expm1(values) if self.transform == "log1p" else values
            values[0] = np.nan
            return values.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory with an ISO code."""

    code: str  # ISO 3166-1 alpha-2
    name: str  # in English
    region: str  # of the United Nations geoscheme, such as "Western Africa"
    driving_side: str  # "left" or "right"; empty where nobody drives


@dataclass(frozen=True, slots=True)
class FarPart:
    """A part of a country, far from its rest: what of it lies in a box.

    The atlas has one class for a country and all of its parts without an ISO code of their own.
    """

    name: str  # in English
    country: str  # ISO 3166-1 alpha-2
    un_region: str  # of the United Nations geoscheme, where it lies
    box: tuple[float, float, float, float]  # south, west, north, east, degrees
    is_territory: bool = False  # a dependent one, rather than a part like others


FAR_PARTS = tuple(FarPart(**{**part, "box": tuple(part["box"])}) for part in TABLES["far_parts"])


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One worldwide layer."""

    info: LayerInfo
    rows: CodeRows  # [rows from north, columns from 180 W]; flags have 8 columns in a byte
    table: Floats32 | NDArray[np.int16]  # value of each code

    @property
    def codes(self) -> Array:
        """All codes, [rows from north, columns from 180 W]; flags have 8 columns in a byte."""
        return self.rows.whole()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        height, width = self.rows.stored.shape
        return height, width * 8 if self.info.kind == "flag" else width

    def at(self, lat_lon: ArrayLike) -> Floats32 | NDArray[np.int16]:
        """Values at degrees ``[N, 2]``: float32 with NaN, or int16 with -1, where missing.

        Raises:
            CoordinateError: if a coordinate is not finite or a latitude is beyond a pole.
        """
        (height, width), (lat, lon) = self.shape, on_earth(lat_lon).T
        row = ((90.0 - lat) * (height / 180.0)).astype(np.intp)
        np.minimum(row, height - 1, out=row)  # the south pole belongs to the last row
        column = np.floor((lon + 180.0) * (width / 360.0)).astype(np.intp) % width
        cells, codes = row * width + column, self.rows.including(row).ravel()
        if self.info.kind == "flag":
            codes = codes[cells >> 3] >> (7 - (cells & 7)) & 1
        else:
            codes = codes[cells]
        values: Array = self.table[codes]
        return values

    def grid(self) -> Floats32 | NDArray[np.int16]:
        """All values, [rows from north, columns from 180 W]."""
        flags = self.info.kind == "flag"
        values: Array = self.table[np.unpackbits(self.codes, axis=1) if flags else self.codes]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """All layers of one atlas file, by name."""

    path: Path
    infos: dict[str, LayerInfo]
    storages: dict[str, Storage]
    countries: tuple[Country, ...]  # in the order of the classes of the layer "country"
    _layers: dict[str, Layer] = field(default_factory=dict, repr=False)

    @staticmethod
    @lru_cache(maxsize=4)
    def load(path: Path = EARTH / "atlas.npz") -> Atlas:
        """The atlas in ``path``, read once; by default the packaged one.

        Raises:
            DataError: if the file is missing or isn't an atlas.
        """
        with stored_arrays(path, "atlas") as arrays:
            meta = json.loads(arrays["meta"].tobytes())
        infos, storages = {}, {}
        for info, storage in ((entry["info"], entry["storage"]) for entry in meta["layers"]):
            sources = tuple(Source(**source) for source in info["sources"])
            lists = {"labels": tuple(info["labels"]), "sources": sources}
            infos[info["name"]] = LayerInfo(**{**info, **lists})
            lists = {key: tuple(storage.get(key, ())) for key in ("classes", "numbers")}
            storages[info["name"]] = Storage(**{**storage, **lists})
        return Atlas(path, infos, storages, tuple(Country(**each) for each in meta["countries"]))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(self.infos)

    def layer(self, name: str) -> Layer:
        """The layer ``name``, read from the file at the first call.

        Raises:
            DataError: if there is no such layer; the message names the nearest ones.
        """
        if name in self._layers:
            return self._layers[name]
        if name not in self.infos:
            near = ", ".join(difflib.get_close_matches(name, self.names, n=3, cutoff=0.4))
            hint = f"did you mean {near}?" if near else f"there are {', '.join(self.names)}"
            raise DataError(f"the atlas has no layer {name!r}: {hint}")
        info, storage = self.infos[name], self.storages[name]
        shared = (n for n in self._layers if self.storages[n].array == storage.array)
        if other := next(shared, None):
            rows = self._layers[other].rows
        else:
            with stored_arrays(self.path, "atlas") as arrays:
                rows = CodeRows.of(arrays[storage.array], storage.packing == "delta")
        self._layers[name] = Layer(info, rows, storage.table(info.kind, rows.stored))
        return self._layers[name]

    def is_land(self, lat_lon: ArrayLike) -> Bools:
        """Whether degrees ``[N, 2]`` are on land; large lakes are not."""
        return self.layer("land").at(lat_lon) > 0

    def verify(self) -> None:
        """Check every layer in the file against its SHA-256; not done when layers are read.

        Raises:
            ChecksumError: if a layer isn't what was written; the message names it.
        """
        for name, info in self.infos.items():
            storage = self.storages[name]
            with suppress(DataError), stored_arrays(self.path, "atlas") as arrays:
                if layer_digest(info, storage, arrays[storage.array]) == info.sha256:
                    continue
            raise ChecksumError(
                f"{self.path}: the layer {name} isn't what was written; "
                "install geowhy again or run python scripts/build_earth.py"
            )


def far_part(country: str, lat: float, lon: float) -> FarPart | None:
    """The far part of ``country`` that a point, degrees, lies in; None for the country's rest."""
    lon = (lon + 180.0) % 360.0 - 180.0
    for part in FAR_PARTS:
        south, west, north, east = part.box
        if country == part.country and south <= lat <= north and west <= lon <= east:
            return part
    return None


def uniform_on_land(atlas: Atlas, count: int, rng: np.random.Generator) -> Floats64:
    """``count`` points uniform by area on land north of 60° S, degrees ``[count, 2]``."""
    found = np.empty((0, 2))
    while len(found) < count:
        # A quarter of the Earth is such land; a few more tries spare most second rounds.
        tries = uniform_on_sphere(5 * (count - len(found)) + 64, rng)
        tries = tries[tries[:, 0] > -60.0]
        found = np.concatenate([found, tries[atlas.is_land(tries)]])
    return found[:count]


def layer_digest(info: LayerInfo, storage: Storage, stored: Array) -> str:
    """SHA-256, in hexadecimal, of one layer as the file holds it.

    It is that of a JSON text, its keys sorted and without spaces, followed by the bytes of the
    array ``stored`` ``[rows, columns]``, packed as they are. The text has all fields of ``info``
    but ``sha256``, all of ``storage``, and the array's type and shape: so the table of values is
    covered to the last digit, and rounding on another machine can't change the sum.
    """
    meaning = {key: value for key, value in asdict(info).items() if key != "sha256"}
    array = {"dtype": stored.dtype.str, "shape": stored.shape}
    text = json.dumps([meaning, asdict(storage), array], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode())
    digest.update(np.ascontiguousarray(stored).data)
    return digest.hexdigest()


@contextmanager
def stored_arrays(path: Path, kind: str) -> Iterator[Mapping[str, Array]]:
    """The arrays of a file of some kind, read as they are asked for.

    Raises:
        DataError: if the file is missing, or what is read of it can't be.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            yield arrays
    except FileNotFoundError:
        raise DataError(
            f"{path}: there is no {kind}; make it with python scripts/build_earth.py"
        ) from None
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path}: this isn't a readable {kind} ({error}); "
            "install geowhy again or run python scripts/build_earth.py"
        ) from error
