"""What else could order places by a concept: the baselines that a location encoder has to beat.

Each is fitted on the truth at training places and asked about held-out ones.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from geowhy.arrays import Bools, Floats32, Floats64, Points
from geowhy.concepts.sources import fit_grounded
from geowhy.geo.sphere import lat_lon_to_unit
from geowhy.model.location import LocationEncoder

__all__ = [
    "Features",
    "boosted_trees",
    "fitted_directions",
    "harmonics",
    "has_boosted_trees",
    "nearest_places",
    "unit_embeddings",
]

Features = Callable[[Points], Floats32]

NEIGHBOURS = 5
ASKED_AT_ONCE = 1000
RIDGE = 1e-4
TREE_ROUNDS = 100  # as all settings of the trees what LightGBM comes with: nothing was tuned


def fitted_directions(
    features: Features, training: Points, truth: Floats32, asked: Points
) -> Floats32:
    """Scores ``[M, k]`` of the places ``asked`` along ridge-fitted directions of some features.

    As for the untrained directions of a concept bank, but in another space; features are
    standardised. Places are degrees; truth ``[N, k]``.
    """
    known, wanted = features(training), features(asked)
    mean, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    directions = fit_grounded((known - mean) / spread, truth, RIDGE)
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


def harmonics(degree: int) -> Features:
    """Real spherical harmonics up to a degree: a function to ``[N, (degree + 1)²]``."""

    def features(lat_lon: Points) -> Floats32:
        lat, lon = np.radians(lat_lon.T)
        legendre = _legendre(np.sin(lat), degree)
        columns = []
        for order in range(degree + 1):
            waves = [np.cos(order * lon)] + ([np.sin(order * lon)] if order else [])
            columns += [p * wave for p in legendre[order] for wave in waves]
        return np.stack(columns, axis=1).astype(np.float32)

    return features


def unit_embeddings(encoder: LocationEncoder) -> Features:
    """Unit embeddings of a location encoder, as a function of places."""

    def features(lat_lon: Points) -> Floats32:
        embeddings = encoder.embed(lat_lon)
        return np.asarray(embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))

    return features


def has_boosted_trees() -> bool:
    """Whether LightGBM, of the extra ``rivals``, is installed."""
    return find_spec("lightgbm") is not None


def boosted_trees(training: Points, truth: Floats32, is_class: Bools, asked: Points) -> Floats32:
    """Scores of the places ``asked`` ``[M, k]``, by trees on latitude and longitude, degrees.

    One model a column of ``truth`` ``[N, k]``, fitted where it is known: of odds for classes, of
    means for degrees.
    """
    columns = [
        _tree_scores(training, truth[:, k], is_class[k], asked) for k in range(truth.shape[1])
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _tree_scores(training: Points, truth: Floats32, is_class: np.bool_, asked: Points) -> Floats64:
    import lightgbm  # 1 s, for an option of one command

    known = ~np.isnan(truth)
    settings = {
        "objective": "binary" if is_class else "regression",
        "seed": 0,
        "deterministic": True,
        "num_threads": 1,  # such small data; more threads wait for each other on a busy machine
        "verbose": -1,
    }
    data = lightgbm.Dataset(training[known], truth[known])
    fitted = lightgbm.train(settings, data, TREE_ROUNDS)
    return np.asarray(fitted.predict(asked, raw_score=True), np.float64)


def _legendre(sine: Floats64, degree: int) -> list[list[Floats64]]:
    """Fully normalised associated Legendre functions: by order, from that degree upwards.

    The standard recurrence in the degree, which is stable when normalised.
    """
    cosine = np.sqrt(np.maximum(1 - sine**2, 0))
    diagonal = np.ones_like(sine)
    by_order = []
    for m in range(degree + 1):
        if m:
            diagonal = diagonal * cosine * np.sqrt((2 * m + 1) / (2 * m))
        found = [diagonal]
        if m < degree:
            found.append(np.sqrt(2 * m + 3) * sine * diagonal)
        for n in range(m + 2, degree + 1):
            a = np.sqrt((4 * n * n - 1) / (n * n - m * m))
            b = np.sqrt(((n - 1) ** 2 - m * m) / (4 * (n - 1) ** 2 - 1))
            found.append(a * (sine * found[-1] - b * found[-2]))
        by_order.append(found)
    return by_order
