"""Accuracy, coverage and abstention from true and predicted positions, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Bools
from geowhy.evaluation.predictions import PredictionTable
from geowhy.evaluation.resampling import Estimate, block_mean, block_statistic
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import distance_km

__all__ = ["Metrics", "measure"]


@dataclass(frozen=True, slots=True)
class Metrics:
    """How well a model does.

    Attributes:
        scored, blocks: images, and 10-degree blocks that hold them.
        recall: share of answers within so many km.
        median_km: median great-circle error.
        coverage_50, coverage_90: share of truths within the stated radii.
        abstained: share of images without an answer.
        answered_recall_750: recall within 750 km among the answered.
    """

    scored: int
    blocks: int
    recall: dict[int, Estimate]
    median_km: Estimate
    coverage_50: Estimate
    coverage_90: Estimate
    abstained: float
    answered_recall_750: float


def measure(
    table: PredictionTable,
    among: Bools | None = None,
    thresholds_km: tuple[int, ...] = (25, 200, 750, 2500),
    seed: int = 0,
) -> Metrics:
    """All metrics of a table, or of the rows ``among`` ``[N]`` of it.

    Abstentions count as answers in everything but ``answered_recall_750``.
    """
    rows = slice(None) if among is None else among
    truth, abstained = table.truth[rows], table.abstained[rows]
    errors, blocks = distance_km(truth, table.answer[rows]), ten_degree_cell(truth)
    answered = errors[~abstained]
    return Metrics(
        scored=len(errors),
        blocks=len(np.unique(blocks)),
        recall={km: block_mean(errors <= km, blocks, seed) for km in thresholds_km},
        median_km=block_statistic(np.median, errors, blocks, seed),
        coverage_50=block_mean(errors <= table.radius_50_km[rows], blocks, seed),
        coverage_90=block_mean(errors <= table.radius_90_km[rows], blocks, seed),
        abstained=float(abstained.mean()),
        answered_recall_750=float((answered <= 750).mean()) if len(answered) else float("nan"),
    )
