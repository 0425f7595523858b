"""Numbers with 95 % intervals: the one bootstrap, how well a score orders places, and reports.

Whole blocks of the Earth are drawn: views of one 10-degree block resemble each other, so a
bootstrap over single views would give intervals that are several times too narrow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import AnyFloats, Floats64, Ints, Ints64

__all__ = [
    "RESAMPLES", "UNKNOWN", "Estimate", "JsonReport", "auc", "block_draws", "block_mean",
    "block_statistic", "columns", "finding", "mean_auc", "rank_correlation", "ranking", "to_json",
    "wilson",
]  # fmt: skip

RESAMPLES, AUC_RESAMPLES = 1000, 100  # an AUC takes a sort
NORMAL_97 = 1.959964  # below which 97.5 % of a standard normal distribution lie
FINDING_WIDTHS = (60, 30, 30)
FEWEST = 10  # places that have, and that lack, a concept; with fewer an AUC means nothing


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: np.floating, resampled: AnyFloats) -> Estimate:
        """A value with the middle 95 % of what it was when resampled, ``[R]``."""
        return cls(float(value), *np.percentile(resampled, [2.5, 97.5]).tolist())

    def text(self, form: str, between: str = "  ") -> str:
        """The number with its interval, as a format has them: "0.139  [0.107, 0.169]"."""
        value, low, high = (format(each, form) for each in astuple(self))
        return f"{value}{between}[{low.strip()}, {high.strip()}]"


UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


def block_mean(values: NDArray[np.generic], blocks: Ints64) -> Estimate:
    """Mean of the values ``[N]`` that aren't NaN, by resampling whole blocks ``[N]``.

    NaN if there are none.
    """
    known = ~np.isnan(values)
    if not known.any():
        return UNKNOWN
    kept = values[known]
    draws, block = block_draws(blocks[known], RESAMPLES)
    sums, counts = np.bincount(block, kept), np.bincount(block)
    return Estimate.of(kept.mean(), sums[draws].sum(axis=1) / counts[draws].sum(axis=1))


def block_statistic(
    statistic: Callable[[Floats64], np.floating], values: Floats64, blocks: Ints64
) -> Estimate:
    """Any statistic of values ``[N]``, on the same draws of blocks ``[N]`` as a mean's.

    Values may also be rows ``[N, c]``, which the statistic takes. NaN if there are none.
    """
    if not len(values):
        return UNKNOWN
    draws, block = block_draws(blocks, RESAMPLES)
    members = [values[block == number] for number in range(draws.shape[1])]
    resampled = [statistic(np.concatenate([members[i] for i in draw])) for draw in draws]
    return Estimate.of(statistic(values), np.array(resampled))


def wilson(count: int, total: int) -> Estimate:
    """A share of independent things, with the score interval of Wilson (1927).

    Unlike a bootstrap it tells of none of a hundred that it could have been some.
    """
    share, weight = count / total, NORMAL_97**2 / total
    middle = (share + weight / 2) / (1 + weight)
    reach = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    return Estimate(share, max(middle - reach, 0.0), min(middle + reach, 1.0))


def block_draws(blocks: Ints64, resamples: int) -> tuple[Ints64, Ints]:
    """Blocks ``[N]`` drawn with replacement, by number ``[R, B]``; the number of each ``[N]``."""
    names, block = np.unique(blocks, return_inverse=True)
    return np.random.default_rng(0).integers(len(names), size=(resamples, len(names))), block


def ranking(truth: AnyFloats, score: AnyFloats, is_degree: bool) -> float:
    """AUC of a class, Spearman correlation of a degree, of vectors ``[N]``.

    Places of unknown truth are left out. NaN if there are no scores, if fewer than ten places have
    the concept, or lack it, or if all are alike.
    """
    known = ~(np.isnan(truth) | np.isnan(score))
    truth, score = truth[known], score[known]
    if not is_degree:
        return auc(truth, score)
    if len(truth) < FEWEST or np.ptp(truth) == 0 or np.ptp(score) == 0:
        return float("nan")
    return rank_correlation(truth, score)


def auc(truth: AnyFloats, score: AnyFloats) -> float:
    """How often of ``[N]`` places one with a concept outscores one without; ties count half."""
    has = truth > 0
    positive, negative = int(has.sum()), int((~has).sum())
    if min(positive, negative) < FEWEST:
        return float("nan")
    above = _ranks(score)[has].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))


def rank_correlation(a: AnyFloats, b: AnyFloats) -> float:
    """Spearman's, of two vectors ``[k]``, in [-1, 1]; 0 if one of them is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def mean_auc(truth: AnyFloats, score: AnyFloats, blocks: Ints64) -> Estimate:
    """Mean AUC over classes ``[N, k]``, by resampling whole blocks ``[N]``.

    Classes that too few places have, or lack, don't count; NaN if none is left.
    """
    draws, block = block_draws(blocks, AUC_RESAMPLES)
    drawn = np.stack([np.bincount(draw, minlength=draws.shape[1]) for draw in draws])[:, block]
    values, resampled = [], []
    for has, by_class in zip(truth.T, score.T, strict=True):
        value = ranking(has, by_class, is_degree=False)
        if not np.isnan(value):
            values.append(value)
            resampled.append(_weighted_aucs(has, by_class, drawn.astype(np.float64)))
    return Estimate.of(np.mean(values), np.nanmean(resampled, axis=0)) if values else UNKNOWN


def _weighted_aucs(truth: AnyFloats, score: AnyFloats, weights: Floats64) -> Floats64:
    """AUC under each weighting ``[R, N]``, ``[R]``; NaN where a draw lacks either kind of place."""
    order = np.argsort(score)
    order = order[~np.isnan(truth[order])]
    has, drawn = truth[order] > 0, weights[:, order]
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


def to_json(value: object) -> str:
    """One JSON object; null for what isn't finite, which JSON has no numbers for."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)


class JsonReport:
    """A dataclass of findings that tells all of itself."""

    __slots__ = ()

    def to_json(self) -> str:
        """Everything, as one JSON object; null for what couldn't be measured."""
        itself: Any = self
        return to_json(asdict(itself))


def columns(widths: Sequence[int], *cells: str) -> str:
    """One line of a table; cells of a negative width end at their right edge."""
    padded = (f"{c:<{w}}" if w > 0 else f"{c:>{-w}}" for w, c in zip(widths, cells, strict=False))
    return "".join(padded).rstrip()


def finding(title: str, *values: str) -> str:
    """One line of a report on explanations."""
    return columns(FINDING_WIDTHS, f"  {title}", *values)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
