"""``geowhy evaluate``: measures a model on what was held out of its training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geowhy.evaluation.metrics import Metrics, measure
from geowhy.evaluation.output import JsonReport, columns, with_interval
from geowhy.evaluation.predictions import PredictionTable, predict
from geowhy.evaluation.protocol import held_out
from geowhy.locator import Locator

__all__ = ["EvaluationReport", "evaluate", "predictions_of", "report_of"]


@dataclass(frozen=True, slots=True)
class EvaluationReport(JsonReport):
    """Metrics with the protocol that they belong to.

    Attributes:
        images: what was scored: "views" or "photos".
        expected: how many there are in the split.
        metrics: on all of them that can be read.
        unseen: on those views that share no pixel with any training view; None if that is all
            of them.
    """

    model: str
    split: str
    protocol: str
    gallery: str
    images: str
    expected: int
    metrics: Metrics
    unseen: Metrics | None

    def table(self) -> str:
        """For people: a line a number, with 95 % intervals."""
        m = self.metrics
        parts = [
            f"model     {self.model}",
            f"split     {self.split}: {self.protocol}",
            f"gallery   {self.gallery}",
            f"scored    {m.scored:,} of {self.expected:,} {self.images} in {m.blocks} blocks of "
            "10°",
            "interval  95 %, bootstrap over blocks",
            "",
            *_rows(m),
        ]
        if self.unseen is not None:
            count, blocks = self.unseen.scored, self.unseen.blocks
            parts += [
                "",
                "Of these, the views that share no pixel with any training view: "
                f"{count:,} in {blocks} blocks",
                *_rows(self.unseen),
            ]
        return "\n".join(parts)


def evaluate(model: str, split: str = "test") -> EvaluationReport:
    """Measures a model on the test or validation images of its own training configuration.

    Raises:
        GeowhyError: as `predictions_of` does.
    """
    return report_of(predictions_of(model, split))


def predictions_of(model: str, split: str = "test") -> PredictionTable:
    """What a model says of the test or validation images of its own training configuration.

    Raises:
        ModelNotFoundError: if the model or the Blue Marble isn't installed.
        DataError: if the manifest of its photographs is gone, or another run's.
        MissingExtraError: without the extra ``train``, which reads manifests.
        ConfigError: if the split is neither ``test`` nor ``validation``, or if the model was
            trained on it.
    """
    protocol = held_out(model, split)
    return predict(Locator.from_pretrained(model), protocol)


def report_of(table: PredictionTable) -> EvaluationReport:
    """All numbers of a table of predictions, with nothing else to go by."""
    apart = table.unseen.any() and not table.unseen.all()
    return EvaluationReport(
        **table.about,
        metrics=measure(table),
        unseen=measure(table, table.unseen) if apart else None,
    )


def _rows(m: Metrics) -> list[str]:
    rows = [
        (f"within {km:,} km", with_interval(estimate, "6.1%"))
        for km, estimate in sorted(m.recall.items())
    ]
    rows += [
        ("median error", with_interval(m.median_km, ",.0f", " km  ")),
        ("radius 50 % holds", with_interval(m.coverage_50, "6.1%")),
        ("radius 90 % holds", with_interval(m.coverage_90, "6.1%")),
        ("abstained", f"{m.abstained:6.1%}"),
        ("within 750 km if answered", _answered(m.answered_recall_750)),
    ]
    return [columns((26, 0), *row) for row in rows]


def _answered(share: float) -> str:
    return "  none was answered" if math.isnan(share) else f"{share:6.1%}"
