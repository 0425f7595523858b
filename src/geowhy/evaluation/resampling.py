"""The one bootstrap: whole blocks of the Earth are drawn, as what lies in one resembles itself.

Views of one 10-degree block resemble each other: a bootstrap over single views would give intervals
that are several times too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import AnyFloats, Floats64, Ints, Ints64

__all__ = ["Estimate", "block_draws", "block_mean", "block_statistic", "interval"]

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def block_mean(values: NDArray[np.generic], blocks: Ints64, seed: int = 0) -> Estimate:
    """Mean of the values ``[N]`` that aren't NaN, by resampling whole blocks ``[N]``.

    NaN if there are none.
    """
    known = ~np.isnan(values)
    if not known.any():
        return Estimate(float("nan"), float("nan"), float("nan"))
    kept = values[known]
    draws, block = block_draws(blocks[known], RESAMPLES, seed)
    sums, counts = np.bincount(block, kept), np.bincount(block)
    return interval(float(kept.mean()), sums[draws].sum(axis=1) / counts[draws].sum(axis=1))


def block_statistic(
    statistic: Callable[[Floats64], np.floating],
    values: Floats64,
    blocks: Ints64,
    seed: int = 0,
) -> Estimate:
    """Any statistic of values ``[N]``, on the same draws of blocks ``[N]`` as a mean's."""
    draws, block = block_draws(blocks, RESAMPLES, seed)
    members = [values[block == number] for number in range(draws.shape[1])]
    resampled = [float(statistic(np.concatenate([members[i] for i in draw]))) for draw in draws]
    return interval(float(statistic(values)), np.array(resampled))


def block_draws(blocks: NDArray[np.integer], resamples: int, seed: int = 0) -> tuple[Ints64, Ints]:
    """Blocks drawn with replacement, by number ``[resamples, B]``; the number of each ``[N]``."""
    names, block = np.unique(blocks, return_inverse=True)
    draws = np.random.default_rng(seed).integers(len(names), size=(resamples, len(names)))
    return draws, block


def interval(value: float, resampled: AnyFloats) -> Estimate:
    """A value with the middle 95 % of what it was when resampled, ``[R]``."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Estimate(value, float(low), float(high))
