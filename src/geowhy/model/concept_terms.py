"""Terms of a score whose contributors are concepts: in their own space, or along an embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Bools, Floats32, Floats64
from geowhy.model.terms import Edit, Encoded, Part

__all__ = [
    "ConceptImages",
    "ConceptPlaces",
    "ConceptTerm",
    "EmbeddingImages",
    "EmbeddingPlaces",
    "EmbeddingTerm",
    "normalised",
]


@dataclass(frozen=True, slots=True, eq=False)
class ConceptImages(Part):
    """Images by what they show."""

    concepts: Floats32  # z_img, [N, k]
    length: Floats32  # of concepts, or what it was before some were taken away, [N, 1]

    @classmethod
    def of(cls, concepts: Floats32) -> ConceptImages:
        """From ``z_img`` ``[N, k]``."""
        return cls(concepts, _length(concepts))


@dataclass(frozen=True, slots=True, eq=False)
class ConceptPlaces(Part):
    """Places by their concepts.

    Attributes:
        scaled: centred embeddings ``[M, d]`` over ``length``: their concept scores have length 1.
        length: of the concept scores, ``[M, 1]``.
    """

    scaled: Floats32
    length: Floats32


@dataclass(frozen=True, slots=True, eq=False)
class ConceptTerm:
    """Inner products of concept scores, both of length 1 (arXiv 2509.01910, eq. 2 to 4).

    Attributes:
        names, categories: of k concepts.
        basis: ``B``, ``[d, k]``.
        scale: inverse temperature, 1 / τ.
    """

    names: tuple[str, ...]
    categories: tuple[str, ...]
    basis: Floats32
    scale: float
    source: str = "concepts"
    are_concepts: bool = True

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Nats ``[N, M]``."""
        similarity = (self._unit(images) @ self.basis.T) @ places.part(ConceptPlaces).scaled.T
        similarity *= np.float32(self.scale)
        return np.asarray(similarity, np.float32)

    def contributions(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """Of each concept ``[M, k]``; nothing is left over."""
        along = places.part(ConceptPlaces).scaled.astype(np.float64) @ self.basis.astype(np.float64)
        return self.scale * self._unit(image)[0] * along, np.zeros(len(places))

    def activations(self, images: Encoded) -> Floats32:
        """``z_img`` at length 1, ``[N, k]``."""
        return normalised(images.part(ConceptImages).concepts)

    def exceeds(self, place: Encoded, reference: Encoded) -> Bools:
        """By their concept scores, ``[k]``."""
        here, there = (side.part(ConceptPlaces).scaled[0] for side in (place, reference))
        return np.asarray((here - there) @ self.basis > 0)

    def edited(self, image: Encoded, edit: Edit) -> ConceptImages:
        """With ``z_img`` edited; what is left keeps its length."""
        part = image.part(ConceptImages)
        concepts = edit(part.concepts)
        return ConceptImages(concepts, np.broadcast_to(part.length, (len(concepts), 1)))

    def _unit(self, images: Encoded) -> Floats32:
        part = images.part(ConceptImages)
        return np.asarray(part.concepts / part.length, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingImages(Part):
    """Images by their embeddings."""

    embedding: Floats32  # rows of length 1 [N, d], or means of such


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingPlaces(Part):
    """Places by their embeddings."""

    unit: Floats32  # rows of length 1 [M, d]
    norm: Floats32  # what their length was, [M, 1]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingTerm:
    """Cosines of embeddings (arXiv 2309.16020); concepts are read off both.

    Attributes:
        names, categories: of k concepts.
        basis: ``B``, ``[d, k]``.
        decomposition: how much of each concept an embedding is, ``[k, d]``.
        scale: inverse temperature, 1 / τ.
    """

    names: tuple[str, ...]
    categories: tuple[str, ...]
    basis: Floats32
    decomposition: Floats32
    scale: float
    source: str = "embedding"
    are_concepts: bool = True

    def scores(self, images: Encoded, places: Encoded) -> Floats32:
        """Nats ``[N, M]``."""
        embedding = images.part(EmbeddingImages).embedding * np.float32(self.scale)
        return np.asarray(embedding @ places.part(EmbeddingPlaces).unit.T, np.float32)

    def contributions(self, image: Encoded, places: Encoded) -> tuple[Floats64, Floats64]:
        """Of what lies along each concept ``[M, k]``; the rest ``[M]`` lies along none."""
        units = places.part(EmbeddingPlaces).unit.astype(np.float64)
        x = image.part(EmbeddingImages).embedding[0].astype(np.float64)
        basis = self.basis.astype(np.float64)
        along = units @ self.decomposition.T.astype(np.float64)
        rest = (units - along @ basis.T) @ x
        return self.scale * (x @ basis) * along, self.scale * rest

    def activations(self, images: Encoded) -> Floats32:
        """Along each concept, at length 1, ``[N, k]``."""
        return normalised(images.part(EmbeddingImages).embedding @ self.basis)

    def exceeds(self, place: Encoded, reference: Encoded) -> Bools:
        """By what lies along each concept, ``[k]``."""
        here, there = (side.part(EmbeddingPlaces).unit[0] for side in (place, reference))
        return np.asarray((here - there) @ self.basis > 0)

    def edited(self, image: Encoded, edit: Edit) -> EmbeddingImages:
        """Moved by what was edited along the concepts."""
        x = image.part(EmbeddingImages).embedding
        along = x @ self.basis
        moved = x + (edit(along) - along) @ self.decomposition
        return EmbeddingImages(np.asarray(moved, np.float32))


def normalised(x: Floats32) -> Floats32:
    """Rows of ``[N, d]`` scaled to length 1; rows of zeros stay."""
    return np.asarray(x / _length(x), np.float32)


def _length(x: Floats32) -> Floats32:
    """Of rows of ``[N, d]``, ``[N, 1]``, never 0."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(np.maximum(length, np.finfo(np.float32).tiny), np.float32)
