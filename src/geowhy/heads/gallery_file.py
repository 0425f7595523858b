"""A gallery of one's own: a file of coordinates, as spreadsheets and map programs write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable
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
        columns, separator = _columns(path, lines[skipped])
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        filled = [(rows.line_num, row) for row in rows if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: can't be read ({error}): give a CSV file of points") from error
    filled = [(line, row) for line, row in filled if line > skipped + 1]
    if not filled:
        raise DataError(f"{path}: no points: give at least one row under the header")
    cells = [
        [row[column].strip() if column < len(row) else "" for column in columns.values()]
        for _, row in filled
    ]
    points = np.array([_degrees(pair, separator) for pair in cells])
    bad = np.flatnonzero(~(np.abs(points) <= (90, 180)).all(axis=1))
    if bad.size:
        shown = ", ".join(str(filled[row][0]) for row in bad[:SHOWN_ROWS])
        more = " and more" if len(bad) > SHOWN_ROWS else ""
        first = " and ".join(map(repr, cells[bad[0]]))
        raise DataError(
            f"{path}: {len(bad)} of {len(points)} rows are no point on Earth (line {shown}{more}; "
            f"the first has {first}): "
            + _remedy(points[bad], [cells[row] for row in bad], list(columns), separator)
        )
    if on_read:
        places = "1 place" if len(points) == 1 else f"{len(points):,} places"
        decimals = ", decimal commas" if _have_commas(cells) else ""
        on_read(
            f"{path.name}: {places} from columns {', '.join(columns)}; "
            f"separated by {SEPARATORS[separator]}{decimals}{encoding}"
        )
    return points


def _decoded(content: bytes) -> tuple[str, str]:
    """The text, and the words for an encoding other than UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16"), ", UTF-16"
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return content.decode("latin-1"), ", Latin-1"


def _columns(path: Path, header: str) -> tuple[dict[str, int], str]:
    """Latitude and longitude, by name, and the separator that makes them out of a header."""
    for separator in SEPARATORS:
        written = next(csv.reader([header], delimiter=separator), [])
        names = [name.strip().lower() for name in written]
        found = [
            next((names.index(name) for name in known if name in names), None)
            for known in (LATITUDES, LONGITUDES)
        ]
        columns = {written[at].strip(): at for at in found if at is not None}
        if len(columns) == 2:
            return columns, separator
    raise DataError(
        f"{path}: the header is {header.strip()!r}: name two columns lat and lon, degrees, "
        "with commas, semicolons or tabs between them"
    )


def _degrees(cells: list[str], separator: str) -> list[float]:
    """Two numbers, wherever they lie, or NaN."""
    if separator != ",":  # between commas, a quoted "9,410" may mean thousands
        cells = [c.replace(",", ".") if DECIMAL_COMMA.fullmatch(c) else c for c in cells]
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return [np.nan, np.nan]


def _have_commas(cells: list[list[str]]) -> bool:
    return any(DECIMAL_COMMA.fullmatch(cell) for pair in cells for cell in pair)


def _remedy(points: Floats64, cells: list[list[str]], names: list[str], separator: str) -> str:
    """What to do about rows that are no points."""
    lat, lon = np.abs(points).T
    if ((lat > 90) & (lat <= 180) & (lon <= 90)).all():
        return (
            f"{' and '.join(names)} look swapped: give the columns each other's names, "
            "or take the rows out"
        )
    if separator == "," and _have_commas(cells):
        return "separate the columns by semicolons or tabs, or write decimals with points"
    return (
        "give latitude within ±90 and longitude within ±180 in degrees, or take the rows out "
        "(metres of a map projection: export as EPSG:4326)"
    )
