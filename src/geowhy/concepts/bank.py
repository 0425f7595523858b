"""The concept bank: concepts with one fixed direction of the location space each, as a file.

The directions come from the Earth, along which places differ as groundings say (`fit_grounded`), or
from a text encoder (`text_directions`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from geowhy.arrays import Floats32
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import DataError

__all__ = ["BANK_FILE", "PLACE_BANK_FILE", "ConceptBank", "fit_grounded", "text_directions"]

BANK_FILE = "bank.safetensors"
PLACE_BANK_FILE = "place_bank.safetensors"
DIRECTIONS = "directions"
LISTS = ("ids", "names", "categories")


@dataclass(frozen=True, slots=True, eq=False)
class ConceptBank:
    """k concepts and their fixed directions, the ``E`` of arXiv 2509.01910, eq. 1."""

    ids: tuple[str, ...]
    names: tuple[str, ...]  # as shown to people
    categories: tuple[str, ...]  # of each
    directions: Floats32  # [d, k], in the precision of float16, in which the file keeps them
    source: str  # how the directions were made: "grounded" or "text"
    vocabulary_digest: str  # SHA-256 of the vocabulary behind them

    @classmethod
    def build(
        cls, vocabulary: Vocabulary, directions: Floats32, source: Literal["grounded", "text"]
    ) -> Self:
        """Of all concepts of a vocabulary, with directions ``[d, k]`` that a source gave."""
        return cls(
            ids=tuple(concept.id for concept in vocabulary.concepts),
            names=vocabulary.names,
            categories=tuple(concept.category for concept in vocabulary.concepts),
            directions=directions.astype(np.float16).astype(np.float32),
            source=source,
            vocabulary_digest=vocabulary.digest,
        )

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads a bank.

        Raises:
            DataError: if the file is missing or isn't a bank.
        """
        try:
            with safe_open(file, framework="numpy") as opened:
                said: dict[str, Any] = dict(opened.metadata() or {})
                directions = opened.get_tensor(DIRECTIONS).astype(np.float32)
            said |= {key: tuple(json.loads(said[key])) for key in LISTS}
            bank = cls(directions=directions, **said)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{file}: not a readable concept bank ({error}): get or train its model anew"
            ) from error
        if any(len(getattr(bank, key)) != directions.shape[1] for key in LISTS):
            raise DataError(f"{file}: names and directions differ in number: get it anew")
        return bank

    def to_bytes(self) -> bytes:
        """The content of the file."""
        said = {key: json.dumps(getattr(self, key), ensure_ascii=False) for key in LISTS}
        said |= {"source": self.source, "vocabulary_digest": self.vocabulary_digest}
        return save({DIRECTIONS: self.directions.astype(np.float16)}, said)

    @property
    def digest(self) -> str:
        """SHA-256 of all that the bank says; models name the bank that they were trained with."""
        said = [getattr(self, key) for key in LISTS] + [self.source, self.vocabulary_digest]
        content = json.dumps(said).encode() + self.directions.astype(np.float16).tobytes()
        return hashlib.sha256(content).hexdigest()


def text_directions(
    vocabulary: Vocabulary,
    encode: Callable[[Sequence[str]], Floats32],
    into_location_space: Callable[[Floats32], Floats32],
) -> Floats32:
    """Mean of each concept's unit prompts, less the mean of all concepts; unit ``[d, k]``.

    Without the subtraction all directions are much alike, as texts of one encoder are. ``encode``
    gives ``[N, t]`` for N texts, and ``into_location_space`` brings these to ``[N, d]``: the image
    head of a model whose images share the encoder's space, or a fitted adapter.
    """
    prompts = [prompt for concept in vocabulary.concepts for prompt in concept.prompts]
    counts = [len(concept.prompts) for concept in vocabulary.concepts]
    starts = np.cumsum([0, *counts[:-1]])
    means = np.add.reduceat(_unit(encode(prompts)), starts) / np.array(counts, np.float32)[:, None]
    placed = into_location_space(_unit(means.astype(np.float32)))
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
