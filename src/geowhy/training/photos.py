"""The manifest of photographs: their files, where they were taken, to which split each belongs.

Positions stand in a CSV or parquet file, or in the metadata of the photographs themselves. Whatever
can't be used is left out, counted by kind, and told with the first example of each.
"""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geowhy.arrays import Ints64
from geowhy.errors import ConfigError, DataError, ImageError
from geowhy.geo.cells import ten_degree_cell
from geowhy.images.exif import read_position
from geowhy.training.config import PhotosConfig, SplitConfig
from geowhy.training.views import SPLITS, Manifest, cell_splits

__all__ = ["PhotoManifest", "divide_photos", "read_photos"]

COLUMNS = {  # by what they hold, all names that they may have
    "path": ("path", "file", "filename", "image", "img_file", "img_id"),
    "latitude": ("lat", "latitude"),
    "longitude": ("lon", "lng", "longitude"),
}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif")
FEWEST_CELLS = 3  # one each to learn from, to tune on and to test on
FEWEST_TRAINING = 20  # ten that have a concept, and ten that lack it

Photo = tuple[str, str, int, tuple[float, float]]  # file, name, bytes, position


class _LeftOut(dict[str, tuple[int, str]]):
    """How many photographs can't be used, by reason, and the first of them."""

    def note(self, kind: str, example: str) -> None:
        count, first = self.get(kind, (0, example))
        self[kind] = (count + 1, first)


