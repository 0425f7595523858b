"""The fewest concepts that tell places apart nearly as all concepts together do.

A model's log-odds over places are a sum of one column a concept. The sparse form writes them
as a sum of few of these columns, with weights that are neither negative nor above 2: orthogonal
matching pursuit within bounds. SpLiCE (arXiv 2402.10376) does the like for embeddings of images;
here it is for the scores that count.
"""

from __future__ import annotations

import numpy as np

from geowhy.arrays import Floats64
from geowhy.errors import ConfigError
from geowhy.explanation import ConceptScore, Explanation, SparseForm
from geowhy.model.attribution import LinearAttribution
from geowhy.model.encoded import Encoded

__all__ = ["sparse_form"]

# A concept may stand for others that say the same, but not for any that happens to differ between
# the few places that a sure answer leaves.
MOST = 2.0
SWEEPS = 200


def sparse_form(
    attribution: LinearAttribution,
    image: Encoded,
    places: Encoded,
    importance: Floats64,
    explanation: Explanation,
    share: float,
) -> SparseForm:
    """Of one image, on M places with their ``importance`` ``[M]``, which adds up to 1.

    ``share`` is that of the variance of the log-odds over these places to be reproduced. If all
    concepts together can't, because much is unexplained, the form is the best there is.

    Raises:
        ConfigError: if ``share`` isn't in (0, 1].
    """
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"a share of {share:g} of the score: give a number above 0, up to 1")
    columns, rest = attribution.shares(image, places)
    # Sums of squares of these are variances and covariances over the places.
    columns = (columns - importance @ columns) * np.sqrt(importance)[:, None]
    target = columns.sum(axis=1) + (rest - importance @ rest) * np.sqrt(importance)
    weights = _pursued(columns, target, share)
    said = columns @ weights
    weight_of = dict(zip(attribution.names, weights.tolist(), strict=True))
    concepts = [
        ConceptScore(c.name, weight_of[c.name] * c.contribution, c.present, c.category)
        for c in explanation.contributions
        if weight_of[c.name] > 0
    ]
    concepts.sort(key=lambda c: abs(c.contribution), reverse=True)
    return SparseForm(
        concepts=tuple(concepts),
        asked=share,
        reproduced=1.0 - _energy(target - said) / max(_energy(target), np.finfo(float).tiny),
        cosine=float(said @ target / max(_length(said) * _length(target), 1e-300)),
        score=sum(c.contribution for c in concepts),
    )


def _pursued(columns: Floats64, target: Floats64, share: float) -> Floats64:
    """Weights ``[k]``, most of them 0: one more column at a time, all weights fitted anew."""
    gram, along = columns.T @ columns, columns.T @ target
    lengths = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    weights = np.zeros(len(gram))
    total = _energy(target)
    for _ in range(len(gram)):
        left = total - 2 * weights @ along + weights @ gram @ weights
        if left <= (1.0 - share) * total:
            break
        slope = (along - gram @ weights) / lengths
        slope[weights > 0] = -np.inf
        best = int(slope.argmax())
        if slope[best] <= 1e-9 * np.sqrt(total):  # nothing that isn't said already
            break
        _fit(weights, gram, along, [*np.flatnonzero(weights), best])
    return weights


def _fit(weights: Floats64, gram: Floats64, along: Floats64, active: list[int]) -> None:
    """Least squares of the active columns, with weights in [0, `MOST`], in place.

    One weight after the other: within a box that finds the best of all.
    """
    for _ in range(SWEEPS):
        moved = 0.0
        for column in active:
            step = (along[column] - gram[column] @ weights) / max(gram[column, column], 1e-300)
            weight = min(max(weights[column] + step, 0.0), MOST)
            moved = max(moved, abs(weight - weights[column]))
            weights[column] = weight
        if moved < 1e-6:
            break


def _energy(values: Floats64) -> float:
    return float(values @ values)


def _length(values: Floats64) -> float:
    return float(np.sqrt(values @ values))
