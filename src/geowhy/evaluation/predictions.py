"""What a model said of every image of a protocol: a table that numbers are measured from.

On disk it is parquet, one image a row, so that whoever doubts a number can measure it again.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from geowhy.arrays import Bools, Floats64
from geowhy.errors import DataError, MissingExtraError
from geowhy.evaluation.protocol import Protocol
from geowhy.locator import Locator

__all__ = ["PredictionTable", "predict"]

ABOUT = b"geowhy"  # the key of the words that belong to the table
WORDS = ("model", "split", "protocol", "gallery", "images")

Candidates = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class PredictionTable:
    """Answers of a model to the N images that could be read.

    Attributes:
        about: model, split, protocol, gallery, images and expected, in words and numbers.
        ids: of each image.
        truth, answer: degrees ``[N, 2]``.
        radius_50_km, radius_90_km: ``[N]``.
        abstained: ``[N]``.
        unseen: which share no pixel with any training image, ``[N]``.
        candidates: latitude, longitude and mass of each place between which the model chose.
        seconds: that each took, ``[N]``; the mean of those that were read with it.
    """

    about: dict[str, Any]
    ids: tuple[str, ...]
    truth: Floats64
    answer: Floats64
    radius_50_km: Floats64
    radius_90_km: Floats64
    abstained: Bools
    unseen: Bools
    candidates: tuple[Candidates, ...]
    seconds: Floats64

    def save(self, path: Path) -> None:
        """Writes parquet.

        Raises:
            MissingExtraError: without the extra ``train``.
            DataError: if the file can't be written.
        """
        arrow, parquet = _parquet()
        columns = {
            "id": list(self.ids),
            "truth_lat": self.truth[:, 0],
            "truth_lon": self.truth[:, 1],
            "answer_lat": self.answer[:, 0],
            "answer_lon": self.answer[:, 1],
            "candidates": [[list(each) for each in some] for some in self.candidates],
            "radius_50_km": self.radius_50_km,
            "radius_90_km": self.radius_90_km,
            "abstained": self.abstained,
            "unseen": self.unseen,
            "seconds": self.seconds,
        }
        table = arrow.table(columns).replace_schema_metadata({ABOUT: json.dumps(self.about)})
        try:
            parquet.write_table(table, path)
        except OSError as error:
            raise DataError(f"{path}: can't be written ({error}): choose another file") from error

    @classmethod
    def load(cls, path: Path) -> PredictionTable:
        """Reads what ``save`` wrote.

        Raises:
            MissingExtraError: without the extra ``train``.
            DataError: if the file is missing, or isn't such a table.
        """
        arrow, parquet = _parquet()
        try:
            table = parquet.read_table(path)
            about = json.loads(table.schema.metadata[ABOUT])
            column = {name: table[name].to_pylist() for name in table.column_names}
            truth, answer = (
                np.array([column[f"{kind}_lat"], column[f"{kind}_lon"]], np.float64).T
                for kind in ("truth", "answer")
            )
            return cls(
                {key: about[key] for key in (*WORDS, "expected")},
                tuple(column["id"]),
                truth,
                answer,
                np.array(column["radius_50_km"], np.float64),
                np.array(column["radius_90_km"], np.float64),
                np.array(column["abstained"], bool),
                np.array(column["unseen"], bool),
                tuple(tuple(map(tuple, some)) for some in column["candidates"]),
                np.array(column["seconds"], np.float64),
            )
        except (OSError, KeyError, TypeError, ValueError, arrow.ArrowException) as error:
            raise DataError(
                f"{path}: isn't a table of predictions ({error}): give a file that geowhy "
                "evaluate MODEL --predictions FILE wrote"
            ) from error


def predict(locator: Locator, protocol: Protocol) -> PredictionTable:
    """Locates every image of a protocol; those that can't be read any more are left out.

    Raises:
        DataError: if not one can be read.
    """
    rows, decoded, seconds = [], [], []
    for batch in protocol.batches():
        began = time.perf_counter()
        decoded += locator.engine.decode(list(batch.values()), top_k=1) if batch else []
        seconds += [(time.perf_counter() - began) / max(1, len(batch))] * len(batch)
        rows += list(batch)
    if not rows:
        raise DataError(
            f"not one of the {len(protocol.ids):,} held-out {protocol.images} can be read: "
            f"{next(iter(protocol.ids), 'there are none')}"
        )
    gallery = f"{len(locator.engine.gallery.lat_lon):,} {protocol.gallery}"
    words = (locator.name, protocol.split, protocol.name, gallery, protocol.images)
    return PredictionTable(
        dict(zip(WORDS, words, strict=True)) | {"expected": protocol.expected},
        tuple(protocol.ids[row] for row in rows),
        protocol.truth[rows],
        np.array([d.estimate.lat_lon for d in decoded]),
        np.array([d.radius_50_km for d in decoded]),
        np.array([d.radius_90_km for d in decoded]),
        np.array([d.abstention is not None for d in decoded]),
        protocol.unseen[rows],
        tuple(tuple((*m.lat_lon, m.probability) for m in d.estimate.modes) for d in decoded),
        np.array(seconds),
    )


def _parquet() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "a table of predictions") from error
    return pyarrow, parquet
