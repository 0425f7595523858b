"""The paper's test of concept maps: mean scores of US states against real shares.

arXiv 2509.01910, figure 5, has 0.653 for forest, and 0.354 for GeoCLIP's location encoder.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import AnyFloats, Floats64, Ints, Points
from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import uniform_on_sphere

__all__ = ["StateCorrelation", "StatePlaces", "correlations"]


SAMPLED_PLACES = 40_000
SCORED_A_STATE = 150
FEWEST = 8  # the District of Columbia has one or none
SEED = 0


@dataclass(frozen=True, slots=True)
class StateCorrelation:
    """Pearson correlation over the US states of mean score and real share, for one concept.

    ``own`` is the model's, ``rival`` that of a direction fitted in the rival's space; NaN without.
    """

    concept: str
    own: float
    rival: float


@dataclass(frozen=True, slots=True, eq=False)
class StatePlaces:
    """Places uniform in the states of the US.

    Attributes:
        names: of the states.
        lat_lon: degrees ``[N, 2]``.
        state: of each place, ``[N]``.
        scored: the first places of each state, rows of ``lat_lon``: enough for a mean score.
    """

    names: tuple[str, ...]
    lat_lon: Points
    state: Ints
    scored: Ints

    @classmethod
    def sample(cls, atlas: Atlas) -> StatePlaces:
        """Draws them, the same at each call."""
        rng = np.random.default_rng(SEED)
        found, labels = np.empty((0, 2)), np.empty(0, np.intp)
        while len(found) < SAMPLED_PLACES:
            tries = uniform_on_sphere(20 * SAMPLED_PLACES, rng)
            tries = tries[atlas.is_land(tries)]
            state = _state_of(atlas, tries)
            found = np.concatenate([found, tries[state >= 0]])
            labels = np.concatenate([labels, state[state >= 0]])
        large = np.bincount(labels)[labels] >= FEWEST
        numbers, of_place = np.unique(labels[large], return_inverse=True)
        found = found[large]
        members = [np.flatnonzero(of_place == n)[:SCORED_A_STATE] for n in range(len(numbers))]
        known = atlas.layer("us_state").info.labels
        names = tuple(known[number] for number in numbers)
        return cls(names, found, of_place, np.concatenate(members))

    def shares(self, truth: AnyFloats) -> AnyFloats:
        """Share of each state where concepts hold, from truth ``[N, k]``: ``[states, k]``."""
        return self._means(truth, self.state)

    def mean_scores(self, scores: AnyFloats) -> AnyFloats:
        """Mean of each state, from the scores of the scored places: ``[states, k]``."""
        return self._means(scores, self.state[self.scored])

    def _means(self, values: AnyFloats, state: Ints) -> AnyFloats:
        return np.stack([np.nanmean(values[state == n], axis=0) for n in range(len(self.names))])


def correlations(means: AnyFloats, shares: AnyFloats) -> Floats64:
    """Pearson correlation of each column over the states, ``[k]``."""
    columns = zip(means.T, shares.T, strict=True)
    return np.array([np.corrcoef(mean, share)[0, 1] for mean, share in columns])


def _state_of(atlas: Atlas, lat_lon: Points) -> Ints:
    return atlas.layer("us_state").at(lat_lon).astype(np.intp)
