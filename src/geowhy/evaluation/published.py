"""Answers that others published, image by image, as a table that ours can be held against.

Müller-Budack, Pustu-Iren and Ewerth (ECCV 2018) have theirs of Im2GPS and Im2GPS3k in their
repository, github.com/TIBHannover/GeoEstimation, as CSV files: the image, where it was taken, where
they say that it was, and how far apart that is; sums stand below the last image.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from geowhy.errors import CoordinateError, DataError
from geowhy.evaluation.predictions import WORDS, PredictionTable
from geowhy.geo.sphere import on_earth

__all__ = ["read_published", "read_table"]

COLUMNS = ("img_id", "gt_lat", "gt_long", "predicted_lat", "predicted_long")
SUMS = "street acc"  # how the row begins that names them

Row = tuple[str, float, float, float, float]


def read_table(path: Path) -> PredictionTable:
    """What ``--predictions`` wrote, or, in a CSV file, what others published.

    Raises:
        MissingExtraError: without the extra ``train``, for what isn't CSV.
        DataError: if the file is missing, or isn't such a table.
    """
    is_csv = path.suffix.lower() == ".csv"
    return read_published(path) if is_csv else PredictionTable.load(path)


def read_published(path: Path) -> PredictionTable:
    """The table of such a file; nothing is known of radii, probabilities and time.

    Raises:
        DataError: if it can't be read, lacks a column, or has no image.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            found = [] if missing else list(_images(path, rows))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: can't be read ({error}): give a CSV file of answers") from error
    if missing or not found:
        raise DataError(
            f"{path}: {f'no column {missing[0]}' if missing else 'no image'}: published answers "
            f"have {', '.join(COLUMNS)}; give those, or a table that --predictions wrote"
        )
    ids, *numbers = zip(*found, strict=True)
    places, unknown = np.array(numbers, np.float64).T, np.full(len(found), np.nan)
    never = np.zeros(len(found), np.bool_)
    words = (path.stem, "test", f"as published, {path.name}", "not known", "photos", len(found))
    return PredictionTable(
        dict(zip(WORDS, words, strict=True)),
        ids,
        places[:, :2],
        places[:, 2:],
        radius_50_km=unknown,
        radius_90_km=unknown,
        abstained=never,
        unseen=~never,
        candidates=((),) * len(found),
        seconds=unknown,
        holds=unknown,
        log_density=unknown,
    )


def _images(path: Path, rows: csv.DictReader[str]) -> Iterator[Row]:
    """Up to the names of the sums."""
    for row in rows:
        if row["img_id"].startswith(SUMS):
            return
        try:
            lat, lon, said_lat, said_lon = (float(row[name]) for name in COLUMNS[1:])
            on_earth([[lat, lon], [said_lat, said_lon]])
        except (TypeError, ValueError, CoordinateError) as error:
            raise DataError(
                f"{path}: line {rows.line_num}: {row['img_id'][:80]!r} has no two places on Earth "
                f"({error}): correct the row"
            ) from error
        yield row["img_id"], lat, lon, said_lat, said_lon
