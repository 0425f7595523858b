"""Accuracy, coverage and abstention from true and predicted positions, with intervals.

Views of one 10-degree block resemble each other, so intervals resample whole blocks: a bootstrap
over single views would be several times too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import distance_km

__all__ = ["Answers", "Estimate", "Metrics", "measure"]

Floats = NDArray[np.float64]
Statistic = Callable[[NDArray[np.intp]], float]

RESAMPLES = 1000


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
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


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
    draws = _draws(ten_degree_cell(answers.truth), seed)
    answered = errors[~answers.abstained]

    def share(hits: NDArray[np.bool_]) -> Estimate:
        return _estimate(lambda rows: float(hits[rows].mean()), len(errors), draws)

    return Metrics(
        scored=len(errors),
        blocks=len(np.unique(ten_degree_cell(answers.truth))),
        recall={km: share(errors <= km) for km in thresholds_km},
        median_km=_estimate(lambda rows: float(np.median(errors[rows])), len(errors), draws),
        coverage_50=share(errors <= answers.radius_50_km),
        coverage_90=share(errors <= answers.radius_90_km),
        abstained=float(answers.abstained.mean()),
        answered_recall_750=float((answered <= 750).mean()) if len(answered) else float("nan"),
    )


def _draws(blocks: NDArray[np.int64], seed: int) -> list[NDArray[np.intp]]:
    """Rows of each bootstrap sample: whole blocks, drawn with replacement."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    return [
        np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        for _ in range(RESAMPLES)
    ]


def _estimate(statistic: Statistic, count: int, draws: list[NDArray[np.intp]]) -> Estimate:
    low, high = np.percentile([statistic(rows) for rows in draws], [2.5, 97.5])
    return Estimate(statistic(np.arange(count)), float(low), float(high))
