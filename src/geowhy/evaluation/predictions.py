"""What a model said of every image, as a table, from which all numbers are measured.

On disk that is parquet, one image a row, so that whoever doubts a number can measure it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from geowhy.arrays import Bools, Floats64, Points, Rows
from geowhy.errors import DataError, MissingExtraError
from geowhy.evaluation.estimates import JsonReport
from geowhy.evaluation.metrics.outcomes import Missing, Outcomes
from geowhy.evaluation.metrics.summary import Metrics, missing_words

__all__ = ["EvaluationReport", "PredictionTable"]

ABOUT = b"geowhy"  # the key of the words that belong to the table
WORDS = ("model", "split", "protocol", "gallery", "images", "expected")
NUMBERS: dict[str, tuple[Any, Any]] = {  # columns as they stand: types, and what is missing
    "radius_50_km": (np.float64, np.nan),
    "radius_90_km": (np.float64, np.nan),
    "abstained": (np.bool_, False),
    "unseen": (np.bool_, False),
    "seconds": (np.float64, np.nan),
    "holds": (np.float64, np.nan),
    "log_density": (np.float64, np.nan),
}
LATER = ("holds", "log_density")  # which tables written before they came don't have

Candidates = tuple[tuple[float, float, float], ...]  # latitude, longitude and mass of each


@dataclass(frozen=True, slots=True)
class EvaluationReport(JsonReport):
    """Metrics with the protocol that they belong to."""

    model: str
    split: str
    protocol: str
    gallery: str
    images: str  # what was scored: "views" or "photos"
    expected: int  # how many there are in the split
    metrics: Metrics  # on all of them
    unseen: Metrics | None  # on views that share no pixel with a training view; None if all do

    def table(self) -> str:
        """For people: a line a number, with 95 % intervals."""
        m = self.metrics
        lines = [
            f"model     {self.model}",
            f"split     {self.split}: {self.protocol}",
            f"gallery   {self.gallery}",
            f"scored    {m.scored:,} of {m.expected:,} {self.images} in {m.blocks} blocks of "
            f"10°{missing_words(m.expected - m.scored, m.missing)}",
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
    """Answers of a model to N listed images; those that couldn't be read have none (NaN).

    More images may be expected than are listed.
    """

    about: dict[str, Any]  # by `WORDS`
    ids: tuple[str, ...]
    truth: Points  # degrees [N, 2]
    answer: Points  # [N, 2]
    radius_50_km: Floats64  # [N]
    radius_90_km: Floats64  # [N]
    abstained: Bools  # [N]
    unseen: Bools  # which share no pixel with any training image, [N]
    candidates: tuple[Candidates, ...]  # between which the model chose; the first is the answer
    seconds: Floats64  # that each took, [N]; the mean of those that were read with it
    holds: Floats64  # whether the truth lies in the region of the first candidate, 1 or 0, [N]
    log_density: Floats64  # at the truth, natural logarithm, per steradian [N]

    @property
    def expected(self) -> int:
        """How many images were to be scored."""
        return max(int(self.about.get("expected", 0)), len(self.ids))

    @property
    def outcomes(self) -> Outcomes:
        """What came of each of the listed images."""
        masses = (some[0][2] if some else np.nan for some in self.candidates)
        return Outcomes(
            self.truth,
            self.answer,
            self.abstained,
            self.radius_50_km,
            self.radius_90_km,
            np.fromiter(masses, np.float64, len(self.ids)),
            self.holds,
            self.log_density,
        )

    def report(self, missing: Missing = "wrong") -> EvaluationReport:
        """All numbers, with nothing else to go by; missing images count as wrong unless told."""
        apart = self.unseen.any() and not self.unseen.all()
        return EvaluationReport(
            **self.about,
            metrics=self.measure(missing),
            unseen=Metrics.of(self.outcomes.rows(self.unseen), missing) if apart else None,
        )

    def measure(self, missing: Missing = "wrong") -> Metrics:
        """All metrics of all expected images."""
        unlisted = self.expected - len(self.ids)
        return Metrics.of(self.outcomes.with_missing(unlisted), missing)

    def placed(self, rows: Rows, ids: tuple[str, ...], truth: Points) -> PredictionTable:
        """Rows ``[M]`` of this one as a table of images ``[M]``; −1 for those that it lacks."""
        lacks = rows < 0
        columns = {
            name: np.where(lacks, empty, np.append(getattr(self, name), empty)[rows]).astype(kind)
            for name, (kind, empty) in NUMBERS.items()
        }
        answer = np.concatenate([self.answer, np.full((1, 2), np.nan)])[rows]
        candidates = (*self.candidates, ())
        chosen = tuple(candidates[row] for row in rows.tolist())
        return PredictionTable(self.about, ids, truth, answer, candidates=chosen, **columns)

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
        """Reads what ``save`` wrote, now or before tables had all of today's columns.

        Raises:
            MissingExtraError: without the extra ``train``.
            DataError: if the file is missing, or isn't such a table.
        """
        arrow, parquet = _parquet()
        try:
            table = parquet.read_table(path)
            about = json.loads(table.schema.metadata[ABOUT])
            column = {name: table[name].to_pylist() for name in table.column_names}
            for name in LATER:
                column.setdefault(name, [np.nan] * len(column["id"]))
            return cls(
                {key: about[key] for key in WORDS},
                tuple(column["id"]),
                np.array([column["truth_lat"], column["truth_lon"]], np.float64).T,
                np.array([column["answer_lat"], column["answer_lon"]], np.float64).T,
                candidates=tuple(tuple(map(tuple, some)) for some in column["candidates"]),
                **{name: np.array(column[name], kind) for name, (kind, _) in NUMBERS.items()},
            )
        except (OSError, KeyError, TypeError, ValueError, arrow.ArrowException) as error:
            raise DataError(
                f"{path}: isn't a table of predictions ({error}): give a file that geowhy "
                "evaluate MODEL --predictions FILE wrote"
            ) from error


def _parquet() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "a table of predictions") from error
    return pyarrow, parquet
