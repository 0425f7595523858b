"""Places that were held out, with what is true there, and what else could order them by a concept.

The latter are the baselines that a location encoder has to beat: each is fitted on the truth at
training places and asked about held-out ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from geowhy.arrays import Bools, Floats32, Ints, Points
from geowhy.concepts.bank import fit_grounded
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.evaluation.estimates import Estimate, mean_auc, ranking
from geowhy.geo.atlas import Atlas
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import lat_lon_to_unit
from geowhy.model.location import LocationEncoder
from geowhy.pretrained.geoclip.released import ReleasedGeoClip
from geowhy.registry import is_installed

if TYPE_CHECKING:
    from geowhy.training.config import TrainingConfig

__all__ = ["HeldOutPlaces", "fitted_directions", "geoclip_embeddings", "rival_scores"]

Features = Callable[[Points], Floats32]

GEOCLIP, TREES = "GeoCLIP", "LightGBM"  # trees on coordinates
NEIGHBOURS, ASKED_AT_ONCE = 5, 1000


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutPlaces:
    """Training and held-out places of a model."""

    training: Points  # degrees [N, 2]
    known: Floats32  # the truth there, [N, k]
    held_out: Points  # degrees [M, 2]
    truth: Floats32  # there, [M, k]
    views: Ints  # rows of `held_out` whose views are the test views
    is_class: Bools  # which concepts are classes, [k]

    @classmethod
    def sample(cls, config: TrainingConfig, vocabulary: Vocabulary, atlas: Atlas) -> HeldOutPlaces:
        """The pool of views of a configuration, by cells; training cells to their very rims."""
        from geowhy.training.views import SPLITS, cell_splits, sample_views

        centres = sample_views(config.views, atlas).centres
        split = cell_splits(centres, config.split)
        is_held_out = split == SPLITS.index("test")
        is_known = ~is_held_out if config.split.refit else split == SPLITS.index("train")
        # As many as the directions of a bank are fitted on.
        training, held_out = centres[is_known][:20_000], centres[is_held_out]
        groundings = [concept.grounding for concept in vocabulary.concepts]
        return cls(
            training,
            vocabulary.truth(atlas, training),
            held_out,
            vocabulary.truth(atlas, held_out),
            np.arange(min(config.split.test_views, len(held_out))),
            np.array([each is not None and each.kind == "class" for each in groundings]),
        )

    def ranking(self, concept: int, scores: Floats32, rows: Ints | None = None) -> float:
        """How well a column of scores ``[N, k]`` orders held-out places, or ``rows`` ``[N]``."""
        truth = self.truth if rows is None else self.truth[rows]
        return ranking(truth[:, concept], scores[:, concept], not self.is_class[concept])

    def mean(self, scores: Floats32, rows: Ints | None = None) -> Estimate:
        """Mean AUC of the classes, from scores ``[N, k]`` of all places, or of ``rows`` ``[N]``."""
        chosen = slice(None) if rows is None else rows
        truth, blocks = self.truth[chosen], ten_degree_cell(self.held_out[chosen])
        return mean_auc(truth[:, self.is_class], scores[:, self.is_class], blocks)


def rival_scores(places: HeldOutPlaces) -> dict[str, Floats32]:
    """Scores of the held-out places by other means, by name; those that are installed."""
    fitted, asked = (places.training, places.known), places.held_out
    scores = {"SH20": fitted_directions(partial(harmonics, degree=20), *fitted, asked)}
    geoclip = geoclip_embeddings()
    if geoclip is not None:
        scores[GEOCLIP] = fitted_directions(geoclip, *fitted, asked)
    scores["5 nearest"] = nearest_places(*fitted, asked)
    if find_spec("lightgbm"):
        scores[TREES] = boosted_trees(*fitted, places.is_class, asked)
    return scores


def fitted_directions(
    features: Features, training: Points, truth: Floats32, asked: Points
) -> Floats32:
    """Scores ``[M, k]`` of the places ``asked`` along ridge-fitted directions of some features.

    As for the untrained directions of a concept bank, but in another space; features are
    standardised. Places are degrees; truth ``[N, k]``.
    """
    known, wanted = features(training), features(asked)
    mean, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    directions = fit_grounded((known - mean) / spread, truth, ridge=1e-4)
    return np.asarray(((wanted - mean) / spread) @ directions, np.float32)


def nearest_places(training: Points, truth: Floats32, asked: Points) -> Floats32:
    """Mean truth of the five nearest training places, ``[M, k]``, where it is known there."""
    units, wanted = lat_lon_to_unit(training), lat_lon_to_unit(asked)
    filled, known = np.nan_to_num(truth), (~np.isnan(truth)).astype(np.float32)
    average = np.nanmean(truth, axis=0)
    scores = np.empty((len(asked), truth.shape[1]), np.float32)
    for start in range(0, len(asked), ASKED_AT_ONCE):
        chunk = slice(start, start + ASKED_AT_ONCE)
        nearest = np.argpartition(-(wanted[chunk] @ units.T), NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        count = known[nearest].sum(axis=1)
        means = filled[nearest].sum(axis=1) / np.maximum(count, 1)
        scores[chunk] = np.where(count > 0, means, average)
    return scores


def geoclip_embeddings() -> Features | None:
    """Unit embeddings of GeoCLIP as released; None if it isn't installed."""
    if not is_installed("geoclip"):
        return None
    return partial(unit_embeddings, ReleasedGeoClip.load().encoder)


