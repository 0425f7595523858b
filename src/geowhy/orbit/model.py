"""The model of pictures from above: a small network describes them, and terms add up to a score.

A picture's features are its description, ring by ring; what the network pooled of it, which
concepts are read off; and a small copy of the picture itself, to be laid on the map. A place is
what the gallery has of it: it was described once, by the picture that the reference shows there.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats32, Pixels, Rows
from geowhy.errors import ModelFormatError
from geowhy.hints import NO_HINTS, Hints
from geowhy.model.backbone import BACKBONE_FILE, OnnxBackbone
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.store import ModelFolder
from geowhy.model.terms import Deferred, Encoded, Part, ScoreTerm
from geowhy.orbit.concepts import OrbitConcepts
from geowhy.orbit.gallery import OrbitGallery
from geowhy.orbit.hint_term import HintTerm
from geowhy.orbit.strips import EXTRA_SQUARES, StripImages, squares_along
from geowhy.orbit.terms import (
    PictureImages,
    PlaceNumbers,
    RegistrationTerm,
    RingImages,
    RingPlaces,
    RingTerm,
)

__all__ = ["COPY_SIDE", "OrbitModel"]

COPY_SIDE = 128  # pixels of the copy that is laid on the map
COPY = Preprocessing(COPY_SIDE, 0.0, 1.0)


class OrbitModel:
    """Scores pictures from above against the places of a gallery.

    Attributes:
        name: of the model.
        backbone: gives descriptions, and then what was pooled.
        gallery: the places that it knows.
        rings: what compares descriptions.
        concepts: what compares what pictures show with what the atlas says; None without.
        hints: what weighs poses by what is known of a picture; None if nothing is.
        terms: what its scores are sums of.
    """

    def __init__(
        self,
        name: str,
        backbone: OnnxBackbone,
        gallery: OrbitGallery,
        rings: RingTerm,
        concepts: OrbitConcepts | None = None,
        concept_weight: float = 1.0,
    ) -> None:
        """Puts the parts together; ``concept_weight`` scales what concepts say."""
        self.name = name
        self.backbone = backbone
        self.gallery = gallery
        self.rings = rings
        self.concepts = concepts
        self.hints: HintTerm | None = None
        self._concept_weight = concept_weight
        of_concepts = (concepts.term(concept_weight),) if concepts else ()
        self.terms: tuple[ScoreTerm, ...] = (*of_concepts, rings, RegistrationTerm())

    @classmethod
    def load(cls, folder: ModelFolder) -> OrbitModel:
        """From an opened folder.

        Raises:
            ModelFormatError: if a part is missing or doesn't fit the others.
        """
        section = folder.section("model")
        try:
            preprocessing = Preprocessing.from_json(section["preprocessing"])
            names, sizes = tuple(section["rings"]), tuple(section["ring_sizes"])
            name, scale = section["name"], float(section["scale"])
            concept_weight = float(section["concept_weight"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFormatError(
                f"{folder.path}: config.json lacks {error}: get or train the model anew"
            ) from error
        backbone = OnnxBackbone.load(folder.path / BACKBONE_FILE, preprocessing)
        gallery = OrbitGallery.from_tensors(folder.tensors("gallery"))
        concepts = OrbitConcepts.load(folder) if "concepts" in folder.config else None
        rings = RingTerm(names, sizes, scale)
        return cls(name, backbone, gallery, rings, concepts, concept_weight)

    def with_hints(self, hints: Hints) -> Self:
        """The same model, which weighs poses by these hints and no others.

        Raises:
            ConfigError: if no picture that the model knows is as wide.
        """
        hinted = copy(self)
        hinted.terms = tuple(term for term in self.terms if term is not self.hints)
        hinted.hints = None
        if hints != NO_HINTS:
            hinted.hints = HintTerm(hints, self.gallery.places.width_km)
            hinted.terms += (hinted.hints,)
        return hinted

    def with_concepts(self, concepts: OrbitConcepts) -> Self:
        """The same model with others in place of its concepts."""
        changed = copy(self)
        changed.concepts = concepts
        others = (term for term in self.terms if not term.are_concepts)
        changed.terms = (concepts.term(self._concept_weight), *others)
        return changed

    def features(self, pixels: Sequence[Pixels]) -> Floats32:
        """Descriptions, pooled features, copies and sides of RGB images ``[H, W, 3]``, ``[N, f]``.

        Of the sides it is by how much the longer one is longer. If any is a strip, rows go on with
        what is seen in squares along it, and where these are.
        """
        copies = COPY(pixels).transpose(0, 2, 3, 1).reshape(len(pixels), -1)
        sides = (each.shape[:2] for each in pixels)
        ratios = np.array([[max(shape) / min(shape)] for shape in sides], np.float32)
        seen = np.concatenate([self.backbone.embed(pixels), copies, ratios], axis=1)
        along = [squares_along(picture) for picture in pixels]
        if not any(squares for squares, _ in along):
            return seen
        return np.concatenate([seen, self._of_squares(along)], axis=1)

    def _of_squares(self, along: Sequence[tuple[list[Pixels], Floats32]]) -> Floats32:
        """Descriptions, pooled features, copies and offsets of squares of N pictures, ``[N, e]``.

        Where there is no square its numbers are none.
        """
        size = self.backbone.feature_size + 3 * COPY_SIDE**2 + 2
        found = np.full((len(along), EXTRA_SQUARES, size), np.nan, np.float32)
        for row, (squares, offsets) in zip(found, along, strict=True):
            if squares:
                copies = COPY(squares).transpose(0, 2, 3, 1).reshape(len(squares), -1)
                described = self.backbone.embed(squares)
                row[: len(squares)] = np.concatenate([described, copies, offsets], axis=1)
        return found.reshape(len(along), -1)

    def image_side(self, features: Floats32) -> Encoded:
        """Features ``[N, f]`` as the terms take them; nothing has been laid on the map yet."""
        size, seen, count = sum(self.rings.sizes), self.backbone.feature_size, len(features)
        ratio = seen + 3 * COPY_SIDE**2  # its column
        copies = features[:, seen:ratio].reshape(count, COPY_SIDE, COPY_SIDE, 3)
        parts: tuple[Part, ...] = (
            RingImages(features[:, :size], np.ones((count, len(self.rings.names)), np.float32)),
            PictureImages(copies),
        )
        if self.concepts:
            parts = (self.concepts.images(features[:, size:seen]), *parts)
        if self.hints:
            parts = (*parts, self.hints.encode_images(features[:, ratio]))
        if features.shape[1] > ratio + 1:
            parts = (*parts, self._strips(features[:, ratio + 1 :]))
        return Encoded(parts)

    def _strips(self, of_squares: Floats32) -> StripImages:
        """Squares of N pictures by what `_of_squares` gave, ``[N, e]``."""
        size, seen, count = sum(self.rings.sizes), self.backbone.feature_size, len(of_squares)
        rows = of_squares.reshape(count, EXTRA_SQUARES, -1)
        concepts = np.zeros((count, EXTRA_SQUARES, 0), np.float32)
        if self.concepts:
            pooled = rows[..., size:seen].reshape(count * EXTRA_SQUARES, -1)
            concepts = self.concepts.images(pooled).concepts.reshape(count, EXTRA_SQUARES, -1)
        copies = rows[..., seen:-2].reshape(count, EXTRA_SQUARES, COPY_SIDE, COPY_SIDE, 3)
        return StripImages(rows[..., -2:], rows[..., :size], copies, concepts)

    def places(self) -> Encoded:
        """All places of the gallery, M rows."""
        return self._side(np.arange(len(self.gallery.places)))

    def location_side(self, lat_lon: ArrayLike) -> Encoded:
        """Degrees ``[M, 2]``: of each the gallery's places nearest to it, one of each width."""
        numbers = self.gallery.places.nearest(lat_lon)
        weights = np.full(numbers.shape[1], 1 / numbers.shape[1], np.float32)
        sides = (self._side(row).mean(np.arange(len(row)), weights) for row in numbers)
        return Encoded.joined(list(sides))

    def _side(self, numbers: Rows) -> Encoded:
        parts: tuple[Part, ...] = (
            Deferred(numbers, RingPlaces, self._described),
            PlaceNumbers.of(numbers),
        )
        if self.concepts:
            parts = (Deferred(numbers, OrbitConcepts.PLACES, self._concepts_of), *parts)
        return Encoded(parts)

    def _described(self, numbers: Rows) -> RingPlaces:
        """Places by their numbers ``[M]``."""
        return RingPlaces(self.gallery.described(numbers))

    def _concepts_of(self, numbers: Rows) -> Part:
        """What the atlas says of places by their numbers ``[M]``."""
        if self.concepts is None:
            raise TypeError(f"{self.name} has no concepts")
        return self.concepts.of_gallery(numbers, self.gallery.places.poses)
