"""A gallery of one's own: a file of coordinates, as spreadsheets and map programs write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geowhy.arrays import Floats64
from geowhy.errors import DataError

__all__ = ["read_gallery"]

LATITUDES = ("latitude", "lat", "y")  # the plainest name counts if a file has several
LONGITUDES = ("longitude", "lon", "lng", "long", "x")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
EXCEL_SEPARATOR = re.compile(r'"?sep=[,;\t]"?\s*', re.IGNORECASE)  # the first line, if it is there
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
SHOWN_ROWS = 3


@dataclass(frozen=True, slots=True)
class _Table:
    """How a file is written: its columns by number and by name, and what stands between them."""

    columns: tuple[int, int]
    names: tuple[str, str]
    separator: str


def read_gallery(path: Path, on_read: Callable[[str], None] | None = None) -> Floats64:
    """Coordinates of a table with a header, degrees ``[M, 2]``; other columns don't matter.

    Columns are called latitude, lat or y, and longitude, lon, lng, long or x, in any case and
    order; commas, semicolons or tabs separate them. Decimals may have commas, but not between
    commas. UTF-8, UTF-16 and Latin-1 are read. ``on_read`` is told how the file was understood.

    Raises:
        DataError: if it can't be read, lacks a column, or has a row that is no point on Earth; bad
            rows are named by their lines, and none is left out in silence.
    """
    try:
        text, encoding = _decoded(path.read_bytes())
        lines = [*text.splitlines()[:2], "", ""]
        skipped = 1 if EXCEL_SEPARATOR.fullmatch(lines[0]) else 0
        table = _table(path, lines[skipped])
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=table.separator)
        filled = [(rows.line_num, row) for row in rows if any(map(str.strip, row))]
        filled = [(line, row) for line, row in filled if line > skipped + 1]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: can't be read ({error}): give a CSV file of points") from error
    cells = [(line, _cells(row, table.columns)) for line, row in filled]
    points = [(line, pair, _point(pair, table.separator)) for line, pair in cells]
    bad = [(line, pair) for line, pair, point in points if point is None]
    if bad:
        raise DataError(f"{path}: {_complaint(bad, len(points), table)}")
    if not points:
        raise DataError(f"{path}: no points: give at least one row under the header")
    if on_read:
        has_commas = any(DECIMAL_COMMA.fullmatch(cell) for _, pair in cells for cell in pair)
        on_read(f"{path.name}: {_understood(len(points), table, has_commas)}{encoding}")
    return np.array([point for _, _, point in points], np.float64)


def _decoded(content: bytes) -> tuple[str, str]:
    """The text, and the words for an encoding other than UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16"), ", UTF-16"
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return content.decode("latin-1"), ", Latin-1"


def _table(path: Path, header: str) -> _Table:
    """The separator that makes columns of coordinates out of a header."""
    for separator in SEPARATORS:
        written = next(csv.reader([header], delimiter=separator), [])
        names = [name.strip().lower() for name in written]
        lat, lon = (
            next((names.index(name) for name in known if name in names), None)
            for known in (LATITUDES, LONGITUDES)
        )
        if lat is not None and lon is not None:
            return _Table((lat, lon), (written[lat].strip(), written[lon].strip()), separator)
    raise DataError(
        f"{path}: the header is {header.strip()!r}: name two columns lat and lon, degrees, "
        "with commas, semicolons or tabs between them"
    )


def _cells(row: list[str], columns: tuple[int, int]) -> tuple[str, str]:
    """Latitude and longitude as written; empty where a row is too short."""
    lat, lon = (row[column].strip() if column < len(row) else "" for column in columns)
    return lat, lon


def _point(cells: tuple[str, str], separator: str) -> tuple[float, float] | None:
    """Degrees, or None if the cells hold none."""
    degrees = _degrees(cells, separator)
    if degrees is None:
        return None
    lat, lon = degrees
    return degrees if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def _degrees(cells: tuple[str, str], separator: str) -> tuple[float, float] | None:
    """Two numbers, wherever they lie, or None."""
    try:
        lat, lon = (float(_dotted(cell, separator)) for cell in cells)
    except ValueError:
        return None
    return lat, lon


def _dotted(cell: str, separator: str) -> str:
    """A number with a decimal point; between commas, a quoted "9,410" may mean thousands."""
    if separator != "," and DECIMAL_COMMA.fullmatch(cell):
        return cell.replace(",", ".")
    return cell


def _complaint(bad: list[tuple[int, tuple[str, str]]], count: int, table: _Table) -> str:
    shown = ", ".join(str(line) for line, _ in bad[:SHOWN_ROWS])
    more = " and more" if len(bad) > SHOWN_ROWS else ""
    first = " and ".join(repr(cell) for cell in bad[0][1])
    return (
        f"{len(bad)} of {count} rows are no point on Earth (line {shown}{more}; the first has "
        f"{first}): {_remedy([pair for _, pair in bad], table)}"
    )


def _remedy(bad: list[tuple[str, str]], table: _Table) -> str:
    lat, lon = table.names
    numbers = [_degrees(pair, table.separator) for pair in bad]
    if all(each and 90 < abs(each[0]) <= 180 and abs(each[1]) <= 90 for each in numbers):
        return (
            f"{lat} and {lon} look swapped: give the columns each other's names, "
            "or take the rows out"
        )
    if table.separator == "," and any(DECIMAL_COMMA.fullmatch(c) for pair in bad for c in pair):
        return "separate the columns by semicolons or tabs, or write decimals with points"
    return (
        "give latitude within ±90 and longitude within ±180 in degrees, or take the rows out "
        "(metres of a map projection: export as EPSG:4326)"
    )


def _understood(count: int, table: _Table, has_commas: bool) -> str:
    places = "1 place" if count == 1 else f"{count:,} places"
    decimals = ", decimal commas" if has_commas else ""
    return (
        f"{places} from columns {', '.join(table.names)}; "
        f"separated by {SEPARATORS[table.separator]}{decimals}"
    )
