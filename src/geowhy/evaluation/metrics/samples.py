"""Whether a set of points is distributed like another: what generative models are measured by.

Precision and recall after Kynkäänniemi et al. (NeurIPS 2019, arXiv 1904.06991), density and
coverage after Naeem et al. (ICML 2020, arXiv 2002.09797), on great-circle distances, as Dufour et
al. (arXiv 2412.06781) have them for answers. Their code means over 20 pieces of the test set in
its order; here the whole set is one piece, so that order doesn't matter and the figures differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.arrays import Floats64, Points
from geowhy.geo.sphere import distance_km

__all__ = ["NEIGHBOURS", "SampleMetrics"]

NEIGHBOURS = 3  # the ball of a point reaches to its third neighbour
ROWS_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class SampleMetrics:
    """Answers as if they were samples of where images are taken; NaN of fewer than five.

    Attributes:
        precision: share of answers in the ball of some truth.
        recall: share of truths in the ball of some answer.
        density: how many balls of truths hold an answer, of three; may exceed 1.
        coverage: share of truths whose ball holds an answer.
        points: how many there were of each.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    points: int

    @classmethod
    def of(cls, truth: Points, answer: Points) -> Self:
        """From degrees ``[N, 2]`` and ``[N, 2]``; takes N² distances three times.

        A point is in a ball if it is nearer than its rim.
        """
        count = len(truth)
        if count < NEIGHBOURS + 2:
            return cls(*(float("nan"),) * 4, count)
        of_truth, of_answer = _rims_km(truth), _rims_km(answer)
        balls = np.zeros(count, np.intp)  # of truths, that hold each answer
        recalled = np.zeros(count, np.bool_)
        covered = np.zeros(count, np.bool_)
        for rows, away_km in _distances(truth, answer):
            held = away_km < of_truth[rows, None]
            balls += held.sum(axis=0)
            covered[rows] = held.any(axis=1)
            recalled[rows] = (away_km < of_answer).any(axis=1)
        return cls(
            precision=float((balls > 0).mean()),
            recall=float(recalled.mean()),
            density=float(balls.mean() / NEIGHBOURS),
            coverage=float(covered.mean()),
            points=count,
        )


def _rims_km(points: Points) -> Floats64:
    """Distance from each point to its third neighbour; the nearest of all is the point itself."""
    rims_km = np.empty(len(points))
    for rows, away_km in _distances(points, points):
        rims_km[rows] = np.partition(away_km, NEIGHBOURS, axis=1)[:, NEIGHBOURS]
    return rims_km


def _distances(first: Points, second: Points) -> Iterator[tuple[slice, Floats64]]:
    for start in range(0, len(first), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        yield rows, distance_km(first[rows, None], second)
