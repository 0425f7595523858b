"""``geowhy evaluate --from TABLE --against TABLE``: which of two is better, image by image.

Differences are taken on the same images, so that what makes an image hard for both cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Bools, Floats64, Points
from geowhy.errors import DataError
from geowhy.evaluation.estimates import Estimate, JsonReport, columns
from geowhy.evaluation.metrics.areas import Areas, same_area
from geowhy.evaluation.metrics.distances import THRESHOLDS_KM, geoscore
from geowhy.evaluation.metrics.outcomes import Missing, Outcomes
from geowhy.evaluation.metrics.paired import mcnemar, paired_difference
from geowhy.evaluation.metrics.summary import missing_words
from geowhy.evaluation.predictions import PredictionTable

__all__ = ["ComparisonReport", "PairedShare", "PairedValue", "compare"]

SAME_PLACE_DEG = 1e-6
WIDTHS = (17, -8, -8, -25, -17, -9)

Statistic = Callable[[Floats64], np.floating]


@dataclass(frozen=True, slots=True)
class PairedShare:
    """How often each is right in one sense."""

    name: str
    first: float
    second: float
    difference: Estimate  # the second's less the first's, bootstrap over blocks
    first_only: int  # images that the first alone is right about
    second_only: int
    p_value: float  # of McNemar's exact test
    scored: int  # images that it is of and that both were scored on


@dataclass(frozen=True, slots=True)
class PairedValue:
    """What a number is for each."""

    name: str
    first: float
    second: float
    difference: Estimate  # the second's less the first's, bootstrap over blocks
    scored: int  # images that it is of and that both were scored on


@dataclass(frozen=True, slots=True)
class ComparisonReport(JsonReport):
    """Two tables of predictions of the same images."""

    first: str  # models
    second: str
    protocol: str
    images: str  # "views" or "photos"
    scored: int  # images that both were scored on
    expected: int
    first_missing: int
    second_missing: int
    missing: Missing  # what those count as; left out are images that either lacks
    shares: tuple[PairedShare, ...]
    values: tuple[PairedValue, ...]

    def table(self) -> str:
        """For people: a line a number."""
        head = ("", "first", "second", "difference, 95 %", "one alone right", "p")
        return "\n".join(
            [
                f"first     {self.first}{missing_words(self.first_missing, self.missing)}",
                f"second    {self.second}{missing_words(self.second_missing, self.missing)}",
                f"images    {self.scored:,} {self.images} scored by both of {self.expected:,} "
                f"expected; {self.protocol}",
                "interval  of the second's less the first's, paired bootstrap over blocks of 10°",
                "p         McNemar's exact test, which takes images as independent",
                "",
                columns(WIDTHS, *head),
                *self._lines(),
            ]
        )

    def _lines(self) -> Iterator[str]:
        for share in self.shares:
            difference = share.difference.text("+.1%", " ")
            alone = f"{share.first_only:,} and {share.second_only:,}"
            own = f"{share.first:.1%}", f"{share.second:.1%}"
            yield self._line(share, *own, difference, alone, f"{share.p_value:.2g}")
        for value in self.values:
            difference = value.difference.text("+,.0f", " ")
            own = f"{value.first:,.0f}", f"{value.second:,.0f}"
            yield self._line(value, *own, difference, "", "")

    def _line(self, found: PairedShare | PairedValue, *cells: str) -> str:
        count = f"  {found.scored:,} scored of {self.expected:,} expected"
        if self.first_missing or self.second_missing:
            count += ", missing wrong" if self.missing == "wrong" else ", missing left out"
        return columns((*WIDTHS, 0), found.name, *cells, count)


def compare(
    first: PredictionTable, second: PredictionTable, missing: Missing = "wrong"
) -> ComparisonReport:
    """Two models on the same images; ``missing`` says what those without an answer count as.

    Left out is an image that either model lacks.

    Raises:
        DataError: if the tables aren't of the same images.
    """
    one, other = _aligned(first, second)
    pair = _Pair(one, other)
    if missing == "left-out":
        pair = pair.rows(pair.scored)
    return ComparisonReport(
        str(first.about.get("model", "")),
        str(second.about.get("model", "")),
        str(first.about.get("protocol", "")),
        str(first.about.get("images", "images")),
        int((one.scored & other.scored).sum()),
        len(one),
        int((~one.scored).sum()),
        int((~other.scored).sum()),
        missing,
        tuple(pair.shares()),
        tuple(pair.values()),
    )


def _aligned(first: PredictionTable, second: PredictionTable) -> tuple[Outcomes, Outcomes]:
    """What came of all images that either lists, in one order, and of those expected beyond."""
    if first.expected != second.expected:
        raise DataError(
            f"one table is of {first.expected:,} expected images and the other of "
            f"{second.expected:,}: compare tables of the same protocol"
        )
    places = [dict(zip(table.ids, range(len(table.ids)), strict=True)) for table in (first, second)]
    ids = tuple(sorted(places[0].keys() | places[1].keys()))
    rows = [np.array([place.get(each, -1) for each in ids], np.intp) for place in places]
    _check_truth(first.truth[rows[0]], second.truth[rows[1]], (rows[0] >= 0) & (rows[1] >= 0), ids)
    truth = np.where((rows[0] >= 0)[:, None], first.truth[rows[0]], second.truth[rows[1]])
    one, other = (
        table.placed(row, ids, truth).outcomes.with_missing(max(0, table.expected - len(ids)))
        for table, row in zip((first, second), rows, strict=True)
    )
    return one, other


def _check_truth(first: Points, second: Points, both: Bools, ids: tuple[str, ...]) -> None:
    if not both.any():
        raise DataError(
            "the tables have no image in common, by their ids: compare tables of the same protocol"
        )
    apart = both & (np.abs(first - second) > SAME_PLACE_DEG).any(axis=1)
    if apart.any():
        row = int(apart.argmax())
        raise DataError(
            f"{ids[row]}: is at {first[row].tolist()} in one table and at {second[row].tolist()} "
            f"in the other, as are {int(apart.sum()) - 1:,} more: compare tables of the same images"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """What came of the same images twice."""

    first: Outcomes
    second: Outcomes

    @property
    def scored(self) -> Bools:
        return self.first.scored & self.second.scored

    def rows(self, chosen: Bools) -> _Pair:
        return _Pair(self.first.rows(chosen), self.second.rows(chosen))

    def shares(self) -> Iterator[PairedShare]:
        first_km, second_km = self.first.error_km, self.second.error_km
        every = np.ones(len(first_km), np.bool_)
        for km in THRESHOLDS_KM:
            yield self._share(f"within {km:,} km", first_km <= km, second_km <= km, every)
        truth = Areas.of(self.first.truth)
        said = Areas.of(self.first.answer), Areas.of(self.second.answer)
        for name in ("country", "region"):
            there: tuple[str, ...] = getattr(truth, name)
            first, second = (same_area(there, getattr(each, name)) for each in said)
            yield self._share(f"right {name}", first == 1, second == 1, ~np.isnan(first))

    def _share(self, name: str, first: Bools, second: Bools, counted: Bools) -> PairedShare:
        """Among the images that are ``counted``."""
        one, other = first[counted].astype(np.float64), second[counted].astype(np.float64)
        alone = int((one > other).sum()), int((other > one).sum())
        return PairedShare(
            name,
            _or_nan(np.mean, one),
            _or_nan(np.mean, other),
            paired_difference(np.mean, one, other, self.first.blocks[counted]),
            *alone,
            p_value=mcnemar(*alone),
            scored=int((self.scored & counted).sum()),
        )

    def values(self) -> Iterator[PairedValue]:
        first_km, second_km = self.first.error_km, self.second.error_km
        yield self._value("median error, km", np.median, first_km, second_km)
        yield self._value("mean error, km", np.mean, first_km, second_km)
        yield self._value("GeoScore", np.mean, geoscore(first_km), geoscore(second_km))

    def _value(
        self, name: str, statistic: Statistic, first: Floats64, second: Floats64
    ) -> PairedValue:
        difference = paired_difference(statistic, first, second, self.first.blocks)
        own = _or_nan(statistic, first), _or_nan(statistic, second)
        return PairedValue(name, *own, difference, int(self.scored.sum()))


def _or_nan(statistic: Statistic, values: Floats64) -> float:
    return float(statistic(values)) if len(values) else float("nan")
