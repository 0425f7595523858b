"""Means of what is measured view by view, with intervals by whole blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geowhy.evaluation.metrics import Estimate

__all__ = ["block_mean"]

RESAMPLES = 1000


def block_mean(values: NDArray[np.floating], blocks: NDArray[np.int64], seed: int = 0) -> Estimate:
    """Mean of values ``[N]`` with its 95 % interval, by resampling whole blocks ``[N]``."""
    names, of_value = np.unique(blocks, return_inverse=True)
    sums, counts = np.bincount(of_value, values), np.bincount(of_value)
    draws = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high))
