"""Fits what concept scores promise: a logistic curve for each concept."""

from __future__ import annotations

import numpy as np

from geowhy.arrays import Floats32
from geowhy.orbit.concepts import Statements

__all__ = ["fit_statements"]

NEWTON_STEPS = 30
LONGEST_STEP = 1.0
STEEPNESS_RIDGE = 1.0  # a curve that hardly any picture supports stays flat
LEAST_WEIGHT = 1e-9


def fit_statements(scores: Floats32, holds: Floats32) -> Statements:
    """The likeliest curve of each concept, from ``z_img`` and the truth of N pictures ``[N, k]``.

    The truth is 1, 0 or NaN. Ones and zeros count as a little less than sure (Platt 1999, section
    2.2), and no curve falls.
    """
    known = ~np.isnan(holds)
    z = np.where(known, scores, 0).astype(np.float64)
    ones = np.where(known, holds, 0).sum(axis=0)
    zeros = known.sum(axis=0) - ones
    target = np.where(holds > 0, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    slope, offset = np.zeros(z.shape[1]), np.log((ones + 1) / (zeros + 1))
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-(z * slope + offset)))
        error, weight = known * (p - target), known * p * (1 - p) + LEAST_WEIGHT
        to_slope, to_offset = (error * z).sum(axis=0) + STEEPNESS_RIDGE * slope, error.sum(axis=0)
        a, b, c = (weight * z * z).sum(0) + STEEPNESS_RIDGE, (weight * z).sum(0), weight.sum(0)
        steps = np.stack([c * to_slope - b * to_offset, a * to_offset - b * to_slope])
        steps = np.clip(steps / (a * c - b * b), -LONGEST_STEP, LONGEST_STEP)
        slope, offset = np.maximum(slope - steps[0], 0), offset - steps[1]
    return Statements(slope.astype(np.float32), offset.astype(np.float32))
