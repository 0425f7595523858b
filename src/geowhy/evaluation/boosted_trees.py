"""Gradient-boosted trees on raw coordinates, the rival that needs no encoder at all.

The only file that imports LightGBM, with the settings that it comes with: nothing was tuned.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

__all__ = ["boosted_trees", "has_boosted_trees"]

ROUNDS = 100
SEED = 0

Floats = NDArray[np.float32]
Points = NDArray[np.float64]


def has_boosted_trees() -> bool:
    """Whether LightGBM, of the extra ``rivals``, is installed."""
    return find_spec("lightgbm") is not None


def boosted_trees(
    training: Points, truth: Floats, is_class: NDArray[np.bool_], asked: Points
) -> Floats:
    """Scores of the places ``asked`` ``[M, k]``, by trees on latitude and longitude, degrees.

    One model a column of ``truth`` ``[N, k]``, fitted where it is known: of odds for classes, of
    means for degrees.
    """
    columns = [_scores(training, truth[:, k], is_class[k], asked) for k in range(truth.shape[1])]
    return np.stack(columns, axis=1).astype(np.float32)


def _scores(
    training: Points, truth: Floats, is_class: np.bool_, asked: Points
) -> NDArray[np.float64]:
    import lightgbm  # 1 s, for an option of one command

    known = ~np.isnan(truth)
    settings = {
        "objective": "binary" if is_class else "regression",
        "seed": SEED,
        "deterministic": True,
        "num_threads": 1,  # such small data; more threads wait for each other on a busy machine
        "verbose": -1,
    }
    data = lightgbm.Dataset(training[known], truth[known])
    fitted = lightgbm.train(settings, data, ROUNDS)
    return np.asarray(fitted.predict(asked, raw_score=True), np.float64)
