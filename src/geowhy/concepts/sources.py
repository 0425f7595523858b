"""Where the directions of concepts come from: the Earth, or a text encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from geowhy.arrays import Floats32
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import DataError

__all__ = ["BankSource", "GroundedSource", "TextEncoder", "TextSource", "fit_grounded"]


class BankSource(Protocol):
    """Gives concepts their directions."""

    @property
    def name(self) -> str:
        """What a bank made from it says of itself."""

    def directions(self, vocabulary: Vocabulary) -> Floats32:
        """``[d, k]`` for the k concepts of a vocabulary."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundedSource:
    """Directions along which places differ as the groundings say.

    Attributes:
        embeddings: centred embeddings of training places ``[N, d]``.
        truth: of all concepts there ``[N, k]``, NaN where unknown.
        ridge: relative to the mean variance of the embeddings.
    """

    name: ClassVar[str] = "grounded"

    embeddings: Floats32
    truth: Floats32
    ridge: float = 1e-3

    def directions(self, vocabulary: Vocabulary) -> Floats32:
        """Fitted by ridge regression, ``[d, k]``.

        Raises:
            DataError: naming a concept that is the same at all training places.
        """
        return fit_grounded(self.embeddings, self.truth, self.ridge, vocabulary.names)


class TextEncoder(Protocol):
    """Turns texts into embeddings."""

    def encode(self, texts: Sequence[str]) -> Floats32:
        """``[N, t]`` for N texts."""


@dataclass(frozen=True, slots=True, eq=False)
class TextSource:
    """Directions from the prompts of concepts.

    Attributes:
        encoder: reads the prompts.
        into_location_space: brings its embeddings ``[N, t]`` to ``[N, d]``: the image head of a
            model whose images share the encoder's space, or a fitted adapter.
    """

    name: ClassVar[str] = "text"

    encoder: TextEncoder
    into_location_space: Callable[[Floats32], Floats32]

    def directions(self, vocabulary: Vocabulary) -> Floats32:
        """Mean of each concept's unit prompts, less the mean of all concepts; unit ``[d, k]``.

        Without the subtraction all directions are much alike, as texts of one encoder are.
        """
        prompts = [prompt for concept in vocabulary.concepts for prompt in concept.prompts]
        counts = [len(concept.prompts) for concept in vocabulary.concepts]
        embedded = _unit(self.encoder.encode(prompts))
        starts = np.cumsum([0, *counts[:-1]])
        means = np.add.reduceat(embedded, starts) / np.array(counts, np.float32)[:, None]
        placed = self.into_location_space(_unit(means.astype(np.float32)))
        return np.ascontiguousarray(_unit(placed - placed.mean(axis=0)).T)


def fit_grounded(
    embeddings: Floats32, truth: Floats32, ridge: float = 1e-3, names: Sequence[str] = ()
) -> Floats32:
    """Directions ``[d, k]`` along which embeddings ``[N, d]`` predict ``truth`` ``[N, k]``.

    Ridge regression of each concept's standardised truth, so that ``embeddings @ directions``
    estimates by how many standard deviations a place exceeds the average place. The embeddings
    are expected centred. Truth that is NaN counts as average. ``ridge`` is relative to the mean
    variance of the embeddings.

    Raises:
        DataError: if a concept is the same at every place.
    """
    mean, spread = np.nanmean(truth, axis=0), np.nanstd(truth, axis=0)
    if not (spread > 0).all():
        number = int(np.argmin(spread > 0))
        raise DataError(
            f"concept {names[number] if names else number!r} is the same at all {len(truth)} "
            "training places, so nothing can tell it: give more places, or take it out of the "
            "vocabulary"
        )
    target = np.nan_to_num((truth - mean) / spread, nan=0.0).astype(np.float64)
    x = embeddings.astype(np.float64)
    gram = x.T @ x / len(x)
    gram += ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram, x.T @ target / len(x)).astype(np.float32)


def _unit(rows: Floats32) -> Floats32:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, np.finfo(np.float32).tiny), np.float32)
