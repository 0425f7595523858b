"""The manifest of photographs: their files, where they were taken, to which split each belongs.

Positions stand in a CSV or parquet file, or in the metadata of the photographs themselves. Whatever
can't be used is left out, counted by kind, and told with the first example of each.
"""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geowhy.arrays import Ints64, Points, Rows
from geowhy.errors import ConfigError, DataError, ImageError
from geowhy.geo.cells import ten_degree_cell
from geowhy.images.exif import read_position
from geowhy.training.config import PhotosConfig, SplitConfig
from geowhy.training.views import SPLITS, cell_splits

__all__ = ["FEWEST_TRAINING", "Findings", "PhotoManifest", "divide_photos", "read_photos"]

PATHS = ("path", "file", "filename", "image", "img_file", "img_id")
LATITUDES, LONGITUDES = ("lat", "latitude"), ("lon", "lng", "longitude")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif")
FEWEST_CELLS = 3  # one each to learn from, to tune on and to test on
FEWEST_TRAINING = 20  # ten that have a concept, and ten that lack it

OFF_EARTH = "coordinates that are no place on Earth"
MISSING = "no such file"
TWICE = "listed before"
NO_PATH = "no path"
WRONG_LENGTH = "a row of another length than the header"
NO_POSITION = "no GPS position in its metadata"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Findings:
    """What became of all that was listed.

    Attributes:
        found: how many photographs can be used.
        listed: how many there are.
        left_out: how many were left out for each reason, and the first of them.
    """

    found: int
    listed: int
    left_out: Mapping[str, tuple[int, str]]

    def text(self) -> str:
        """For people: one line, and one more a reason."""
        lines = [f"found {self.found:,} of {self.listed:,} photos"]
        for kind, (count, first) in self.left_out.items():
            lines.append(f"  left out {count:,}: {kind}; the first is {first}")
        return "\n".join(lines)


class _LeftOut:
    """Counts reasons as they come."""

    def __init__(self) -> None:
        self.kinds: dict[str, tuple[int, str]] = {}

    def note(self, kind: str, example: str) -> None:
        count, first = self.kinds.get(kind, (0, example))
        self.kinds[kind] = (count + 1, first)

    def findings(self, found: int) -> Findings:
        listed = found + sum(count for count, _ in self.kinds.values())
        return Findings(found, listed, self.kinds)


