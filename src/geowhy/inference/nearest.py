"""The gallery points nearest to images, without a table of images by places.

The gallery goes by in blocks. Of each, only what an answer needs is kept: the best points so far,
the sum of all exponentials, and their sum by cell. Memory is that of one block of scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NearestPlaces", "nearest_places"]

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Rows = NDArray[np.intp]

BLOCK = 16_384  # places; with 32 images: 2 MB of scores


@dataclass(frozen=True, slots=True, eq=False)
class NearestPlaces:
    """The k best of M places for each of N images.

    Attributes:
        rows: of the places, best first ``[N, k]``.
        probability: of each, in the softmax over all M places, ``[N, k]``.
        cell_mass: probability of each of C cells, ``[N, C]``.
    """

    rows: Rows
    probability: Floats
    cell_mass: Floats


def nearest_places(
    queries: Floats32,
    units: Floats32,
    log_prior: Floats32 | None,
    point_to_cell: NDArray[np.int32],
    cells: int,
    top_k: int,
) -> NearestPlaces:
    """Softmax retrieval of ``queries`` ``[N, d]``, scaled, among unit embeddings ``[M, d]``.

    ``log_prior`` ``[M]`` is added to the logits. Each place lies in one of C ``cells``,
    ``point_to_cell`` ``[M]``.
    """
    kept = _Kept.empty(len(queries), cells)
    for start in range(0, len(units), BLOCK):
        block = slice(start, start + BLOCK)
        logits = queries @ units[block].T
        if log_prior is not None:
            logits += log_prior[block]
        kept.add(logits, start, point_to_cell[block], min(top_k, len(units)))
    return kept.normalised()


@dataclass(slots=True, eq=False)
class _Kept:
    """What is known after some blocks; exponentials are relative to the ``peak`` so far."""

    peak: Floats32
    total: Floats
    cell_mass: Floats
    rows: Rows
    logits: Floats32

    @classmethod
    def empty(cls, images: int, cells: int) -> _Kept:
        return cls(
            np.full(images, -np.inf, np.float32),
            np.zeros(images),
            np.zeros((images, cells)),
            np.empty((images, 0), np.intp),
            np.empty((images, 0), np.float32),
        )

    def add(
        self, logits: Floats32, start: int, point_to_cell: NDArray[np.int32], top_k: int
    ) -> None:
        """Takes in a block ``[N, B]`` of places from ``start`` on."""
        self._keep_best(logits, start, top_k)
        peak = np.maximum(self.peak, logits.max(axis=1))
        shrunk = np.exp((self.peak - peak).astype(np.float64))
        self.total *= shrunk
        if (shrunk < 1).any():
            self.cell_mass *= shrunk[:, None]
        logits -= peak[:, None]
        np.exp(logits, out=logits)
        self.total += logits.sum(axis=1, dtype=np.float64)
        for mass, weights in zip(self.cell_mass, logits, strict=True):
            mass += np.bincount(point_to_cell, weights, len(mass))
        self.peak = peak

    def normalised(self) -> NearestPlaces:
        """Probabilities in place of exponentials."""
        best = np.exp((self.logits - self.peak[:, None]).astype(np.float64))
        total = self.total[:, None]
        return NearestPlaces(self.rows, best / total, self.cell_mass / total)

    def _keep_best(self, logits: Floats32, start: int, top_k: int) -> None:
        """Equal scores keep the order of the gallery."""
        count = min(top_k, logits.shape[1])
        some = np.argpartition(-logits, count - 1, axis=1)[:, :count]
        rows = np.concatenate([self.rows, some + start], axis=1)
        values = np.concatenate([self.logits, np.take_along_axis(logits, some, 1)], axis=1)
        order = np.lexsort((rows, -values), axis=1)[:, :top_k]
        self.rows = np.take_along_axis(rows, order, 1)
        self.logits = np.take_along_axis(values, order, 1)