def unit_embeddings(encoder: LocationEncoder, lat_lon: Points) -> Floats32:
    """Unit embeddings of places ``[N, 2]`` by a location encoder, ``[N, d]``."""
    embeddings = encoder.embed(lat_lon)
    return np.asarray(embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))


def boosted_trees(training: Points, truth: Floats32, is_class: Bools, asked: Points) -> Floats32:
    """Scores of the places ``asked`` ``[M, k]``, by trees on latitude and longitude, degrees.

    One model a column of ``truth`` ``[N, k]``, fitted where it is known: of odds for classes, of
    means for degrees. All settings are what LightGBM comes with: nothing was tuned.
    """
    import lightgbm  # 1 s, for an option of one command

    scores = np.empty((len(asked), truth.shape[1]), np.float32)
    for column, values in enumerate(truth.T):
        known = ~np.isnan(values)
        settings = {
            "objective": "binary" if is_class[column] else "regression",
            "seed": 0,
            "deterministic": True,
            "num_threads": 1,  # such small data; more wait for each other on a busy machine
            "verbose": -1,
        }
        data = lightgbm.Dataset(training[known], values[known])
        fitted = lightgbm.train(settings, data)
        scores[:, column] = fitted.predict(asked, raw_score=True)
    return scores


def harmonics(lat_lon: Points, degree: int) -> Floats32:
    """Real spherical harmonics up to a degree at places ``[N, 2]``: ``[N, (degree + 1)²]``.

    Of fully normalised associated Legendre functions, by order and from that degree upwards: the
    standard recurrence in the degree, which is stable when normalised.
    """
    lat, lon = np.radians(lat_lon.T)
    sine = np.sin(lat)
    cosine, diagonal = np.sqrt(np.maximum(1 - sine**2, 0)), np.ones_like(sine)
    columns = []
    for m in range(degree + 1):
        if m:
            diagonal = diagonal * cosine * np.sqrt((2 * m + 1) / (2 * m))
        legendre = [diagonal]
        if m < degree:
            legendre.append(np.sqrt(2 * m + 3) * sine * diagonal)
        for n in range(m + 2, degree + 1):
            a = np.sqrt((4 * n * n - 1) / (n * n - m * m))
            b = np.sqrt(((n - 1) ** 2 - m * m) / (4 * (n - 1) ** 2 - 1))
            legendre.append(a * (sine * legendre[-1] - b * legendre[-2]))
        waves = [np.cos(m * lon)] + ([np.sin(m * lon)] if m else [])
        columns += [p * wave for p in legendre for wave in waves]
    return np.stack(columns, axis=1).astype(np.float32)
