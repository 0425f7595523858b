"""The concept basis: one direction of the location space for each concept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import DataError

__all__ = ["ConceptBank", "fit_grounded"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ConceptBank:
    """Concepts and their fixed directions, the ``E`` of arXiv 2509.01910, eq. 1.

    Attributes:
        names: names of the k concepts.
        categories: category of each.
        directions: ``[d, k]``.
        source: how the directions were made, ``grounded``.
        vocabulary_digest: SHA-256 of the vocabulary behind them.
    """

    names: tuple[str, ...]
    categories: tuple[str, ...]
    directions: Floats
    source: str
    vocabulary_digest: str


def fit_grounded(embeddings: Floats, truth: Floats, ridge: float = 1e-3) -> Floats:
    """Directions ``[d, k]`` along which embeddings ``[N, d]`` predict ``truth`` ``[N, k]``.

    Ridge regression of each concept's standardised truth, so that ``embeddings @ directions``
    estimates by how many standard deviations a place exceeds the average place. The embeddings
    are expected centred. Truth that is NaN counts as average. ``ridge`` is relative to the mean
    variance of the embeddings.

    Raises:
        DataError: if a concept is true, or false, at every place.
    """
    mean, spread = np.nanmean(truth, axis=0), np.nanstd(truth, axis=0)
    if not (spread > 0).all():
        raise DataError(
            f"concept number {int(np.argmin(spread > 0))} is the same at all {len(truth)} training "
            "places, so nothing can tell it: give more places, or take it out of the vocabulary"
        )
    target = np.nan_to_num((truth - mean) / spread, nan=0.0).astype(np.float64)
    x = embeddings.astype(np.float64)
    gram = x.T @ x / len(x)
    gram += ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram, x.T @ target / len(x)).astype(np.float32)
