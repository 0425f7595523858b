"""GeoCLIP's alignment as released: unit embeddings of photographs against those of places.

Nothing of it is changed, so scores are the package's own. Concepts are read off its embeddings:
``z_loc = x_loc B`` and ``z_img = x_img B``, with the directions of a bank as the basis.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geowhy.arrays import Floats32
from geowhy.concepts.bank import ConceptBank
from geowhy.errors import ModelFormatError
from geowhy.model.alignment import ALL, Columns, Space, ridge_inverse
from geowhy.model.concept_terms import EmbeddingImages, EmbeddingPlaces, EmbeddingTerm, normalised
from geowhy.model.store import required_tensors
from geowhy.model.terms import Encoded, ScoreTerm

__all__ = ["GeoClipAligner"]

TENSORS = ("layer_0.weight", "layer_0.bias", "layer_1.weight", "layer_1.bias", "logit_scale")


class GeoClipAligner:
    """Scores photographs against places as GeoCLIP does (arXiv 2309.16020)."""

    def __init__(self, tensors: Mapping[str, Floats32], bank: ConceptBank) -> None:
        """Takes the weights of ``head.safetensors``.

        Raises:
            ModelFormatError: if one is missing, or the bank belongs to another space.
        """
        self.space: Space = "embedding"  # no concept takes part in a score
        self.tensors = required_tensors("GeoCLIP's head", tensors, TENSORS)
        self.bank = bank  # the concepts that explain scores
        self.basis = bank.directions  # [512, k]
        self.scale = float(np.exp(self.tensors["logit_scale"].item()))
        size = len(self.tensors["layer_1.bias"])
        if len(self.basis) != size:
            raise ModelFormatError(
                f"GeoCLIP's head gives embeddings of {size} numbers, but the concept bank has "
                f"directions of {len(self.basis)}: give a bank that was made for GeoCLIP"
            )
        inverse = ridge_inverse(self.basis)
        term = EmbeddingTerm(bank.names, bank.categories, self.basis, inverse, self.scale)
        self.terms: tuple[ScoreTerm, ...] = (term,)

    def whitened(self, features: Floats32) -> Floats32:
        """CLIP's features as they are, ``[N, 768]``."""
        return features

    def embed(self, features: Floats32) -> Floats32:
        """CLIP features of images or texts ``[N, 768]`` to unit embeddings ``[N, 512]``."""
        t = self.tensors
        hidden = np.maximum(features @ t["layer_0.weight"].T + t["layer_0.bias"], 0)
        return normalised(hidden @ t["layer_1.weight"].T + t["layer_1.bias"])

    def outputs(self, features: Floats32) -> tuple[Floats32, Floats32]:
        """Unit embeddings ``[N, 512]`` and concepts along them ``[N, k]``."""
        embedding = self.embed(features)
        return embedding, np.asarray(embedding @ self.basis, np.float32)

    def image_side(self, features: Floats32) -> Encoded:
        """From CLIP features ``[N, 768]``."""
        return Encoded((EmbeddingImages(self.embed(features)),))

    def location_side(self, embeddings: Floats32) -> Encoded:
        """From embeddings of the location encoder ``[M, 512]``."""
        return self.placed(normalised(embeddings))

    def placed(self, unit: Floats32) -> Encoded:
        """From unit embeddings ``[M, 512]``, which are not copied."""
        return Encoded((EmbeddingPlaces(unit, np.ones((len(unit), 1), np.float32)),))

    def centred(self, places: Encoded) -> Floats32:
        """Unit embeddings as they are, ``[M, 512]``."""
        return places.part(EmbeddingPlaces).unit

    def concept_scores(self, places: Encoded, columns: Columns = ALL) -> Floats32:
        """``z_loc`` of all k concepts, or of some columns of them, ``[M, k]``.

        They order places by a concept; what counts as average differs from concept to concept.
        """
        return np.asarray(self.centred(places) @ self.basis[:, columns], np.float32)

    def packed(self, places: Encoded) -> tuple[Floats32, Floats32]:
        """Unit embeddings ``[M, 512]`` and their lengths, which are 1."""
        part = places.part(EmbeddingPlaces)
        return part.unit, part.norm

    def unpacked(self, scaled: Floats32, length: Floats32) -> Encoded:
        """Places from what `packed` gave, ``[M, d]`` and ``[M, 1]``."""
        return self.placed(normalised(scaled))
