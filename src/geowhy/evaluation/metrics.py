"""Accuracy, coverage and abstention from true and predicted positions, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.evaluation.resampling import Estimate, block_mean, block_statistic
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import distance_km

__all__ = ["Answers", "Metrics", "measure"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model said of N images whose true positions are known.

    Attributes:
        truth, answer: degrees ``[N, 2]``.
        radius_50_km, radius_90_km: ``[N]``.
        abstained: ``[N]``.
    """

    truth: Floats
    answer: Floats
    radius_50_km: Floats
    radius_90_km: Floats
    abstained: NDArray[np.bool_]

    def only(self, chosen: NDArray[np.bool_]) -> Answers:
        """The answers for some of the images."""
        return Answers(*(getattr(self, name)[chosen] for name in self.__slots__))


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
    answers: Answers, thresholds_km: tuple[int, ...] = (25, 200, 750, 2500), seed: int = 0
) -> Metrics:
    """All metrics; abstentions count as answers in everything but ``answered_recall_750``."""
    errors = distance_km(answers.truth, answers.answer)
    blocks = ten_degree_cell(answers.truth)
    answered = errors[~answers.abstained]

    return Metrics(
        scored=len(errors),
        blocks=len(np.unique(blocks)),
        recall={km: block_mean(errors <= km, blocks, seed) for km in thresholds_km},
        median_km=block_statistic(np.median, errors, blocks, seed),
        coverage_50=block_mean(errors <= answers.radius_50_km, blocks, seed),
        coverage_90=block_mean(errors <= answers.radius_90_km, blocks, seed),
        abstained=float(answers.abstained.mean()),
        answered_recall_750=float((answered <= 750).mean()) if len(answered) else float("nan"),
    )