@dataclass(frozen=True, eq=False)
class PhotoManifest:
    """Photographs of known position.

    Attributes:
        files: paths, ``[N]``.
        names: the same as they were listed: these and ``sizes`` tell one data set from another,
            wherever it lies.
        sizes: of the files, bytes, ``[N]``.
        centres: where they were taken, degrees ``[N, 2]``.
        split: of each, an index into ``SPLITS``, ``[N]``; ``unused`` ones are held out, and there
            are enough of them already.
    """

    FILE: ClassVar[str] = "photos.parquet"

    files: tuple[str, ...]
    names: tuple[str, ...]
    sizes: Ints64
    centres: Points
    split: NDArray[np.int8]

    def rows(self, split: str) -> Rows:
        """Positions of the photographs of a split, ascending."""
        return np.flatnonzero(self.split == SPLITS.index(split))

    @property
    def content_digest(self) -> str:
        """SHA-256 of names, sizes and positions; splits are not among it."""
        digest = hashlib.sha256("\0".join(self.names).encode("utf-8", "surrogateescape"))
        digest.update(self.sizes.tobytes())
        digest.update(np.ascontiguousarray(self.centres).tobytes())
        return digest.hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 of all but where the files lie."""
        return hashlib.sha256(self.content_digest.encode() + self.split.tobytes()).hexdigest()

    def save(self, path: Path) -> None:
        """Writes parquet: file, name, bytes, lat, lon, split."""
        table = pa.table(
            {
                "file": list(self.files),
                "name": list(self.names),
                "bytes": self.sizes,
                "lat": self.centres[:, 0],
                "lon": self.centres[:, 1],
                "split": np.array(SPLITS)[self.split],
            }
        )
        pq.write_table(table, path)

    @classmethod
    def load(cls, path: Path) -> PhotoManifest:
        """Reads what ``save`` wrote.

        Raises:
            DataError: if the file is missing, or is not such a parquet file.
        """
        try:
            columns = pq.read_table(path).to_pydict()
            centres = np.stack([columns["lat"], columns["lon"]], axis=1)
            split = np.array([SPLITS.index(name) for name in columns["split"]], np.int8)
            files, names = tuple(columns["file"]), tuple(columns["name"])
            sizes = np.array(columns["bytes"], np.int64)
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise DataError(f"{path}: not a manifest of photos ({error}): train anew") from error
        return cls(files, names, sizes, centres, split)

    @classmethod
    def of(cls, photos: Sequence[_Photo]) -> PhotoManifest:
        """All of them ``unused`` so far."""
        return cls(
            tuple(photo.file for photo in photos),
            tuple(photo.name for photo in photos),
            np.array([photo.size for photo in photos], np.int64),
            np.array([photo.lat_lon for photo in photos], np.float64).reshape(-1, 2),
            np.full(len(photos), SPLITS.index("unused"), np.int8),
        )


@dataclass(frozen=True, slots=True)
class _Photo:
    file: str
    name: str
    size: int
    lat_lon: tuple[float, float]


def read_photos(config: PhotosConfig) -> tuple[PhotoManifest, Findings]:
    """All photographs that a manifest, or the metadata of those in a folder, give a position.

    Pixels aren't looked at.

    Raises:
        DataError: if the manifest is missing, is no such table, or not one photograph is left.
        ConfigError: if ``root`` or ``dataset`` are given for a folder.
    """
    source, left_out = Path(config.manifest).expanduser(), _LeftOut()
    if source.is_dir():
        if config.root or config.dataset != "own":
            raise ConfigError(
                f"photos.manifest is the folder {source}: photos.root and photos.dataset are for "
                "CSV or parquet files: remove them"
            )
        photos = list(_photos_of_folder(source, left_out))
    else:
        photos = list(_photos_of_table(source, config, left_out))
    findings = left_out.findings(len(photos))
    if not photos:
        raise DataError(f"{source}: not one photo can be used:\n{findings.text()}")
    return PhotoManifest.of(photos), findings


def _photos_of_folder(folder: Path, left_out: _LeftOut) -> Iterator[_Photo]:
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, found in zip(files, pool.map(_position, files), strict=True):
            name = path.relative_to(folder).as_posix()
            if isinstance(found, ImageError):
                left_out.note(UNREADABLE, f"{name}, which {found.reason}")
            elif found is None:
                left_out.note(NO_POSITION, name)
            else:
                yield _Photo(str(path.absolute()), name, path.stat().st_size, found)


def _position(path: Path) -> tuple[float, float] | ImageError | None:
    try:
        found = read_position(path)
    except ImageError as error:
        return error
    return (found.position.lat, found.position.lon) if found else None


def _photos_of_table(path: Path, config: PhotosConfig, left_out: _LeftOut) -> Iterator[_Photo]:
    root = Path(config.root).expanduser() if config.root else path.parent
    seen: set[str] = set()
    rows = _parquet_rows(path) if path.suffix == ".parquet" else _csv_rows(path, left_out)
    for name, lat, lon in rows:
        where = (_number(lat), _number(lon))
        found = _file(root, str(name or ""), config.dataset)
        if not name:
            left_out.note(NO_PATH, f"that at {lat}, {lon}")
        elif not (abs(where[0]) <= 90 and abs(where[1]) <= 180):
            left_out.note(OFF_EARTH, f"{name} at {lat}, {lon}")
        elif name in seen:
            left_out.note(TWICE, name)
        elif found is None:
            left_out.note(MISSING, str(root / name))
        else:
            seen.add(name)
            yield _Photo(found[0], name, found[1], where)


def _file(root: Path, name: str, dataset: str) -> tuple[str, int] | None:
    """Path and size of a photograph; MP-16's lie in folders or have the folders in their names."""
    names = [name]
    if dataset == "mp-16":
        names += [name.replace("_", "/", 2), name.replace("/", "_")]
    for each in names:
        path = os.path.join(root, each)
        if os.path.isfile(path):
            return os.path.abspath(path), os.path.getsize(path)
    return None


