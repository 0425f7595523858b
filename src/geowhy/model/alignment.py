"""The concept-aware alignment: images and locations projected onto a shared bank of concepts.

``x_img`` and ``x_loc`` are embeddings ``[N, d]``. The concept basis is ``B = E + Δ`` ``[d, k]``
(arXiv 2509.01910, eq. 1), concept scores are ``z_img = f_img(x_img)`` (eq. 2) and
``z_loc = x_loc B`` (eq. 3). The network of the image side is `geowhy.training.aligner`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from geowhy.arrays import Floats32, Ints
from geowhy.concepts.bank import ConceptBank
from geowhy.errors import ModelFormatError
from geowhy.model.concept_terms import (
    ConceptImages,
    ConceptPlaces,
    ConceptTerm,
    EmbeddingImages,
    EmbeddingPlaces,
    EmbeddingTerm,
    normalised,
)
from geowhy.model.networks import run_network
from geowhy.model.store import required_tensors
from geowhy.model.terms import Encoded, Part, ScoreTerm

__all__ = ["LAYERS", "Aligner", "ConceptAligner", "Objective", "Space", "ridge_inverse"]

Objective = Literal["concept", "geoclip"]
Space = Literal["embedding", "concept", "both"]

Columns = slice | Ints

ALL = slice(None)
DECOMPOSITION_RIDGE = 0.01  # of the mean square of the concept directions

LAYERS = ("head_0", "head_1", "concept_0", "concept_1")
TENSORS = (
    *("feature_mean", "feature_spread", "whitening", "location_mean", "offset", "log_scale"),
    *(f"{layer}.{kind}" for layer in LAYERS for kind in ("weight", "bias")),
)


class Aligner(Protocol):
    """What scores images against places, concept by concept."""

    space: Space
    bank: ConceptBank
    basis: Floats32  # B, [d, k]
    tensors: dict[str, Floats32]

    @property
    def scale(self) -> float:
        """Inverse temperature of the scores."""

    @property
    def terms(self) -> tuple[ScoreTerm, ...]:
        """What its scores are sums of."""

    def whitened(self, features: Floats32) -> Floats32:
        """Features as the head takes them, ``[N, w]``."""

    def outputs(self, features: Floats32) -> tuple[Floats32, Floats32]:
        """Unit embeddings ``[N, d]`` and ``z_img`` ``[N, k]`` of backbone features ``[N, f]``."""

    def image_side(self, features: Floats32) -> Encoded:
        """From backbone features ``[N, f]``."""

    def location_side(self, embeddings: Floats32) -> Encoded:
        """From embeddings of the location encoder ``[M, d]``."""

    def centred(self, places: Encoded) -> Floats32:
        """Embeddings of places as concepts are read off them, ``[M, d]``."""

    def concept_scores(self, places: Encoded, columns: Columns = ALL) -> Floats32:
        """``z_loc``, ``[M, k]``."""

    def packed(self, places: Encoded) -> tuple[Floats32, Floats32]:
        """Scaled embeddings ``[M, d]`` and lengths ``[M, 1]``, from which places can be had."""

    def unpacked(self, scaled: Floats32, length: Floats32) -> Encoded:
        """Places from what `packed` gave, ``[M, d]`` and ``[M, 1]``."""


def ridge_inverse(basis: Floats32) -> Floats32:
    """How much of each of k concepts a vector is, as a matrix ``[k, d]``, from ``B`` ``[d, k]``.

    Ridge regression: many concepts point nearly the same way, and a plain pseudo-inverse would
    explain a vector by large shares of opposite signs. What it leaves over is unexplained.
    """
    b = basis.astype(np.float64)
    gram = b.T @ b
    gram += DECOMPOSITION_RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram, b.T).astype(np.float32)


class ConceptAligner:
    """Scores images against places, concept by concept.

    Attributes:
        space: where scores are taken: ``embedding``, ``concept``, or ``both`` added up.
        bank: the concepts, and their fixed directions ``E``.
        tensors: the weights by name, float32.
        basis: ``B = E + Δ``, ``[d, k]``.
    """

    def __init__(self, tensors: Mapping[str, Floats32], bank: ConceptBank, space: Space) -> None:
        """Takes the weights.

        Raises:
            ModelFormatError: if one is missing, or the bank is another model's.
        """
        self.space: Space = space
        self.bank = bank
        self.tensors = required_tensors("the alignment", tensors, TENSORS)
        if self.tensors["offset"].shape != bank.directions.shape:
            raise ModelFormatError(
                f"the alignment has offsets {self.tensors['offset'].shape} for a concept bank "
                f"{bank.directions.shape}: they belong to different models; get the model anew"
            )
        self.basis = bank.directions + self.tensors["offset"]

    @property
    def scale(self) -> float:
        """Inverse temperature of the scores, 1 / τ."""
        return float(np.exp(self.tensors["log_scale"].item()))

    @cached_property
    def decomposition(self) -> Floats32:
        """``[k, d]``: how much of each concept an embedding is."""
        return ridge_inverse(self.basis)

    @cached_property
    def terms(self) -> tuple[ScoreTerm, ...]:
        """What its scores are sums of."""
        names, categories = self.bank.names, self.bank.categories
        terms: list[ScoreTerm] = []
        if self.space != "embedding":
            terms.append(ConceptTerm(names, categories, self.basis, self.scale))
        if self.space != "concept":
            terms.append(
                EmbeddingTerm(names, categories, self.basis, self.decomposition, self.scale)
            )
        return tuple(terms)

    def whitened(self, features: Floats32) -> Floats32:
        """Backbone features ``[N, f]``, standardised and projected to ``[N, w]``."""
        return run_network("image_head", self.tensors, features=features)[0]

    def outputs(self, features: Floats32) -> tuple[Floats32, Floats32]:
        """Unit embeddings ``[N, d]`` and ``z_img`` ``[N, k]`` of backbone features ``[N, f]``."""
        _, embedding, concepts = run_network("image_head", self.tensors, features=features)
        return embedding, concepts

    def image_side(self, features: Floats32) -> Encoded:
        """From backbone features ``[N, f]``."""
        embedding, concepts = self.outputs(features)
        parts: list[Part] = []
        if self.space != "embedding":
            parts.append(ConceptImages.of(concepts))
        if self.space != "concept":
            parts.append(EmbeddingImages(embedding))
        return Encoded(tuple(parts))

    def location_side(self, embeddings: Floats32) -> Encoded:
        """From embeddings of the location encoder ``[M, d]``."""
        centred = embeddings - self.tensors["location_mean"]
        length = np.linalg.norm(centred @ self.basis, axis=1, keepdims=True)
        return self.unpacked(centred / np.maximum(length, np.finfo(np.float32).tiny), length)

    def centred(self, places: Encoded) -> Floats32:
        """Embeddings of places less their mean, ``[M, d]``."""
        scaled, length = self.packed(places)
        return np.asarray(scaled * length, np.float32)

    def concept_scores(self, places: Encoded, columns: Columns = ALL) -> Floats32:
        """``z_loc`` of all k concepts, or of some columns of them, ``[M, k]``.

        By how many standard deviations a place exceeds the average place, as the model has it.
        """
        scaled, length = self.packed(places)
        return np.asarray((scaled @ self.basis[:, columns]) * length, np.float32)

    def packed(self, places: Encoded) -> tuple[Floats32, Floats32]:
        """Scaled embeddings ``[M, d]`` and lengths ``[M, 1]``, from which places can be had."""
        if self.space == "embedding":
            of_embedding = places.part(EmbeddingPlaces)
            return of_embedding.unit, of_embedding.norm
        of_concepts = places.part(ConceptPlaces)
        return of_concepts.scaled, of_concepts.length

    def unpacked(self, scaled: Floats32, length: Floats32) -> Encoded:
        """Places from scaled embeddings ``[M, d]`` and lengths ``[M, 1]``."""
        concepts = ConceptPlaces(scaled, length)
        if self.space == "concept":
            return Encoded((concepts,))
        norm = np.linalg.norm(scaled, axis=1, keepdims=True) * length
        embedding = EmbeddingPlaces(normalised(scaled), np.asarray(norm, np.float32))
        return Encoded((embedding,) if self.space == "embedding" else (concepts, embedding))
