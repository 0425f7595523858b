"""A posterior as a value: weighted places, and the named terms whose sum it is.

log p(place | image) = Σ terms(place) + constant. A `Contest` are those of its places that speak
for an answer, and those that speak for its rivals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import AnyFloats, Floats32, Floats64, Points, Rows
from geowhy.posterior.density import Estimate, Mode, shares

__all__ = ["Contest", "Posterior", "Term", "summed", "thinned"]

Weighted = tuple[Rows, Floats64]

HEAVY_POINTS = 2_000  # twice so many points stand for all of a side


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One addend of a log-posterior."""

    source: str  # what gave it, such as "image" or "region"
    log_likelihood: Floats32  # nats at each of M places, up to a constant, [M]
    is_prior: bool = False  # known before the image was seen


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """How probable each of M places is, and by which terms.

    ``log_prob`` is normalised over all places that were considered; where a search kept only the
    best of them, these hold less than 1.
    """

    rows: Rows  # of the gallery, [M]
    lat_lon: Points  # degrees [M, 2]
    cell: NDArray[np.integer]  # in which of C cells each lies, [M]
    log_prob: Floats32  # nats [M]: the sum of the terms, up to a constant
    ledger: tuple[Term, ...]
    cell_mass: Floats64  # probability of each of C cells, of all places considered, [C]

    @property
    def probability(self) -> Floats32:
        """Of each place ``[M]``."""
        return np.exp(self.log_prob)

    def with_half_of_the_evidence(self) -> Floats32:
        """Weights of the places ``[M]``, of which the largest is 1, with the image's terms halved.

        What was known beforehand counts in full: half of the evidence is midway between knowing
        nothing but the prior and knowing all.
        """
        priors = [term.log_likelihood for term in self.ledger if term.is_prior]
        prior = np.sum(priors, axis=0, dtype=np.float32) if priors else np.float32(0)
        # Minus infinity less itself is no number; what is ruled out has it in `log_prob` as well.
        prior = np.where(np.isfinite(prior), prior, np.float32(0))
        halved = prior + (self.log_prob - prior) / 2
        weights = halved - halved.max()
        return np.asarray(np.exp(weights), np.float32)


def summed(terms: Sequence[Term]) -> Floats32:
    """The log-probabilities ``[M]`` of places whose terms are given, normalised over them."""
    total = terms[0].log_likelihood.astype(np.float32, copy=True)
    for term in terms[1:]:
        total += term.log_likelihood
    total -= total.max()
    total -= np.float32(np.log(np.exp(total).sum(dtype=np.float64)))
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """An answer and its rivals: rows of the gallery on each side, weights that add up to 1.

    What counts for an answer is what rules its rivals out. With all the evidence only those are
    left that it can't rule out; so places weigh as with half of it, midway between knowing nothing
    and knowing all, where both kinds are there (the midpoint rule for the path integral of Aumann
    and Shapley).
    """

    answer: Weighted  # places of its region; what speaks for their mean speaks for it
    elsewhere: Weighted  # those outside; none if there is nothing else
    runner_up: tuple[Mode, Weighted] | None  # the strongest mode outside, with its places

    @classmethod
    def of(cls, posterior: Posterior, estimate: Estimate) -> Contest:
        """The sides of a posterior, by what was decoded of it."""
        rows, half = posterior.rows, posterior.with_half_of_the_evidence()
        inside = estimate.region[posterior.cell]
        outside = np.flatnonzero(~inside)
        here = np.flatnonzero(inside)[: 1 if estimate.is_point else None]  # best first

        def side(members: Rows) -> Weighted:
            chosen, weights = thinned(half, members)
            return rows[chosen], weights

        runner_up = None
        if not estimate.is_point and len(estimate.modes) > 1:
            second_hill = np.flatnonzero(estimate.basin[posterior.cell] == 1)
            runner_up = (estimate.modes[1], side(second_hill))
        elif estimate.is_point and len(outside):
            lat, lon = posterior.lat_lon[outside[0]].tolist()
            mode = Mode((lat, lon), float(posterior.probability[outside[0]]))
            runner_up = (mode, (rows[outside[:1]], np.ones(1)))
        return cls(side(here), side(outside), runner_up)

    def halves(self, most: int) -> Weighted:
        """The ``most`` heaviest rows of either side; the weights of each add up to one half."""
        rows, halves = [], []
        for members, weights in (self.answer, self.elsewhere):
            heaviest = np.argsort(-weights)[:most]
            rows.append(members[heaviest])
            halves.append(weights[heaviest] / (2 * weights[heaviest].sum()))
        return np.concatenate(rows), np.concatenate(halves)


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
