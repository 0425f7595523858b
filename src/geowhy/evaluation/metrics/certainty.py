"""Whether stated probabilities are right: log-likelihood of the truth, and calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.arrays import Floats64, Ints64
from geowhy.evaluation.estimates import Estimate, block_mean, block_statistic

__all__ = ["CertaintyMetrics", "calibration_error"]

BINS = 10


def calibration_error(stated: Floats64, happened: Floats64) -> float:
    """Expected calibration error of stated probabilities ``[N]``, in [0, 1].

    Of ten bins of equal width, the mean distance between what was stated and how often it happened
    (1 or 0, ``[N]``), by how many are in each: Naeini, Cooper and Hauskrecht, AAAI 2015. NaN if
    there are none.
    """
    if not len(stated):
        return float("nan")
    number = np.minimum((stated * BINS).astype(np.intp), BINS - 1)
    return float(np.abs(np.bincount(number, stated - happened)).sum() / len(stated))


@dataclass(frozen=True, slots=True)
class CertaintyMetrics:
    """Of the images for which a table has what it takes."""

    nll: Estimate  # mean of −log p at the truth, nats, p per steradian; uniform on Earth: 2.531
    calibration_error: Estimate  # of the probability that the truth lies where the answer does
    with_density: int  # images
    with_probability: int

    @classmethod
    def of(
        cls, log_density: Floats64, probability: Floats64, holds: Floats64, blocks: Ints64
    ) -> Self:
        """From what was stated of images, and their blocks, each ``[N]``; NaN where it wasn't.

        Args:
            log_density: natural logarithm of the density at the truth, per steradian.
            probability: of the region of the answer.
            holds: whether the truth lies there, 1 or 0.
            blocks: of the truths.
        """
        stated = ~(np.isnan(probability) | np.isnan(holds))
        pairs = np.stack([probability, holds], axis=1)[stated]
        error = block_statistic(
            lambda rows: np.float64(calibration_error(*rows.T)), pairs, blocks[stated]
        )
        counts = int((~np.isnan(log_density)).sum()), int(stated.sum())
        return cls(block_mean(-log_density, blocks), error, *counts)
