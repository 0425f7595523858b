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
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geowhy.arrays import Array, Bools, Floats32, Floats64, Ints
from geowhy.errors import ChecksumError, DataError
from geowhy.geo.sphere import on_earth, uniform_on_sphere

__all__ = [
    "Atlas",
    "Country",
    "Layer",
    "LayerInfo",
    "Source",
    "Storage",
    "layer_digest",
    "uniform_on_land",
]

PACKAGED_ATLAS = Path(__file__).parent.parent / "data" / "earth" / "atlas.npz"

Kind = Literal["continuous", "class", "flag"]
Packing = Literal["plain", "delta", "bits"]
Transform = Literal["linear", "log1p"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a layer comes from.

    Attributes:
        package: name of the package that carries the data.
        version: the pinned version.
        licence: the package's own licence.
        upstream: who made the data, and their terms.
    """

    package: str
    version: str
    licence: str
    upstream: str


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What a layer means.

    Attributes:
        name: short identifier.
        description: one line.
        unit: unit of the values; empty for classes and flags.
        kind: ``continuous`` reads float32, ``class`` and ``flag`` read int16.
        resolution_deg: side of a grid cell, degrees.
        missing: where the layer has no value; there it reads NaN, or -1 for classes.
        labels: names of the classes 0, 1, …; empty for other kinds.
        sources: packages that it was made from.
        sha256: what :func:`layer_digest` makes of the layer as the file holds it.
    """

    name: str
    description: str
    unit: str
    kind: Kind
    resolution_deg: float
    missing: str
    labels: tuple[str, ...]
    sources: tuple[Source, ...]
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Storage:
    """How a layer is written in the file.

    Attributes:
        array: name of the array that holds the codes; layers may share one.
        packing: ``plain``; ``delta`` (differences along a row, which compress better); ``bits``.
        transform: what was applied before the scale, for continuous layers.
        scale: value of one code step, after the transform.
        offset: value of code 1, after the transform.
        classes: class of each code, for class layers; empty if code - 1.
        numbers: value of each code after the transform, None where missing, for continuous layers;
            empty if ``offset`` and ``scale`` give it.
    """

    array: str
    packing: Packing
    transform: Transform = "linear"
    scale: float = 1.0
    offset: float = 0.0
    classes: tuple[int, ...] = ()
    numbers: tuple[float | None, ...] = ()

    def table(self, kind: Kind, codes: Array) -> Floats32 | NDArray[np.int16]:
        """Value of every possible code of ``codes`` ``[...]``, code 0 being *missing*."""
        if kind == "flag":
            return np.array([0, 1], np.int16)
        if kind == "class" and self.classes:
            return np.array(self.classes, np.int16)
        steps = np.arange(np.iinfo(codes.dtype).max + 1)
        if kind == "class":
            return (steps - 1).astype(np.int16)
        values = self.offset + self.scale * (steps - 1.0)
        if self.numbers:
            values = np.array(self.numbers, np.float64)  # None becomes NaN
        # Codes beyond the largest used one may overflow; nobody reads them.
        with np.errstate(over="ignore"):
            values = np.expm1(values) if self.transform == "log1p" else values
            values[0] = np.nan
            return values.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory with an ISO code.

    Attributes:
        code: ISO 3166-1 alpha-2.
        name: English name.
        region: region of the United Nations geoscheme, such as "Western Africa".
        driving_side: "left" or "right"; empty where nobody drives.
    """

    code: str
    name: str
    region: str
    driving_side: str


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One worldwide layer.

    Attributes:
        info: what it means.
        codes: the grid, [rows from north, columns from 180 W]; flags have 8 columns in a byte.
        table: value of each code.
    """

    info: LayerInfo
    codes: Array
    table: Floats32 | NDArray[np.int16]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        height, width = self.codes.shape
        return height, width * 8 if self.info.kind == "flag" else width

    def at(self, lat_lon: ArrayLike) -> Floats32 | NDArray[np.int16]:
        """Values at degrees ``[N, 2]``: float32 with NaN, or int16 with -1, where missing.

        Raises:
            CoordinateError: if a coordinate is not finite or a latitude is beyond a pole.
        """
        cells = _cell_index(lat_lon, *self.shape)
        if self.info.kind == "flag":
            codes = self.codes.ravel()[cells >> 3] >> (7 - (cells & 7)) & 1
        else:
            codes = self.codes.ravel()[cells]
        values: Array = self.table[codes]
        return values

    def grid(self) -> Floats32 | NDArray[np.int16]:
        """All values, [rows from north, columns from 180 W]."""
        flags = self.info.kind == "flag"
        codes = np.unpackbits(self.codes, axis=1) if flags else self.codes
        values: Array = self.table[codes]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """All layers of one atlas file.

    Attributes:
        path: the file.
        infos: what each layer means, by name.
        storages: how each layer is written, by name.
        countries: in the order of the classes of the layer ``country``.
    """

    path: Path
    infos: dict[str, LayerInfo]
    storages: dict[str, Storage]
    countries: tuple[Country, ...]
    _layers: dict[str, Layer] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, path: Path = PACKAGED_ATLAS) -> Atlas:
        """The atlas in ``path``, read once; by default the packaged one.

        Raises:
            DataError: if the file is missing or isn't an atlas.
        """
        return _load(path)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(self.infos)

    def layer(self, name: str) -> Layer:
        """The layer ``name``, read from the file at the first call.

        Raises:
            DataError: if there is no such layer; the message names the nearest ones.
        """
        if name not in self._layers:
            if name not in self.infos:
                raise DataError(_unknown_layer(name, self.names))
            self._layers[name] = self._read(name)
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
            if _digest_in_file(self.path, info, self.storages[name]) != info.sha256:
                raise ChecksumError(
                    f"{self.path}: the layer {name} isn't what was written; "
                    "install geowhy again or run python scripts/build_earth.py"
                )

    def _read(self, name: str) -> Layer:
        info, storage = self.infos[name], self.storages[name]
        shared = next((n for n in self._layers if self.storages[n].array == storage.array), None)
        codes = self._layers[shared].codes if shared else _read_codes(self.path, storage)
        return Layer(info, codes, storage.table(info.kind, codes))


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


