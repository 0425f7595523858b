"""The concept-aware alignment: images and locations projected onto a shared bank of concepts.

``x_img`` and ``x_loc`` are embeddings ``[N, d]``. The concept basis is ``B = E + Δ`` ``[d, k]``
(arXiv 2509.01910, eq. 1), concept scores are ``z_img = f_img(x_img)`` (eq. 2) and
``z_loc = x_loc B`` (eq. 3). A model with a `MapMatcher` adds how well the maps read off an image
agree with the maps of a place. This is the numpy form, for inference; `geowhy.training.aligner` is
the same with gradients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from geowhy.assets.memmap import in_parts, is_mapped
from geowhy.concepts.bank import ConceptBank
from geowhy.errors import ModelFormatError
from geowhy.model.tensors import required_tensors

__all__ = [
    "Aligner",
    "ConceptAligner",
    "ImageSide",
    "LocationSide",
    "Objective",
    "Space",
    "normalised",
    "ridge_inverse",
]

Floats = NDArray[np.float32]
Objective = Literal["concept", "geoclip"]
Space = Literal["embedding", "concept", "both"]

Columns = slice | NDArray[np.intp]

ALL = slice(None)
DECOMPOSITION_RIDGE = 0.01  # of the mean square of the concept directions
FEATURE_LIMIT = 6.0  # standard deviations; a stray feature shall not drown the others

TENSORS = (
    "feature_mean",
    "feature_spread",
    "whitening",
    "head_0.weight",
    "head_0.bias",
    "head_1.weight",
    "head_1.bias",
    "concept_0.weight",
    "concept_0.bias",
    "concept_1.weight",
    "concept_1.bias",
    "location_mean",
    "offset",
    "log_scale",
)


@dataclass(frozen=True, slots=True, eq=False)
class ImageSide:
    """Images, ready to be scored.

    Attributes:
        embedding: unit rows ``[N, d]``.
        concepts: ``z_img``, ``[N, k]``.
        maps: pulls of a `MapMatcher`, ``[N, r]``; ``[N, 0]`` in a model without one.
        map_weight: its weight; 0 without one.
        map_shares: how much of each of its m maps counts, ``[N, m]``; None for all of them in full.
            ``maps`` have their shares already, what places pay for them has not.
        length: of ``concepts`` before some were taken away, ``[N, 1]``; None for their own length.
    """

    embedding: Floats
    concepts: Floats
    maps: Floats
    map_weight: float
    map_shares: Floats | None = None
    length: Floats | None = None

    @property
    def unit_concepts(self) -> Floats:
        """``z_img`` as it is scored, ``[N, k]``: of length 1 where all concepts are there."""
        if self.length is None:
            return normalised(self.concepts)
        return np.asarray(self.concepts / self.length, np.float32)

    def rows(self, chosen: slice) -> ImageSide:
        """Some of the images."""
        parts = (self.embedding[chosen], self.concepts[chosen], self.maps[chosen])
        shares = None if self.map_shares is None else self.map_shares[chosen]
        length = None if self.length is None else self.length[chosen]
        return ImageSide(*parts, self.map_weight, shares, length)

    def averaged(self, count: int) -> ImageSide:
        """The means of each ``count`` images in a row, such as the crops of one.

        Where scores are taken of embeddings, they are then the means of the crops' scores.
        """
        if count == 1:
            return self
        embedding, concepts, maps = (
            part.reshape(len(part) // count, count, part.shape[1]).mean(axis=1)
            for part in (self.embedding, self.concepts, self.maps)
        )
        return ImageSide(embedding, concepts, maps, self.map_weight)


@dataclass(frozen=True, slots=True, eq=False)
class LocationSide:
    """Places, ready to be scored.

    Attributes:
        scaled: centred embeddings ``[M, d]`` over ``length``: their concept scores have length 1.
        length: of the concept scores, ``[M, 1]``.
        unit: the same embeddings scaled to length 1; empty, ``[M, 0]``, where the model scores in
            the concept space alone.
        maps: ``[M, r]`` of a `MapMatcher`; ``[M, 0]`` in a model without one.
        norms: ``[M, m]`` of a `MapMatcher`; ``[M, 0]`` in a model without one.
    """

    scaled: Floats
    length: Floats
    unit: Floats
    maps: Floats
    norms: Floats

    @classmethod
    def of(
        cls, space: Space, scaled: Floats, length: Floats, maps: Floats, norms: Floats
    ) -> LocationSide:
        """From embeddings ``[M, d]`` that are scaled already, for scores in a space."""
        unit = scaled[:, :0] if space == "concept" else normalised(scaled)
        return cls(scaled, length, unit, maps, norms)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> LocationSide:
        """Some of the places; an array that serves twice is copied once."""
        scaled = self.scaled[chosen]
        unit = scaled if self.unit is self.scaled else self.unit[chosen]
        return LocationSide(
            scaled, self.length[chosen], unit, self.maps[chosen], self.norms[chosen]
        )

    def mean(self, rows: NDArray[np.intp], weights: Floats) -> LocationSide:
        """The weighted mean of some of the places, one row; weights add up to 1."""
        parts = (self.scaled, self.length, self.unit, self.maps, self.norms)
        return LocationSide(*(_mean(part, rows, weights) for part in parts))


class Aligner(Protocol):
    """What scores images against places, concept by concept.

    Attributes:
        space: where scores are taken.
        bank: the concepts.
        basis: ``B``, ``[d, k]``.
        tensors: the weights by name.
    """

    space: Space
    bank: ConceptBank
    basis: Floats
    tensors: dict[str, Floats]

    @property
    def scale(self) -> float:
        """Inverse temperature of the scores."""

    @property
    def feature_size(self) -> int:
        """How many of a backbone's features it reads, from the first on."""

    @property
    def decomposition(self) -> Floats:
        """``[k, d]``: how much of each concept an embedding is."""

    def whitened(self, features: Floats) -> Floats:
        """Features as the head takes them, ``[N, w]``."""

    def image_side(self, features: Floats) -> ImageSide:
        """From backbone features ``[N, feature_size]``."""

    def location_side(self, embeddings: Floats) -> LocationSide:
        """From embeddings of the location encoder ``[M, d]``."""

    def concept_scores(self, places: LocationSide, columns: Columns = ALL) -> Floats:
        """``z_loc``, ``[M, k]``."""

    def scores(self, images: ImageSide, places: LocationSide) -> Floats:
        """Logits ``[N, M]``, before calibration."""


