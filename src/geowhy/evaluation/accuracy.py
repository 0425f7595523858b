"""``geowhy evaluate``: measures a model on what was held out of its training.

All numbers come from a table of what it said of every image. On disk that is parquet, one image a
row, so that whoever doubts a number can measure it again.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from geowhy.arrays import Bools, Floats64
from geowhy.errors import DataError, MissingExtraError
from geowhy.evaluation.estimates import Estimate, JsonReport, block_mean, block_statistic, columns
from geowhy.evaluation.protocol import held_out
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import distance_km
from geowhy.locator import Locator

__all__ = ["EvaluationReport", "Metrics", "PredictionTable", "predictions_of"]

ABOUT = b"geowhy"  # the key of the words that belong to the table
WORDS = ("model", "split", "protocol", "gallery", "images", "expected")
NUMBERS: dict[str, Any] = {  # columns as they stand, and their types
    "radius_50_km": np.float64,
    "radius_90_km": np.float64,
    "abstained": np.bool_,
    "unseen": np.bool_,
    "seconds": np.float64,
}

Candidates = tuple[tuple[float, float, float], ...]  # latitude, longitude and mass of each


@dataclass(frozen=True, slots=True)
class Metrics:
    """How well a model does."""

    scored: int  # images
    blocks: int  # of 10 degrees that hold them
    recall: dict[int, Estimate]  # share of answers within so many km
    median_km: Estimate  # great-circle error
    coverage_50: Estimate  # share of truths within the stated radii
    coverage_90: Estimate
    abstained: float  # share of images without an answer, which count in all but the last
    answered_recall_750: float  # recall within 750 km among the answered

    def rows(self) -> list[str]:
        """For people: a line a number."""
        share = self.answered_recall_750
        answered = "  none was answered" if math.isnan(share) else f"{share:6.1%}"
        rows = {
            f"within {km:,} km": estimate.text("6.1%")
            for km, estimate in sorted(self.recall.items())
        } | {
            "median error": self.median_km.text(",.0f", " km  "),
            "radius 50 % holds": self.coverage_50.text("6.1%"),
            "radius 90 % holds": self.coverage_90.text("6.1%"),
            "abstained": f"{self.abstained:6.1%}",
            "within 750 km if answered": answered,
        }
        return [columns((26, 0), *row) for row in rows.items()]


@dataclass(frozen=True, slots=True)
class EvaluationReport(JsonReport):
    """Metrics with the protocol that they belong to."""

    model: str
    split: str
    protocol: str
    gallery: str
    images: str  # what was scored: "views" or "photos"
    expected: int  # how many there are in the split
    metrics: Metrics  # on all of them that can be read
    unseen: Metrics | None  # on views that share no pixel with a training view; None if all do

    def table(self) -> str:
        """For people: a line a number, with 95 % intervals."""
        m = self.metrics
        lines = [
            f"model     {self.model}",
            f"split     {self.split}: {self.protocol}",
            f"gallery   {self.gallery}",
            f"scored    {m.scored:,} of {self.expected:,} {self.images} in {m.blocks} blocks of "
            "10°",
            "interval  95 %, bootstrap over blocks",
            "",
            *m.rows(),
        ]
        if self.unseen is not None:
            lines += [
                "",
                "Of these, the views that share no pixel with any training view: "
                f"{self.unseen.scored:,} in {self.unseen.blocks} blocks",
                *self.unseen.rows(),
            ]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, eq=False)
class PredictionTable:
    """Answers of a model to the N images that could be read."""

    about: dict[str, Any]  # by `WORDS`
    ids: tuple[str, ...]
    truth: Floats64  # degrees [N, 2]
    answer: Floats64  # [N, 2]
    radius_50_km: Floats64  # [N]
    radius_90_km: Floats64  # [N]
    abstained: Bools  # [N]
    unseen: Bools  # which share no pixel with any training image, [N]
    candidates: tuple[Candidates, ...]  # between which the model chose
    seconds: Floats64  # that each took, [N]; the mean of those that were read with it

    def report(self) -> EvaluationReport:
        """All numbers, with nothing else to go by."""
        apart = self.unseen.any() and not self.unseen.all()
        return EvaluationReport(
            **self.about,
            metrics=self.measure(),
            unseen=self.measure(self.unseen) if apart else None,
        )

    def measure(self, among: Bools | None = None) -> Metrics:
        """All metrics, or those of the rows ``among`` ``[N]``."""
        rows = slice(None) if among is None else among
        truth, abstained = self.truth[rows], self.abstained[rows]
        errors, blocks = distance_km(truth, self.answer[rows]), ten_degree_cell(truth)
        answered = errors[~abstained]
        return Metrics(
            scored=len(errors),
            blocks=len(np.unique(blocks)),
            recall={km: block_mean(errors <= km, blocks) for km in (25, 200, 750, 2500)},
            median_km=block_statistic(np.median, errors, blocks),
            coverage_50=block_mean(errors <= self.radius_50_km[rows], blocks),
            coverage_90=block_mean(errors <= self.radius_90_km[rows], blocks),
            abstained=float(abstained.mean()),
            answered_recall_750=float((answered <= 750).mean()) if len(answered) else float("nan"),
        )

    def save(self, path: Path) -> None:
        """Writes parquet.

        Raises:
            MissingExtraError: without the extra ``train``.
            DataError: if the file can't be written.
        """
        arrow, parquet = _parquet()
        content = {
            "id": list(self.ids),
            "truth_lat": self.truth[:, 0],
            "truth_lon": self.truth[:, 1],
            "answer_lat": self.answer[:, 0],
            "answer_lon": self.answer[:, 1],
            "candidates": [[list(each) for each in some] for some in self.candidates],
            **{name: getattr(self, name) for name in NUMBERS},
        }
        table = arrow.table(content).replace_schema_metadata({ABOUT: json.dumps(self.about)})
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
            return cls(
                {key: about[key] for key in WORDS},
                tuple(column["id"]),
                np.array([column["truth_lat"], column["truth_lon"]], np.float64).T,
                np.array([column["answer_lat"], column["answer_lon"]], np.float64).T,
                candidates=tuple(tuple(map(tuple, some)) for some in column["candidates"]),
                **{name: np.array(column[name], kind) for name, kind in NUMBERS.items()},
            )
        except (OSError, KeyError, TypeError, ValueError, arrow.ArrowException) as error:
            raise DataError(
                f"{path}: isn't a table of predictions ({error}): give a file that geowhy "
                "evaluate MODEL --predictions FILE wrote"
            ) from error


def predictions_of(model: str, split: str = "test") -> PredictionTable:
    """What a model says of the test or validation images of its own training configuration.

    Those that can't be read any more are left out.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        DataError: if not one image can be read, or if the manifest of its photographs is gone, or
            another run's.
        MissingExtraError: without the extra ``train``, which reads manifests.
        ConfigError: if the split is neither ``test`` nor ``validation``, or if the model was
            trained on it.
    """
    protocol = held_out(model, split)
    locator = Locator.from_pretrained(model)
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
    points = len(locator.engine.gallery.lat_lon)
    gallery = f"{points:,} points uniform on the land of the whole Earth"
    words = (locator.name, split, protocol.name, gallery, protocol.images, protocol.expected)
    return PredictionTable(
        dict(zip(WORDS, words, strict=True)),
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