@dataclass(frozen=True, eq=False)
class PhotoManifest(Manifest):
    """Photographs of known position; names and sizes tell a data set, wherever it lies."""

    FILE: ClassVar[str] = "photos.parquet"

    files: tuple[str, ...]  # paths
    names: tuple[str, ...]  # as they were listed
    sizes: Ints64  # in bytes [N]

    @property
    def content_digest(self) -> str:
        """SHA-256 of names, sizes and positions; splits are not among it."""
        names = "\0".join(self.names).encode("utf-8", "surrogateescape")
        numbers = self.sizes.tobytes() + self.centres.tobytes()
        return hashlib.sha256(names + numbers).hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 of all but where the files lie."""
        return hashlib.sha256(self.content_digest.encode() + self.split.tobytes()).hexdigest()

    def _own_columns(self) -> dict[str, Any]:
        return {"file": list(self.files), "name": list(self.names), "bytes": self.sizes}

    @classmethod
    def _own_fields(cls, columns: dict[str, list[Any]]) -> tuple[Any, ...]:
        sizes = np.array(columns["bytes"], np.int64)
        return tuple(columns["file"]), tuple(columns["name"]), sizes


def read_photos(config: PhotosConfig) -> tuple[PhotoManifest, str]:
    """All photographs that a manifest, or the metadata of those in a folder, give a position.

    Pixels aren't looked at. What was found and what was left out comes with them, for people.

    Raises:
        DataError: if the manifest is missing, is no such table, or not one photograph is left.
        ConfigError: if ``root`` or ``dataset`` are given for a folder.
    """
    source, left_out = Path(config.manifest).expanduser(), _LeftOut()
    if not source.is_dir():
        photos = list(_photos_of_table(source, config, left_out))
    elif config.root or config.dataset != "own":
        raise ConfigError(
            f"photos.manifest is the folder {source}: photos.root and photos.dataset are for "
            "CSV or parquet files: remove them"
        )
    else:
        photos = list(_photos_of_folder(source, left_out))
    total = len(photos) + sum(count for count, _ in left_out.values())
    findings = f"found {len(photos):,} of {total:,} photos"
    for kind, (count, first) in left_out.items():
        findings += f"\n  left out {count:,}: {kind}; the first is {first}"
    if not photos:
        raise DataError(f"{source}: not one photo can be used:\n{findings}")
    files, names, sizes, places = zip(*photos, strict=True)
    split = np.full(len(photos), SPLITS.index("unused"), np.int8)
    centres = np.array(places, np.float64)
    return PhotoManifest(centres, split, files, names, np.array(sizes, np.int64)), findings


def _photos_of_folder(folder: Path, left_out: _LeftOut) -> Iterator[Photo]:
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, found in zip(files, pool.map(_position, files), strict=True):
            name = path.relative_to(folder).as_posix()
            if isinstance(found, ImageError):
                left_out.note("unreadable", f"{name}, which {found.reason}")
            elif found is None:
                left_out.note("no GPS position in its metadata", name)
            else:
                yield str(path.absolute()), name, path.stat().st_size, found


def _position(path: Path) -> tuple[float, float] | ImageError | None:
    try:
        found = read_position(path)
    except ImageError as error:
        return error
    return (found.position.lat, found.position.lon) if found else None


def _photos_of_table(path: Path, config: PhotosConfig, left_out: _LeftOut) -> Iterator[Photo]:
    root = Path(config.root).expanduser() if config.root else path.parent
    seen: set[str] = set()
    rows = _parquet_rows(path) if path.suffix == ".parquet" else _csv_rows(path, left_out)
    for name, lat, lon in rows:
        try:
            where = float(lat), float(lon)
        except (TypeError, ValueError):
            where = math.nan, math.nan
        listed = [str(name or "")]
        if config.dataset == "mp-16":  # whose photos lie in folders, or have them in their names
            listed += [listed[0].replace("_", "/", 2), listed[0].replace("/", "_")]
        file = next(filter(os.path.isfile, (os.path.join(root, each) for each in listed)), None)
        if not name:
            left_out.note("no path", f"that at {lat}, {lon}")
        elif not (abs(where[0]) <= 90 and abs(where[1]) <= 180):
            left_out.note("coordinates that are no place on Earth", f"{name} at {lat}, {lon}")
        elif name in seen:
            left_out.note("listed before", name)
        elif file is None:
            left_out.note("no such file", str(root / name))
        else:
            seen.add(name)
            yield os.path.abspath(file), name, os.path.getsize(file), where


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
                    example = f"line {rows.line_num}: {','.join(row)[:80]}"
                    left_out.note("a row of another length than the header", example)
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


def _columns(path: Path, header: Sequence[str]) -> list[int]:
    """Which columns hold path, latitude and longitude, whatever the case of their names."""
    columns = []
    for what, known in COLUMNS.items():
        found = [i for i, name in enumerate(header) if name.strip().lower() in known]
        if len(found) != 1:
            several = " and ".join(header[i] for i in found)
            raise DataError(
                f"{path}: {f'several columns ({several})' if found else 'no column'} for the "
                f"{what} among {', '.join(header) or 'no columns at all'}: name one of them "
                f"{' or '.join(known)}"
            )
        columns += found
    return columns


def divide_photos(
    photos: PhotoManifest, unreadable: Collection[int], config: SplitConfig, *, final: bool = False
) -> PhotoManifest:
    """Assigns whole cells of 10 degrees to splits, as `split_views` does; there is no margin.

    Rows that turned out ``unreadable`` belong to no split, and more photographs of held-out cells
    than the configuration asks for are unused.

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
    of_cell, held_out = cell_splits(photos.centres[rows], config), config.held_out(final)
    for name, most in held_out.items():
        of_split = rows[of_cell == SPLITS.index(name)]
        split[of_split] = SPLITS.index("unused")
        # At random: a manifest may be in the order of photographers.
        chosen = np.random.default_rng(config.seed).permutation(of_split)[:most]
        split[chosen] = SPLITS.index(name)
    divided = replace(photos, split=split)
    counts = {name: len(divided.rows(name)) for name in ("train", *held_out)}
    if counts["train"] < FEWEST_TRAINING or not all(counts.values()):
        listed = ", ".join(f"{count:,} for {name}" for name, count in counts.items())
        raise ConfigError(
            f"split.seed = {config.seed} deals the cells of 10° out so that there are {listed}: "
            f"training takes {FEWEST_TRAINING} photos or more, and the others one: add photos, or "
            "choose another split.seed"
        )
    return divided
