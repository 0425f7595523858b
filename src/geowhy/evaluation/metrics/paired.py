"""Whether one of two is better, where both were asked about the same images."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from geowhy.arrays import Floats64, Ints64
from geowhy.evaluation.estimates import Estimate, block_statistic

__all__ = ["mcnemar", "paired_difference"]


def mcnemar(first_only: int, second_only: int) -> float:
    """How probable such a difference, or a larger one, is if both are as often right.

    The exact test of McNemar (1947): of the images that one alone is right about, each side has as
    many as a fair coin gives. Takes images as independent: where they come in clusters, trust the
    interval of `paired_difference`.
    """
    tosses, fewer = first_only + second_only, min(first_only, second_only)
    whole = math.lgamma(tosses + 1) - tosses * math.log(2)
    tail = math.fsum(
        math.exp(whole - math.lgamma(heads + 1) - math.lgamma(tosses - heads + 1))
        for heads in range(fewer + 1)
    )
    return min(1.0, 2 * tail)


def paired_difference(
    statistic: Callable[[Floats64], np.floating], first: Floats64, second: Floats64, blocks: Ints64
) -> Estimate:
    """A statistic of the second's values ``[N]`` less that of the first's, by blocks ``[N]``.

    Both are resampled together, so that what images have in common cancels out. NaN if there are
    none.
    """
    pairs = np.stack([first, second], axis=1)
    return block_statistic(
        lambda rows: statistic(rows[:, 1]) - statistic(rows[:, 0]), pairs, blocks
    )