def _csv_rows(path: Path, left_out: _LeftOut) -> Iterator[tuple[str, str, str]]:
    """Path, latitude and longitude of every row, as they are written."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            columns = _columns(path, header)
            for row in rows:
                if len(row) == len(header):
                    yield row[columns[0]], row[columns[1]], row[columns[2]]
                elif row:
                    left_out.note(WRONG_LENGTH, f"line {rows.line_num}: {','.join(row)[:80]}")
    except OSError as error:
        raise DataError(
            f"{path}: can't be read ({error.strerror}): photos.manifest takes a CSV or parquet "
            "file, or a folder of photos"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not CSV in UTF-8 ({error}): save it so") from error


def _parquet_rows(path: Path) -> Iterator[tuple[Any, Any, Any]]:
    try:
        names = pq.read_schema(path).names
        wanted = [names[column] for column in _columns(path, names)]
        table = pq.read_table(path, columns=wanted)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a parquet file ({error}): write it anew") from error
    for batch in table.select(wanted).to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _columns(path: Path, header: Sequence[str]) -> tuple[int, int, int]:
    """Which columns hold path, latitude and longitude, whatever the case of their names."""
    asked = (("path", PATHS), ("latitude", LATITUDES), ("longitude", LONGITUDES))
    return tuple(_column(path, header, *each) for each in asked)  # type: ignore[return-value]


def _column(path: Path, header: Sequence[str], what: str, known: Iterable[str]) -> int:
    found = [i for i, name in enumerate(header) if name.strip().lower() in known]
    if len(found) != 1:
        several = " and ".join(header[i] for i in found)
        raise DataError(
            f"{path}: {f'several columns ({several})' if found else 'no column'} for the {what} "
            f"among {', '.join(header) or 'no columns at all'}: name one of them "
            f"{' or '.join(known)}"
        )
    return found[0]


def _number(text: object) -> float:
    """NaN for whatever is no number, and so no coordinate."""
    try:
        return float(text)  # type: ignore[arg-type]  # what it can't take, it says
    except (TypeError, ValueError):
        return math.nan


def divide_photos(
    photos: PhotoManifest,
    unreadable: Mapping[int, str],
    config: SplitConfig,
    held_out: Sequence[str] = ("validation", "test"),
) -> PhotoManifest:
    """Assigns whole cells of 10 degrees to splits, as for views; there is no margin.

    Args:
        photos: all of them.
        unreadable: rows that turned out so; they belong to no split.
        config: shares and seed. More photographs of a held-out cell than it asks for are unused.
        held_out: the splits that are; cells of others are for training.

    Raises:
        ConfigError: if the readable ones are too few or too close together to be divided so.
    """
    rows = np.setdiff1d(np.arange(len(photos.split)), np.array([*unreadable], np.intp))
    cells = len(np.unique(ten_degree_cell(photos.centres[rows])))
    if cells < FEWEST_CELLS:
        raise ConfigError(
            f"the {len(rows):,} readable photos lie in {cells} cells of 10°: training, validation "
            f"and test take {FEWEST_CELLS} or more: add photos of other regions"
        )
    split = np.full(len(photos.split), SPLITS.index("unreadable"), np.int8)
    split[rows] = SPLITS.index("train")
    of_cell = cell_splits(photos.centres[rows], config)
    counts = {"validation": config.validation_views, "test": config.test_views}
    for name in held_out:
        split[rows[of_cell == SPLITS.index(name)]] = SPLITS.index("unused")
        split[_some(rows[of_cell == SPLITS.index(name)], counts[name], config.seed)] = SPLITS.index(
            name
        )
    divided = replace(photos, split=split)
    _check_enough(divided, held_out, config.seed)
    return divided


def _some(rows: Rows, count: int, seed: int) -> Rows:
    """Up to ``count`` of them at random: a manifest may be in the order of photographers."""
    return np.random.default_rng(seed).permutation(rows)[:count]


def _check_enough(photos: PhotoManifest, held_out: Sequence[str], seed: int) -> None:
    counts = {name: len(photos.rows(name)) for name in ("train", *held_out)}
    if counts["train"] < FEWEST_TRAINING or not all(counts.values()):
        listed = ", ".join(f"{count:,} for {name}" for name, count in counts.items())
        raise ConfigError(
            f"split.seed = {seed} deals the cells of 10° out so that there are {listed}: training "
            f"takes {FEWEST_TRAINING} photos or more, and the others one: add photos, or choose "
            "another split.seed"
        )
