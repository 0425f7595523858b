"""Whether a picture lies where it was laid on the map: log-odds from what the laying showed.

One logistic model, fitted on pictures of worlds that the network didn't see: a candidate is right,
or none of them is (a conditional logit with the outside option). So "elsewhere, or no place on
Earth" has a probability of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from geowhy.arrays import Floats32, Floats64
from geowhy.model.store import required_tensors

__all__ = ["Verdict", "outside_option"]

TENSORS = ("centre", "spread", "weights", "elsewhere")


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What f features of a laid picture are worth."""

    centre: Floats32  # of each feature [f]
    spread: Floats32  # of each feature [f]
    weights: Floats32  # nats for a spread of each feature [f]
    elsewhere: Floats32  # nats for no candidate, before anything is known of them [1]

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats32]) -> Self:
        """Takes what ``to_tensors`` gave.

        Raises:
            ModelFormatError: if an array is missing.
        """
        return cls(**required_tensors("the verdict", tensors, TENSORS))

    def to_tensors(self) -> dict[str, Floats32]:
        """As arrays by name."""
        return {name: getattr(self, name) for name in TENSORS}

    def log_odds(self, features: Floats32) -> Floats32:
        """Nats for being right ``[K]``, from features ``[K, f]``."""
        standard = (features - self.centre) / self.spread
        return np.asarray(standard @ self.weights, np.float32)

    def shares(self, nats: Floats64) -> tuple[Floats64, float]:
        """Probabilities of K candidates and of none of them, from all nats ``[K]`` for each."""
        return outside_option(nats, float(self.elsewhere[0]))


def outside_option(log_odds: Floats64, elsewhere: float) -> tuple[Floats64, float]:
    """Probabilities of K candidates and of none of them, from nats ``[K]`` and nats."""
    peak = max(float(log_odds.max(initial=elsewhere)), elsewhere)
    weights, none = np.exp(log_odds - peak), float(np.exp(elsewhere - peak))
    total = float(weights.sum()) + none
    return weights / total, none / total
