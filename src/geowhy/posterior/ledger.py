"""A posterior as a value: weighted places, and the named terms whose sum it is.

log p(place | image) = Σ terms(place) + constant. What one may ask of it is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import Floats32, Floats64, Ints

__all__ = ["Posterior", "Support", "Term", "summed"]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One addend of a log-posterior.

    Attributes:
        source: what gave it, such as "image" or "region".
        log_likelihood: nats at each of M places, up to a constant, ``[M]``.
        is_prior: whether it was known before the image was seen.
    """

    source: str
    log_likelihood: Floats32
    is_prior: bool = False

    def at(self, rows: Ints) -> Term:
        """The same at the places in ``rows`` ``[m]``."""
        return Term(self.source, self.log_likelihood[rows], self.is_prior)


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """The places that a posterior weighs.

    Attributes:
        rows: of the gallery, ``[M]``.
        lat_lon: degrees ``[M, 2]``.
        cell: in which of C cells each lies, ``[M]``.
    """

    rows: Ints
    lat_lon: Floats64
    cell: NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """How probable each place is, and by which terms.

    Attributes:
        support: M places.
        log_prob: nats ``[M]``. Normalised over all places that were considered; where a search
            kept only the best of them, ``support`` holds less than 1.
        ledger: the terms whose sum ``log_prob`` is, up to a constant.
        cell_mass: probability of each of C cells, of all places considered, ``[C]``.
    """

    support: Support
    log_prob: Floats32
    ledger: tuple[Term, ...]
    cell_mass: Floats64

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
