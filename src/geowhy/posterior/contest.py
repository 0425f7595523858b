"""An answer and its rivals: the places of a posterior that speak for either side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import AnyFloats, Floats64, Rows
from geowhy.posterior.density import Estimate, Mode, shares
from geowhy.posterior.ledger import Posterior

__all__ = ["Contest", "thinned"]

Weighted = tuple[Rows, Floats64]

# What counts for an answer is what rules its rivals out. With all the evidence only those are left
# that it can't rule out; with half of it, midway between knowing nothing and knowing all, both
# kinds are there (the midpoint rule for the path integral of Aumann and Shapley). Twice so
# many points stand for all of a side.
HEAVY_POINTS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """Rows of the gallery on each side, with weights that add up to 1.

    They weigh as with half of the evidence: see `HEAVY_POINTS`.

    Attributes:
        answer: the places of the answer's region; what speaks for their mean speaks for it.
        elsewhere: those outside; none if there is nothing else.
        runner_up: the strongest mode outside, with its places; None if there is none.
    """

    answer: Weighted
    elsewhere: Weighted
    runner_up: tuple[Mode, Weighted] | None

    @classmethod
    def of(cls, posterior: Posterior, estimate: Estimate) -> Contest:
        """The sides of a posterior, by what was decoded of it."""
        support, half = posterior.support, posterior.with_half_of_the_evidence()
        inside = estimate.region[support.cell]
        outside = np.flatnonzero(~inside)

        def side(members: Rows) -> Weighted:
            chosen, weights = thinned(half, members)
            return support.rows[chosen], weights

        if estimate.is_point:
            best = np.flatnonzero(inside)[:1]
            runner_up = _best_outside(posterior, outside)
            return cls(side(best), side(outside), runner_up)
        runner_up = None
        if len(estimate.modes) > 1:
            second = np.flatnonzero(estimate.basin[support.cell] == 1)
            runner_up = (estimate.modes[1], side(second))
        return cls(side(np.flatnonzero(inside)), side(outside), runner_up)


def _best_outside(posterior: Posterior, outside: Rows) -> tuple[Mode, Weighted] | None:
    """The best single place elsewhere; places come best first."""
    if not len(outside):
        return None
    lat, lon = posterior.support.lat_lon[outside[0]].tolist()
    mode = Mode((lat, lon), float(posterior.probability[outside[0]]))
    return mode, (posterior.support.rows[outside[:1]], np.ones(1))


def thinned(probability: AnyFloats, members: Rows) -> Weighted:
    """`shares` of some of the members ``[m]``, for means that are nearly those of all.

    The heaviest `HEAVY_POINTS` are taken as they are. Of the others every n-th is taken, at most so
    many again, and stands for n.
    """
    if len(members) <= 2 * HEAVY_POINTS:
        return shares(probability, members)
    lightest_first = np.argpartition(probability[members], -HEAVY_POINTS)
    heavy = members[lightest_first[-HEAVY_POINTS:]]
    others = np.sort(members[lightest_first[:-HEAVY_POINTS]])
    step = -(-len(others) // HEAVY_POINTS)
    rows = np.concatenate([heavy, others[::step]])
    weights = probability[rows].astype(np.float64)
    weights[HEAVY_POINTS:] *= step
    total = weights.sum()
    if total <= 0:
        return shares(probability, rows)
    return rows, weights / total
