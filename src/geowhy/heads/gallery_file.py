"""A gallery of one's own: a CSV file of coordinates."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import DataError

__all__ = ["read_gallery"]

LATITUDES = ("lat", "latitude")
LONGITUDES = ("lon", "lng", "long", "longitude")
SHOWN_ROWS = 3


def read_gallery(path: Path) -> NDArray[np.float64]:
    """Coordinates of a CSV file with a header, degrees ``[M, 2]``; other columns don't matter.

    Columns are called lat or latitude, and lon, lng or longitude, in any case.

    Raises:
        DataError: if it can't be read, lacks a column, or has a row that is no point on Earth; bad
            rows are named by their lines, and none is left out in silence.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            columns = _columns(path, next(rows, []))
            points = [(rows.line_num, _point(row, columns)) for row in rows if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: can't be read ({error}): give a CSV file of points") from error
    bad = [line for line, point in points if point is None]
    if bad:
        raise DataError(f"{path}: {_complaint(bad, len(points))}")
    if not points:
        raise DataError(f"{path}: no points: give at least one row under the header")
    return np.array([point for _, point in points], np.float64)


def _columns(path: Path, header: list[str]) -> tuple[int, int]:
    names = [name.strip().lower() for name in header]
    found = [next(_positions(names, known), None) for known in (LATITUDES, LONGITUDES)]
    if found[0] is None or found[1] is None:
        raise DataError(
            f"{path}: the header is {','.join(header)!r}: name two columns lat and lon, degrees"
        )
    return found[0], found[1]


def _positions(names: list[str], known: tuple[str, ...]) -> Iterator[int]:
    return (names.index(name) for name in known if name in names)


def _point(row: list[str], columns: tuple[int, int]) -> tuple[float, float] | None:
    """Degrees, or None if the row holds none."""
    try:
        lat, lon = (float(row[column]) for column in columns)
    except (ValueError, IndexError):
        return None
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def _complaint(bad: list[int], count: int) -> str:
    shown = ", ".join(map(str, bad[:SHOWN_ROWS]))
    more = " and more" if len(bad) > SHOWN_ROWS else ""
    return (
        f"{len(bad)} of {count} rows are no point on Earth (line {shown}{more}): give latitude "
        "within ±90 and longitude within ±180, or take the rows out"
    )
