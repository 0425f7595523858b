"""How right the surest answers are: the curve of risk by coverage.

Of answers that are equally sure nobody can tell which come first: each counts as their mean, so
that the order of a table doesn't matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from geowhy.arrays import Bools, Floats64, Ints64
from geowhy.evaluation.estimates import Estimate, block_statistic

__all__ = ["SURE_SHARES", "SelectiveMetrics", "risk_area", "selective_accuracy", "surest_right"]

SURE_SHARES = (0.1, 0.25, 0.5)


def surest_right(sureness: Floats64, right: Floats64) -> Floats64:
    """Share that is right (1 or 0, ``[N]``) among the 1, 2, … N surest, ``[N]``."""
    _, group, counts = np.unique(-sureness, return_inverse=True, return_counts=True)
    means = np.bincount(group, right) / counts
    return np.asarray(np.cumsum(np.repeat(means, counts)) / np.arange(1, len(right) + 1))


def selective_accuracy(sureness: Floats64, right: Floats64, share: float) -> float:
    """Share that is right (``[N]``) among the surest ``share`` of ``[N]``; NaN if there are none.

    As many as it takes to have that share: of eleven, two are the surest tenth.
    """
    if not len(right):
        return float("nan")
    most = math.ceil(share * len(right) - 1e-9)  # for products that come out a hair above
    return float(surest_right(sureness, right)[most - 1])


def risk_area(sureness: Floats64, right: Floats64) -> float:
    """Area under the curve of risk by coverage, of vectors ``[N]``, in [0, 1]; NaN if empty.

    The mean over k of the share that is wrong among the k surest: AURC of Geifman, Uziel and
    El-Yaniv (ICLR 2019). Lower is better; a sureness that says nothing has the error rate itself.
    """
    return float(1 - surest_right(sureness, right).mean()) if len(right) else float("nan")


@dataclass(frozen=True, slots=True)
class SelectiveMetrics:
    """What "right" and "sure" mean is up to who measures."""

    accuracy: dict[float, Estimate]  # among so large a share, the surest
    risk_area: Estimate

    @classmethod
    def of(cls, sureness: Floats64, right: Bools, blocks: Ints64) -> Self:
        """From how sure and whether right, and blocks, each ``[N]``."""
        rows = np.stack([sureness, right.astype(np.float64)], axis=1)
        return cls(
            {
                share: block_statistic(partial(_accuracy, share=share), rows, blocks)
                for share in SURE_SHARES
            },
            block_statistic(lambda drawn: np.float64(risk_area(*drawn.T)), rows, blocks),
        )


def _accuracy(rows: Floats64, share: float) -> np.float64:
    sureness, right = rows.T
    return np.float64(selective_accuracy(sureness, right, share))
