"""Concepts against the land cover of whole US states: a test of the paper on concepts.

arXiv 2509.01910, figure 5, has 0.653 for forest, and 0.354 for GeoCLIP's location encoder.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import AnyFloats, Floats64, Ints, Points
from geowhy.concepts.grounding import LayerValues, parse_grounding
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.evaluation.concept_subject import Subject
from geowhy.evaluation.held_out import HeldOutPlaces, fitted_directions, geoclip_embeddings
from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import uniform_on_sphere

__all__ = ["STATE_SHARES", "StateCorrelation", "StatePlaces", "correlations", "state_correlations"]

SAMPLED_PLACES = 40_000
SCORED_A_STATE = 150
FEWEST = 8  # the District of Columbia has one or none
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

    ``own`` is the model's, ``rival`` that of a direction fitted in GeoCLIP's space; NaN without.
    """

    concept: str
    own: float
    rival: float


@dataclass(frozen=True, slots=True, eq=False)
class StatePlaces:
    """Places uniform in the states of the US."""

    names: tuple[str, ...]  # of the states
    lat_lon: Points  # degrees [N, 2]
    state: Ints  # of each place, [N]
    scored: Ints  # the first places of each state, rows of `lat_lon`: enough for a mean score

    @classmethod
    def sample(cls, atlas: Atlas) -> StatePlaces:
        """Draws them, the same at each call."""
        rng, layer = np.random.default_rng(0), atlas.layer("us_state")
        found, labels = np.empty((0, 2)), np.empty(0, np.intp)
        while len(found) < SAMPLED_PLACES:
            tries = uniform_on_sphere(20 * SAMPLED_PLACES, rng)
            tries = tries[atlas.is_land(tries)]
            state = layer.at(tries).astype(np.intp)
            found = np.concatenate([found, tries[state >= 0]])
            labels = np.concatenate([labels, state[state >= 0]])
        large = np.bincount(labels)[labels] >= FEWEST
        numbers, state = np.unique(labels[large], return_inverse=True)
        members = [np.flatnonzero(state == n)[:SCORED_A_STATE] for n in range(len(numbers))]
        names = tuple(layer.info.labels[number] for number in numbers)
        return cls(names, found[large], state, np.concatenate(members))

    def means(self, values: AnyFloats, rows: Ints | None = None) -> AnyFloats:
        """Mean in each state of what is known, ``[states, k]``, of all places or those in ``rows``.

        Values ``[n, k]``, rows ``[n]``.
        """
        state = self.state if rows is None else self.state[rows]
        return np.stack([np.nanmean(values[state == n], axis=0) for n in range(len(self.names))])


def state_correlations(
    subject: Subject, vocabulary: Vocabulary, places: HeldOutPlaces, atlas: Atlas
) -> tuple[StateCorrelation, ...]:
    """The paper's test, for the concepts of ``STATE_SHARES`` that the vocabulary has."""
    ids = [concept.id for concept in vocabulary.concepts]
    rows = [ids.index(id) for id in STATE_SHARES if id in ids]
    if not rows:
        return ()
    sample = StatePlaces.sample(atlas)
    around = LayerValues(atlas, sample.lat_lon)
    covers = [parse_grounding(STATE_SHARES[ids[row]], atlas).at(around) for row in rows]
    shares = sample.means(np.stack(covers, axis=1))
    asked = sample.lat_lon[sample.scored]
    scores = subject.location_scores(vocabulary, asked)[0][:, rows]
    own = correlations(sample.means(scores, sample.scored), shares)
    rival = np.full(len(rows), np.nan)
    geoclip = geoclip_embeddings()
    if geoclip is not None:
        fitted = fitted_directions(geoclip, places.training, places.known[:, rows], asked)
        rival = correlations(sample.means(fitted, sample.scored), shares)
    names = [vocabulary.names[row] for row in rows]
    found = zip(names, own.tolist(), rival.tolist(), strict=True)
    return tuple(StateCorrelation(*entry) for entry in found)


def correlations(means: AnyFloats, shares: AnyFloats) -> Floats64:
    """Pearson correlation of each column over the states, ``[k]``."""
    columns = zip(means.T, shares.T, strict=True)
    return np.array([np.corrcoef(mean, share)[0, 1] for mean, share in columns])
