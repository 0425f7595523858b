"""GeoCLIP's alignment as released: unit embeddings of photographs against those of places.

Nothing of it is changed, so scores are the package's own. Concepts are read off its embeddings:
``z_loc = x_loc B`` and ``z_img = x_img B``, with the directions of a bank as the basis.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geowhy.concepts.bank import ConceptBank
from geowhy.errors import ModelFormatError
from geowhy.model.alignment import (
    ALL,
    Columns,
    ImageSide,
    LocationSide,
    Space,
    normalised,
    ridge_inverse,
)
from geowhy.model.tensors import required_tensors

__all__ = ["GeoClipAligner"]

Floats = NDArray[np.float32]

TENSORS = ("layer_0.weight", "layer_0.bias", "layer_1.weight", "layer_1.bias", "logit_scale")


class GeoClipAligner:
    """Scores photographs against places as GeoCLIP does (arXiv 2309.16020).

    Attributes:
        space: "embedding": no concept takes part in a score.
        bank: the concepts that explain scores.
        basis: their directions, ``[512, k]``.
        tensors: the released head and temperature by name.
    """

    def __init__(self, tensors: Mapping[str, Floats], bank: ConceptBank) -> None:
        """Takes the weights of ``head.safetensors``.

        Raises:
            ModelFormatError: if one is missing, or the bank belongs to another space.
        """
        self.space: Space = "embedding"
        self.tensors = required_tensors("GeoCLIP's head", tensors, TENSORS)
        self.bank = bank
        self.basis = bank.directions
        size = len(self.tensors["layer_1.bias"])
        if len(self.basis) != size:
            raise ModelFormatError(
                f"GeoCLIP's head gives embeddings of {size} numbers, but the concept bank has "
                f"directions of {len(self.basis)}: give a bank that was made for GeoCLIP"
            )

    @property
    def scale(self) -> float:
        """Inverse temperature of the scores."""
        return float(np.exp(self.tensors["logit_scale"].item()))

    @property
    def feature_size(self) -> int:
        """Length of CLIP's projected features."""
        return int(self.tensors["layer_0.weight"].shape[1])

    @cached_property
    def decomposition(self) -> Floats:
        """``[k, 512]``: how much of each concept an embedding is."""
        return ridge_inverse(self.basis)

    def whitened(self, features: Floats) -> Floats:
        """CLIP's features as they are, ``[N, 768]``."""
        return features

    def embed(self, features: Floats) -> Floats:
        """CLIP features of images or texts ``[N, 768]`` to unit embeddings ``[N, 512]``."""
        t = self.tensors
        hidden = np.maximum(features @ t["layer_0.weight"].T + t["layer_0.bias"], 0)
        return normalised(hidden @ t["layer_1.weight"].T + t["layer_1.bias"])

    def image_side(self, features: Floats) -> ImageSide:
        """From CLIP features ``[N, 768]``."""
        return self.placed_images(self.embed(features))

    def placed_images(self, embeddings: Floats) -> ImageSide:
        """From embeddings ``[N, 512]``: of single crops, or means over crops.

        The mean of the embeddings gives the mean of the logits of the crops.
        """
        return ImageSide(embeddings, embeddings @ self.basis, embeddings[:, :0], 0.0)

    def location_side(self, embeddings: Floats) -> LocationSide:
        """From embeddings of the location encoder ``[M, 512]``."""
        return self.placed(normalised(embeddings))

    def placed(self, unit: Floats) -> LocationSide:
        """From unit embeddings ``[M, 512]``, which are not copied."""
        nothing = np.empty((len(unit), 0), np.float32)
        return LocationSide(unit, np.ones((len(unit), 1), np.float32), unit, nothing, nothing)

    def concept_scores(self, places: LocationSide, columns: Columns = ALL) -> Floats:
        """``z_loc`` of all k concepts, or of some columns of them, ``[M, k]``.

        They order places by a concept; what counts as average differs from concept to concept.
        """
        return np.asarray(places.unit @ self.basis[:, columns], np.float32)

    def scores(self, images: ImageSide, places: LocationSide) -> Floats:
        """Logits ``[N, M]`` of places given images."""
        return np.asarray((images.embedding * np.float32(self.scale)) @ places.unit.T, np.float32)
