"""The paper's test of concept maps: mean scores of US states against real shares.

arXiv 2509.01910, figure 5, has 0.653 for forest, and 0.354 for GeoCLIP's location encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import AnyFloats, Floats64, Ints, Points
from geowhy.concepts.grounding import LayerValues, parse_grounding
from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import uniform_on_sphere

__all__ = ["STATE_SHARES", "StateCorrelation", "StatePlaces", "correlations"]

SAMPLED_PLACES = 40_000
SCORED_A_STATE = 150
FEWEST = 8  # the District of Columbia has one or none
SEED = 0
# Ids of concepts, and what their share of a state is by the layer of land cover, whatever they
# are grounded in: "forest" is a place with much forest around; the paper compares with forest.
STATE_SHARES = {
    "forest": (
        "land_cover in ['evergreen needleleaf forest', 'evergreen broadleaf forest', "
        "'deciduous needleleaf forest', 'deciduous broadleaf forest', 'mixed forest']"
    ),
    "needleleaf_forest": (
        "land_cover in ['evergreen needleleaf forest', 'deciduous needleleaf forest']"
    ),
    "temperate_forest": "land_cover in ['deciduous broadleaf forest', 'mixed forest']",
    "woody_savanna": "land_cover == 'woody savanna'",
    "savanna": "land_cover == 'savanna'",
    "shrubland": "land_cover in ['open shrubland', 'closed shrubland']",
    "grassland": "land_cover == 'grassland'",
    "cropland": "land_cover in ['cropland', 'cropland and natural vegetation mosaic']",
    "barren": "land_cover == 'barren land'",
    "wetland": "land_cover == 'permanent wetland'",
}


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

    def real_shares(self, ids: Sequence[str], atlas: Atlas) -> AnyFloats:
        """Of k concepts of ``STATE_SHARES``, by the layer of land cover: ``[states, k]``."""
        around = LayerValues(atlas, self.lat_lon)
        covers = [parse_grounding(STATE_SHARES[each], atlas).at(around) for each in ids]
        return self.shares(np.stack(covers, axis=1))

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
