"""Whether answers lie in the right country and region, and means that give countries one vote each.

Countries and first-level regions are those of the atlas, at 0.1°: within some 10 km of a border
they may be the neighbour's. Figures of others, who use other borders, differ by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.arrays import Floats64, Ints64, Points
from geowhy.evaluation.estimates import RESAMPLES, UNKNOWN, Estimate, block_draws, block_mean
from geowhy.evaluation.metrics.distances import THRESHOLDS_KM
from geowhy.geo.places import Gazetteer

__all__ = ["AreaMetrics", "Areas", "macro_mean", "same_area"]


@dataclass(frozen=True, slots=True)
class Areas:
    """The country and the region of each of N points; empty where there is none."""

    country: tuple[str, ...]  # ISO 3166-1 alpha-2
    region: tuple[str, ...]  # with its country, for two countries may have regions of one name

    @classmethod
    def of(cls, lat_lon: Points) -> Self:
        """Those of degrees ``[N, 2]``; none where they are NaN.

        Raises:
            CoordinateError: if a coordinate is not on Earth.
        """
        known = np.asarray(~np.isnan(lat_lon).any(axis=1))
        gazetteer, points = Gazetteer.load(), lat_lon[known]
        found = iter(zip(gazetteer.country_of(points), gazetteer.region_of(points), strict=True))
        both = [next(found) if is_known else ("", "") for is_known in known.tolist()]
        return cls(
            tuple(country for country, _ in both),
            tuple(f"{region}, {country}" if region else "" for country, region in both),
        )


def same_area(truth: Sequence[str], answer: Sequence[str]) -> Floats64:
    """Whether each answer's name is the truth's, ``[N]``: 1, 0, or NaN where the truth has none."""
    pairs = zip(truth, answer, strict=True)
    return np.array([float(a == b) if a else np.nan for a, b in pairs], np.float64)


def macro_mean(values: Floats64, groups: Sequence[str], blocks: Ints64) -> Estimate:
    """Mean over groups of the mean of values ``[N]`` in each, by resampling blocks ``[N]``.

    Values that are NaN, or belong to no group (an empty name), don't count. NaN if none does. A
    group that a resample didn't draw is left out of it.
    """
    names = np.array(groups, np.str_)
    counts = ~np.isnan(values) & (names != "")
    if not counts.any():
        return UNKNOWN
    group_names, group = np.unique(names[counts], return_inverse=True)
    draws, block = block_draws(blocks[counts], RESAMPLES)
    shape = draws.shape[1], len(group_names)
    place, size = block * shape[1] + group, shape[0] * shape[1]
    totals = np.bincount(place, values[counts], size).reshape(shape)
    members = np.bincount(place, minlength=size).reshape(shape)
    drawn = np.stack([np.bincount(draw, minlength=shape[0]) for draw in draws])
    with np.errstate(invalid="ignore"):
        resampled = np.nanmean((drawn @ totals) / (drawn @ members), axis=1)
    return Estimate.of((totals.sum(axis=0) / members.sum(axis=0)).mean(), resampled)


@dataclass(frozen=True, slots=True)
class AreaMetrics:
    """Shares in the right country and region, and means over the truths' countries."""

    country: Estimate  # share of answers in the truth's country, of truths that lie in one
    region: Estimate  # the same of first-level regions
    in_country: int  # images whose truth lies in a country
    in_region: int
    countries: int  # of the truths
    macro_country: Estimate  # mean over countries of the share in the right one
    macro_recall: dict[int, Estimate]  # mean over countries of the share within so many km

    @classmethod
    def of(cls, truth: Points, answer: Points, error_km: Floats64, blocks: Ints64) -> Self:
        """From degrees ``[N, 2]``, NaN where missing; errors ``[N]``, km; and blocks ``[N]``."""
        there, said = Areas.of(truth), Areas.of(answer)
        country = same_area(there.country, said.country)
        region = same_area(there.region, said.region)
        return cls(
            country=block_mean(country, blocks),
            region=block_mean(region, blocks),
            in_country=int((~np.isnan(country)).sum()),
            in_region=int((~np.isnan(region)).sum()),
            countries=len(set(there.country) - {""}),
            macro_country=macro_mean(country, there.country, blocks),
            macro_recall={
                km: macro_mean((error_km <= km).astype(np.float64), there.country, blocks)
                for km in THRESHOLDS_KM
            },
        )
