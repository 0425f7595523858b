"""How well a score orders places by the truth of a concept."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import AnyFloats, Floats32, Floats64
from geowhy.evaluation.resampling import Estimate, block_draws, interval

__all__ = [
    "Ranking",
    "auc",
    "mean_with_interval",
    "rank_correlation",
    "ranking",
    "resampled_weights",
    "spearman",
]

Ranking = Literal["AUC", "Spearman"]

FEWEST = 10  # places that have, and that lack, a concept; with fewer an AUC means nothing
RESAMPLES = 100  # an AUC takes a sort


def ranking(truth: AnyFloats, score: AnyFloats, is_degree: bool) -> float:
    """AUC of a class, Spearman correlation of a degree, of vectors ``[N]``.

    Places of unknown truth are left out. NaN if there are no scores, if fewer than ten places have
    the concept, or lack it, or if all are alike.
    """
    known = ~(np.isnan(truth) | np.isnan(score))
    measure = spearman if is_degree else auc
    return measure(truth[known], score[known])


def auc(truth: AnyFloats, score: AnyFloats) -> float:
    """How often of ``[N]`` places one with a concept outscores one without; ties count half."""
    has = truth > 0
    positive, negative = int(has.sum()), int((~has).sum())
    if min(positive, negative) < FEWEST:
        return float("nan")
    above = _ranks(score)[has].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))


def spearman(truth: AnyFloats, score: AnyFloats) -> float:
    """Correlation of ranks of vectors ``[N]``; NaN of too few places, or of those all alike."""
    if len(truth) < FEWEST or np.ptp(truth) == 0 or np.ptp(score) == 0:
        return float("nan")
    return rank_correlation(truth, score)


def rank_correlation(a: AnyFloats, b: AnyFloats) -> float:
    """Spearman's, of two vectors ``[k]``, in [-1, 1]; 0 if one of them is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def resampled_weights(blocks: NDArray[np.integer], seed: int = 0) -> Floats32:
    """How often each place is drawn when whole blocks are drawn with replacement, ``[R, N]``."""
    draws, block = block_draws(blocks, RESAMPLES, seed)
    counts = np.stack([np.bincount(draw, minlength=draws.shape[1]) for draw in draws])
    return counts.astype(np.float32)[:, block]


def mean_with_interval(truth: AnyFloats, score: AnyFloats, weights: Floats32) -> Estimate:
    """Mean AUC over classes ``[N, k]``, and its 95 % interval over weightings ``[R, N]``.

    Classes that too few places have, or lack, don't count.
    """
    values, resampled = [], []
    for has, by_class in zip(truth.T, score.T, strict=True):
        value = ranking(has, by_class, is_degree=False)
        if not np.isnan(value):
            values.append(value)
            resampled.append(_weighted_aucs(has, by_class, weights))
    if not values:
        return Estimate(*[float("nan")] * 3)
    return interval(float(np.mean(values)), np.nanmean(resampled, axis=0))


def _weighted_aucs(truth: AnyFloats, score: AnyFloats, weights: Floats32) -> AnyFloats:
    """AUC under each weighting, ``[R]``; NaN where a draw lacks either kind of place."""
    order = np.argsort(score)
    order = order[~np.isnan(truth[order])]
    has = truth[order] > 0
    drawn = weights[:, order].astype(np.float64)
    positive, negative = drawn * has, drawn * ~has
    below = np.cumsum(negative, axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((positive * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan))


def _ranks(values: AnyFloats) -> Floats64:
    """Ranks from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray(((last - counts + 1 + last) / 2)[place], np.float64)
