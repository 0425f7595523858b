"""What came of each image that was to be scored: what all metrics are functions of."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, Self

import numpy as np

from geowhy.arrays import Bools, Floats64, Ints64, Points, Selection
from geowhy.evaluation.metrics.distances import errors_km
from geowhy.geo.cells import ten_degree_cell

__all__ = ["Missing", "Outcomes", "blocks_of"]

Missing = Literal["wrong", "left-out"]  # what images without an answer to look at count as

NOWHERE = -1  # the block of images whose place isn't known


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What was said of each of N images, and the truth; NaN where there is none.

    A missing image, which couldn't be read or isn't in the table, has no answer. It is then as
    wrong as can be: half the circumference off.
    """

    truth: Points  # degrees [N, 2]
    answer: Points  # [N, 2]
    abstained: Bools  # whether it only guessed, [N]
    radius_50_km: Floats64  # [N]
    radius_90_km: Floats64  # [N]
    probability: Floats64  # of the region of the answer, [N]
    holds: Floats64  # whether that region holds the truth, 1 or 0, [N]
    log_density: Floats64  # at the truth, natural logarithm, per steradian [N]

    def __len__(self) -> int:
        """How many images."""
        return len(self.truth)

    @property
    def scored(self) -> Bools:
        """Which were looked at, ``[N]``."""
        return np.asarray(~np.isnan(self.answer).any(axis=1))

    @property
    def answered(self) -> Bools:
        """Which the model named a place for, ``[N]``."""
        return self.scored & ~self.abstained

    @property
    def error_km(self) -> Floats64:
        """How far off each is, ``[N]``."""
        return errors_km(self.truth, self.answer)

    @property
    def sureness(self) -> Floats64:
        """The larger the surer, ``[N]``: less the radius for half.

        Who gives no answer, or states no radius, is the least sure.
        """
        stated = self.answered & ~np.isnan(self.radius_50_km)
        return np.where(stated, -self.radius_50_km, -np.inf)

    @property
    def blocks(self) -> Ints64:
        """Of 10 degrees that hold the truths ``[N]``; those of unknown place form one more."""
        return blocks_of(self.truth)

    def rows(self, chosen: Selection) -> Self:
        """Some of them: numbers, flags ``[N]`` or a slice."""
        return replace(
            self, **{each.name: getattr(self, each.name)[chosen] for each in fields(self)}
        )

    def with_missing(self, count: int) -> Self:
        """With so many more, of which nothing is known."""
        padded = {
            each.name: np.concatenate([column, np.full((count, *column.shape[1:]), empty)])
            for each in fields(self)
            for column in [getattr(self, each.name)]
            for empty in [False if column.dtype == np.bool_ else np.nan]
        }
        return replace(self, **padded)


def blocks_of(truth: Points) -> Ints64:
    """The block of 10 degrees of each of degrees ``[N, 2]``, ``[N]``; −1 where they are NaN."""
    unknown = np.isnan(truth).any(axis=1)
    return np.where(unknown, NOWHERE, ten_degree_cell(np.nan_to_num(truth)))
