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
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geowhy.model.tensors import required_tensors

__all__ = ["ConceptAligner", "ImageSide", "LocationSide", "Objective", "Space", "normalised"]

Floats = NDArray[np.float32]
Objective = Literal["concept", "geoclip"]
Space = Literal["embedding", "concept", "both"]

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
    "basis",
    "offset",
    "log_scale",
)


@dataclass(frozen=True, slots=True, eq=False)
class ImageSide:
    """Images, ready to be scored; unit rows ``[N, d]`` and ``[N, k]``.

    ``maps``, ``[N, r]``, are pulls of a `MapMatcher`, and ``map_weight`` is its weight; ``[N, 0]``
    and 0 in a model without one.
    """

    embedding: Floats
    concepts: Floats
    maps: Floats
    map_weight: float

    def rows(self, chosen: slice) -> ImageSide:
        """Some of the images."""
        parts = (self.embedding[chosen], self.concepts[chosen], self.maps[chosen])
        return ImageSide(*parts, self.map_weight)


@dataclass(frozen=True, slots=True, eq=False)
class LocationSide:
    """Places, ready to be scored; unit rows ``[M, d]`` and ``[M, k]``.

    ``embedding`` is empty, ``[M, 0]``, where the model scores in the concept space alone. ``maps``
    ``[M, r]`` and ``norms`` ``[M, m]`` are those of a `MapMatcher`; empty in a model without one.
    """

    embedding: Floats
    concepts: Floats
    maps: Floats
    norms: Floats

    def mean(self, rows: NDArray[np.intp], weights: Floats) -> LocationSide:
        """The weighted mean of some of the places, one row; weights add up to 1."""
        parts = (self.embedding, self.concepts, self.maps, self.norms)
        return LocationSide(*(weights[None] @ part[rows] for part in parts))


class ConceptAligner:
    """Scores images against places, concept by concept.

    Attributes:
        space: where scores are taken: ``embedding``, ``concept``, or ``both`` added up.
        tensors: the weights by name, float32.
    """

    def __init__(self, tensors: Mapping[str, Floats], space: Space) -> None:
        """Takes the weights.

        Raises:
            ModelFormatError: if one is missing.
        """
        self.space: Space = space
        self.tensors = required_tensors("the alignment", tensors, TENSORS)

    @property
    def scale(self) -> float:
        """Inverse temperature of the scores, 1 / τ."""
        return float(np.exp(self.tensors["log_scale"].item()))

    @property
    def basis(self) -> Floats:
        """``B = E + Δ``, ``[d, k]``."""
        return self.tensors["basis"] + self.tensors["offset"]

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
        return ImageSide(normalised(embedding), normalised(scores), _nothing(features), 0.0)

    def location_side(self, embeddings: Floats) -> LocationSide:
        """From embeddings of the location encoder ``[M, d]``."""
        centred = embeddings - self.tensors["location_mean"]
        kept = centred if self.space != "concept" else centred[:, :0]
        return LocationSide(
            normalised(kept),
            normalised(np.asarray(centred @ self.basis, np.float32)),
            _nothing(embeddings),
            _nothing(embeddings),
        )

    def scores(self, images: ImageSide, places: LocationSide) -> Floats:
        """Logits ``[N, M]`` of places given images, before calibration."""
        similarity = np.zeros((len(images.concepts), len(places.concepts)), np.float32)
        if self.space != "concept":
            similarity += images.embedding @ places.embedding.T
        if self.space != "embedding":
            similarity += images.concepts @ places.concepts.T
        similarity *= np.float32(self.scale)
        agreement = images.maps @ places.maps.T - places.norms.sum(axis=1)
        similarity += np.float32(images.map_weight) * agreement
        return similarity

    def _layer(self, name: str, x: Floats) -> Floats:
        return np.asarray(
            x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"], np.float32
        )

    def _relu_layer(self, name: str, x: Floats) -> Floats:
        return np.asarray(np.maximum(self._layer(name, x), 0), np.float32)


def _nothing(rows: Floats) -> Floats:
    return np.empty((len(rows), 0), np.float32)


def normalised(x: Floats) -> Floats:
    """Rows of ``[N, d]`` scaled to length 1; rows of zeros stay."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.maximum(length, np.finfo(np.float32).tiny), np.float32)