def ridge_inverse(basis: Floats) -> Floats:
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

    def __init__(self, tensors: Mapping[str, Floats], bank: ConceptBank, space: Space) -> None:
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

    @property
    def feature_size(self) -> int:
        """How many of the backbone's features it reads; a map reader may read more."""
        return len(self.tensors["feature_mean"])

    @cached_property
    def decomposition(self) -> Floats:
        """``[k, d]``: how much of each concept an embedding is."""
        return ridge_inverse(self.basis)

    def whitened(self, features: Floats) -> Floats:
        """Backbone features ``[N, f]``, standardised and projected to ``[N, w]``."""
        t = self.tensors
        standard = (features - t["feature_mean"]) / t["feature_spread"]
        clipped = np.clip(standard, -FEATURE_LIMIT, FEATURE_LIMIT)
        return np.asarray(clipped @ t["whitening"], np.float32)

    def image_side(self, features: Floats) -> ImageSide:
        """From backbone features ``[N, f]``."""
        hidden = self._relu_layer("head_0", self.whitened(features))
        embedding = self._layer("head_1", hidden)
        scores = self._layer("concept_1", self._relu_layer("concept_0", embedding))
        return ImageSide(normalised(embedding), scores, _nothing(features), 0.0)

    def location_side(self, embeddings: Floats) -> LocationSide:
        """From embeddings of the location encoder ``[M, d]``."""
        centred = embeddings - self.tensors["location_mean"]
        length = np.linalg.norm(centred @ self.basis, axis=1, keepdims=True)
        scaled = centred / np.maximum(length, np.finfo(np.float32).tiny)
        nothing = _nothing(embeddings)
        return LocationSide.of(self.space, scaled, length, nothing, nothing)

    def concept_scores(self, places: LocationSide, columns: Columns = ALL) -> Floats:
        """``z_loc`` of all k concepts, or of some columns of them, ``[M, k]``.

        By how many standard deviations a place exceeds the average place, as the model has it.
        """
        return (places.scaled @ self.basis[:, columns]) * places.length

    def scores(self, images: ImageSide, places: LocationSide) -> Floats:
        """Logits ``[N, M]`` of places given images, before calibration."""
        similarity = np.zeros((len(images.concepts), len(places.scaled)), np.float32)
        if self.space != "concept":
            similarity += images.embedding @ places.unit.T
        if self.space != "embedding":
            similarity += (images.unit_concepts @ self.basis.T) @ places.scaled.T
        similarity *= np.float32(self.scale)
        paid = places.norms.sum(axis=1)
        if images.map_shares is not None:
            paid = images.map_shares @ places.norms.T
        agreement = images.maps @ places.maps.T - paid
        similarity += np.float32(images.map_weight) * agreement
        return similarity

    def _layer(self, name: str, x: Floats) -> Floats:
        return np.asarray(
            x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"], np.float32
        )

    def _relu_layer(self, name: str, x: Floats) -> Floats:
        return np.asarray(np.maximum(self._layer(name, x), 0), np.float32)


def _mean(part: Floats, rows: NDArray[np.intp], weights: Floats) -> Floats:
    if not is_mapped(part):
        return np.asarray(weights[None] @ part[rows], np.float32)
    taken = np.concatenate(list(in_parts(part, rows)))
    return np.asarray(weights[None] @ taken, np.float32)


def _nothing(rows: Floats) -> Floats:
    return np.empty((len(rows), 0), np.float32)


def normalised(x: Floats) -> Floats:
    """Rows of ``[N, d]`` scaled to length 1; rows of zeros stay."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.maximum(length, np.finfo(np.float32).tiny), np.float32)
