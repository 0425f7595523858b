"""All metrics of a model on a set of images, and how they are printed.

Every line says of how many images it is, and of how many it was to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.arrays import Bools, Points
from geowhy.evaluation.estimates import Estimate, block_mean, columns
from geowhy.evaluation.metrics.areas import AreaMetrics
from geowhy.evaluation.metrics.certainty import CertaintyMetrics
from geowhy.evaluation.metrics.distances import DistanceMetrics
from geowhy.evaluation.metrics.outcomes import Missing, Outcomes
from geowhy.evaluation.metrics.radii import RadiusMetrics
from geowhy.evaluation.metrics.samples import SampleMetrics
from geowhy.evaluation.metrics.selective import SelectiveMetrics

__all__ = ["RIGHT_KM", "Metrics", "missing_words"]

RIGHT_KM = 750  # what "right" means where one threshold has to do
MOST_SAMPLES = 5_000  # of which the distances of all pairs take seconds
WIDTHS = (40, 26, 0)
NO_NUMBER = "nothing to measure"
WITHOUT_MISSING = ("answered", "compared")  # numbers that a missing image can't be wrong in

Line = tuple[str, str, int, str]  # its name and number, how many images it is of, and what they are


@dataclass(frozen=True, slots=True)
class Metrics:
    """How well a model does; shares count every expected image, unless missing ones are left out.

    Attributes:
        scored: images that were looked at.
        expected: images that were to be.
        missing: what the others count as.
        blocks: of 10 degrees that hold the images.
        answered: images for which the model named a place; the guesses of the others count too,
            but for radii.
        answered_recall: share within 750 km among those.
    """

    scored: int
    expected: int
    missing: Missing
    blocks: int
    answered: int
    answered_recall: Estimate
    distances: DistanceMetrics
    areas: AreaMetrics
    radii: RadiusMetrics
    certainty: CertaintyMetrics
    selective: SelectiveMetrics
    samples: SampleMetrics

    @classmethod
    def of(cls, outcomes: Outcomes, missing: Missing = "wrong") -> Self:
        """Of all expected images; ``missing`` says what those without an answer count as."""
        scored, expected = outcomes.scored, len(outcomes)
        counted = outcomes if missing == "wrong" else outcomes.rows(scored)
        error_km, blocks, answered = counted.error_km, counted.blocks, counted.answered
        right = error_km <= RIGHT_KM
        answers = counted.rows(answered)
        return cls(
            scored=int(scored.sum()),
            expected=expected,
            missing=missing,
            blocks=len(np.unique(blocks[blocks >= 0])),
            answered=int(answered.sum()),
            answered_recall=block_mean(right[answered], blocks[answered]),
            distances=DistanceMetrics.of(error_km, blocks),
            areas=AreaMetrics.of(counted.truth, counted.answer, error_km, blocks),
            radii=RadiusMetrics.of(
                answers.error_km, answers.radius_50_km, answers.radius_90_km, answers.blocks
            ),
            certainty=CertaintyMetrics.of(
                answers.log_density, answers.probability, answers.holds, answers.blocks
            ),
            selective=SelectiveMetrics.of(counted.sureness, right, blocks),
            samples=_samples(outcomes.truth, outcomes.answer, scored),
        )

    def rows(self) -> list[str]:
        """For people: a line a number."""
        lines = (*self._of_places(), *self._of_certainty(), *self._of_samples())
        return [
            columns(WIDTHS, name, text, self._count(count, what))
            for name, text, count, what in lines
        ]

    def _of_places(self) -> Iterator[Line]:
        found, areas, scored = self.distances, self.areas, (self.scored, "scored")
        for km, share in sorted(found.recall.items()):
            yield f"within {km:,} km", _share(share), *scored
        yield "median error", _number(found.median_km, ",.0f", " km"), *scored
        yield "mean error", _number(found.mean_km, ",.0f", " km"), *scored
        yield "GeoScore", _number(found.geoscore, ",.0f"), *scored
        in_country = areas.in_country, "in a country"
        yield "right country", _share(areas.country), *in_country
        yield "right region", _share(areas.region), areas.in_region, "in a region"
        macro = f"mean of {areas.countries} countries"
        yield f"right country, {macro}", _share(areas.macro_country), *in_country
        for km, share in sorted(areas.macro_recall.items()):
            yield f"within {km:,} km, {macro}", _share(share), *in_country

    def _of_certainty(self) -> Iterator[Line]:
        radii, sure, scored = self.radii, self.certainty, (self.scored, "scored")
        answered, stated = (self.answered, "answered"), (radii.stated, "answered")
        counted = self.expected if self.missing == "wrong" else self.scored
        yield "answered", f"{self.answered / max(counted, 1):6.1%}", *scored
        yield f"within {RIGHT_KM} km if answered", _share(self.answered_recall), *answered
        yield "radius 50 % holds", _share(radii.coverage_50), *stated
        yield "radius 90 % holds", _share(radii.coverage_90), *stated
        yield "median radius 50 %", _number(radii.sharpness_50_km, ",.0f", " km"), *stated
        yield "median radius 90 %", _number(radii.sharpness_90_km, ",.0f", " km"), *stated
        yield "−log density of the truth", _number(sure.nll, ".2f"), sure.with_density, "answered"
        error = _share(sure.calibration_error)
        yield "calibration error", error, sure.with_probability, "answered"
        for share, right in sorted(self.selective.accuracy.items()):
            yield f"within {RIGHT_KM} km, surest {share:.0%}", _share(right), *scored
        yield "area under risk by coverage", _number(self.selective.risk_area, ".3f"), *scored

    def _of_samples(self) -> Iterator[Line]:
        found = self.samples
        for name in ("precision", "recall", "density", "coverage"):
            value: float = getattr(found, name)
            text = NO_NUMBER if math.isnan(value) else f"{value:.3f}"
            yield f"{name} of answers as samples", text, found.points, "compared"

    def _count(self, count: int, what: str) -> str:
        """Such as "2,990 scored of 2,997 expected, 7 missing count as wrong"."""
        missing: Missing = "left-out" if what in WITHOUT_MISSING else self.missing
        words = missing_words(self.expected - self.scored, missing)
        return f"{count:,} {what} of {self.expected:,} expected{words}"


def missing_words(count: int, missing: Missing) -> str:
    """What so many missing images count as; nothing if there are none."""
    if not count:
        return ""
    return f", {count:,} missing {'count as wrong' if missing == 'wrong' else 'are left out'}"


def _samples(truth: Points, answer: Points, scored: Bools) -> SampleMetrics:
    """Of at most 5,000 images: those whose places come first when shuffled by what they are."""
    pairs = np.concatenate([truth, answer], axis=1)[scored & ~np.isnan(truth).any(axis=1)]
    if len(pairs) > MOST_SAMPLES:
        # Sorted first, so that the order of the table doesn't matter.
        pairs = pairs[np.lexsort(pairs.T)]
        pairs = np.random.default_rng(0).permutation(pairs)[:MOST_SAMPLES]
    return SampleMetrics.of(pairs[:, :2], pairs[:, 2:])


def _share(found: Estimate) -> str:
    return NO_NUMBER if math.isnan(found.value) else found.text("6.1%")


def _number(found: Estimate, form: str, unit: str = "") -> str:
    return NO_NUMBER if math.isnan(found.value) else found.text(form, f"{unit}  ")