@lru_cache(maxsize=4)
def _load(path: Path) -> Atlas:
    meta = _from_file(path, lambda arrays: json.loads(arrays["meta"].tobytes()))
    infos = {entry["info"]["name"]: _info(entry["info"]) for entry in meta["layers"]}
    storages = {e["info"]["name"]: _storage(e["storage"]) for e in meta["layers"]}
    return Atlas(path, infos, storages, tuple(Country(**c) for c in meta["countries"]))


def _info(entry: dict[str, Any]) -> LayerInfo:
    sources = tuple(Source(**s) for s in entry["sources"])
    return LayerInfo(**{**entry, "labels": tuple(entry["labels"]), "sources": sources})


def _storage(entry: dict[str, Any]) -> Storage:
    numbers = tuple(entry.get("numbers", ()))
    return Storage(**{**entry, "classes": tuple(entry["classes"]), "numbers": numbers})


def _digest_in_file(path: Path, info: LayerInfo, storage: Storage) -> str:
    """The layer's digest; empty if its array can't even be read."""
    try:
        return layer_digest(info, storage, _read_stored(path, storage))
    except DataError:
        return ""


def _read_stored(path: Path, storage: Storage) -> Array:
    stored: Array = _from_file(path, lambda arrays: arrays[storage.array])
    return stored


def _read_codes(path: Path, storage: Storage) -> Array:
    stored = _read_stored(path, storage)
    if storage.packing == "delta":
        # Whole numbers that wrap around: the sums come out right.
        return np.cumsum(stored, axis=1, dtype=stored.dtype)
    return stored


def _from_file(path: Path, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - JSON or array
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            return read(arrays)
    except FileNotFoundError:
        raise DataError(
            f"{path}: there is no atlas; make it with python scripts/build_earth.py"
        ) from None
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path}: this isn't a readable atlas ({error}); "
            "install geowhy again or run python scripts/build_earth.py"
        ) from error


def _cell_index(lat_lon: ArrayLike, height: int, width: int) -> Ints:
    """Flat index of the grid cells that hold degrees ``[N, 2]``; longitudes wrap."""
    lat, lon = on_earth(lat_lon).T
    row = ((90.0 - lat) * (height / 180.0)).astype(np.intp)
    np.minimum(row, height - 1, out=row)  # the south pole belongs to the last row
    column = np.floor((lon + 180.0) * (width / 360.0)).astype(np.intp)
    return np.asarray(row * width + column % width, np.intp)


def _unknown_layer(name: str, names: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(names)}"
    return f"the atlas has no layer {name!r}: {hint}"
