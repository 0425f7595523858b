"""Which photographs of a folder are to be scored, and where they were taken.

By a benchmark's official list, by one of your own, or by the metadata of the photographs. What is
listed and isn't in the folder stays in the list: it is missing, and is counted.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geowhy.arrays import Points
from geowhy.errors import DataError, ImageError
from geowhy.evaluation.benchmarks import OWN, Benchmark
from geowhy.images.exif import read_position

__all__ = ["PhotoList"]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif")
ID_NAMES = ("path", "file", "filename", "image", "img_file", "img_id", "id")
LAT_NAMES, LON_NAMES = ("lat", "latitude"), ("lon", "lng", "longitude")


@dataclass(frozen=True, slots=True, eq=False)
class PhotoList:
    """N photographs by what their list calls them, whether their files are there or not."""

    name: str  # where it was read
    ids: tuple[str, ...]
    truth: Points  # degrees [N, 2]

    @classmethod
    def read(cls, path: Path, benchmark: Benchmark = OWN) -> PhotoList:
        """A CSV file with a header, whose columns are the benchmark's.

        Without a list format, columns are called path, file, filename, image, img_file, img_id or
        id; lat or latitude; lon, lng or longitude, in any case.

        Raises:
            DataError: if it can't be read, lacks a column, has a row that is no point on Earth or
                names a photograph twice, or has more photographs than the benchmark.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.reader(file)
                columns = _columns(path, next(rows, []), benchmark)
                read = [(rows.line_num, row) for row in rows if row]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: can't be read ({error}): give the list as CSV") from error
        listed = dict[str, tuple[float, float]]()
        for line, row in read:
            name, place = _entry(path, line, row, columns)
            if name in listed:
                raise DataError(f"{path}: line {line}: {name} is listed before: take one out")
            listed[name] = place
        if benchmark.counted and benchmark.photos and len(listed) > benchmark.photos:
            raise DataError(
                f"{path}: has {len(listed):,} photographs, and {benchmark.title} has "
                f"{benchmark.photos:,}: give its own list ({benchmark.get})"
            )
        return cls(path.name, tuple(listed), np.array([*listed.values()]).reshape(-1, 2))

    @classmethod
    def of_metadata(cls, folder: Path) -> PhotoList:
        """The photographs of a folder and all below whose metadata say where the camera was."""
        files = _photos_in(folder)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            places = list(pool.map(_position, files))
        found = {
            file.relative_to(folder).as_posix(): place
            for file, place in zip(files, places, strict=True)
            if place is not None
        }
        name = f"GPS positions of {len(found):,} of {len(files):,} photographs"
        return cls(name, tuple(found), np.array([*found.values()]).reshape(-1, 2))

    def files(self, folder: Path, suffix: str = "") -> tuple[Path | None, ...]:
        """The file of each in a folder or anywhere below; None where it is missing.

        By its path from the folder, or by its name alone where one file alone has it.

        Raises:
            DataError: if several files have the name.
        """
        by_name = defaultdict[str, list[Path]](list)
        for file in _photos_in(folder):
            by_name[file.name].append(file)
        return tuple(_file(folder, name + suffix, by_name) for name in self.ids)


def _columns(path: Path, header: Sequence[str], benchmark: Benchmark) -> list[int]:
    """Where the header has file, latitude and longitude."""
    form, names = benchmark.list, [name.strip().lower() for name in header]
    wanted: Sequence[Sequence[str]] = (ID_NAMES, LAT_NAMES, LON_NAMES)
    if form:
        wanted = [[each.lower()] for each in (form.id, form.lat, form.lon)]
    found = [next((names.index(each) for each in some if each in names), -1) for some in wanted]
    if min(found) < 0:
        missing = wanted[found.index(min(found))]
        raise DataError(
            f"{path}: no column {' or '.join(missing)} among {', '.join(header) or 'none at all'}: "
            f"give {f'the list of {benchmark.title}' if form else 'one with such a header'}"
        )
    return found


def _entry(
    path: Path, line: int, row: list[str], columns: list[int]
) -> tuple[str, tuple[float, float]]:
    try:
        name, lat, lon = (row[column].strip() for column in columns)
        place = float(lat), float(lon)
    except (IndexError, ValueError) as error:
        raise DataError(
            f"{path}: line {line}: {','.join(row)[:80]!r} has no file and two numbers ({error}): "
            "correct it or take it out"
        ) from error
    if not (name and abs(place[0]) <= 90 and abs(place[1]) <= 180):
        raise DataError(
            f"{path}: line {line}: {name or 'no file'} at {lat}, {lon} is no place on Earth: "
            "correct it or take it out"
        )
    return name, place


def _photos_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def _position(file: Path) -> tuple[float, float] | None:
    try:
        found = read_position(file)
    except ImageError:
        return None
    return (found.position.lat, found.position.lon) if found else None


def _file(folder: Path, name: str, by_name: dict[str, list[Path]]) -> Path | None:
    if (folder / name).is_file():
        return folder / name
    several = by_name.get(Path(name).name, [])
    if len(several) > 1:
        raise DataError(
            f"{name}: is the name of {len(several)} files, such as {several[0]} and {several[1]}: "
            "list paths from the folder, or give the folder of one of them"
        )
    return several[0] if several else None
