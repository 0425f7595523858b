"""The model of pictures from above: a small network describes them, and terms add up to a score.

A picture's features are its description, ring by ring; what the network pooled of it, which
concepts are read off; and a small copy of the picture itself, to be laid on the map. A place is
what the gallery has of it: it was described once, by the picture that the reference shows there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geowhy.arrays import Floats32, Floats64, Pixels, Rows
from geowhy.geo.sphere import lat_lon_to_unit, on_earth
from geowhy.model.backbone import OnnxBackbone
from geowhy.model.preprocessing import Preprocessing
from geowhy.model.terms import Encoded, Part, ScoreTerm
from geowhy.orbit.gallery import OrbitGallery
from geowhy.orbit.terms import (
    PlaceNumbers,
    RegistrationTerm,
    RingImages,
    RingPlaces,
    RingTerm,
)

__all__ = ["COPY_SIDE", "OrbitModel", "PictureImages"]

COPY_SIDE = 128  # pixels of the copy that is laid on the map
COPY = Preprocessing(COPY_SIDE, 0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class PictureImages(Part):
    """Pictures as small copies."""

    copies: Floats32  # 0 to 255, [N, COPY_SIDE, COPY_SIDE, 3]

    def pixels(self, row: int) -> Pixels:
        """One of them."""
        return np.asarray(np.rint(self.copies[row]), np.uint8)


class OrbitModel:
    """Scores pictures from above against the places of a gallery.

    Attributes:
        name: of the model.
        backbone: gives descriptions, and then what was pooled.
        gallery: the places that it knows.
        terms: what its scores are sums of.
    """

    def __init__(
        self, name: str, backbone: OnnxBackbone, gallery: OrbitGallery, rings: RingTerm
    ) -> None:
        self.name = name
        self.backbone = backbone
        self.gallery = gallery
        self.rings = rings
        self.terms: tuple[ScoreTerm, ...] = (rings, RegistrationTerm())

    def features(self, pixels: Sequence[Pixels]) -> Floats32:
        """Descriptions, pooled features and copies of RGB images ``[H, W, 3]``, ``[N, f]``."""
        copies = COPY(pixels).transpose(0, 2, 3, 1).reshape(len(pixels), -1)
        return np.concatenate([self.backbone.embed(pixels), copies], axis=1)

    def image_side(self, features: Floats32) -> Encoded:
        """Features ``[N, f]`` as the terms take them; nothing has been laid on the map yet."""
        size, count = sum(self.rings.sizes), len(features)
        rings = RingImages(features[:, :size], np.ones((count, len(self.rings.names)), np.float32))
        copies = features[:, self.backbone.feature_size :]
        return Encoded((rings, PictureImages(copies.reshape(count, COPY_SIDE, COPY_SIDE, 3))))

    def places(self) -> Encoded:
        """All places of the gallery, M rows."""
        numbers = np.arange(len(self.gallery.places))
        return self._side(numbers)

    def location_side(self, lat_lon: ArrayLike) -> Encoded:
        """Degrees ``[M, 2]``: of each the gallery's places nearest to it, one of each width."""
        known, unit = self.gallery.places, lat_lon_to_unit(on_earth(lat_lon))
        nearest = [self._nearest(unit, width_km) for width_km in np.unique(known.width_km)]
        numbers = np.stack(nearest, axis=1)
        weights = np.full(numbers.shape[1], 1 / numbers.shape[1], np.float32)
        sides = (self._side(row).mean(np.arange(len(row)), weights) for row in numbers)
        return Encoded.joined(list(sides))

    def _side(self, numbers: Rows) -> Encoded:
        return Encoded((RingPlaces(self.gallery.described(numbers)), PlaceNumbers.of(numbers)))

    def _nearest(self, unit: Floats64, width_km: float) -> Rows:
        """Numbers of the places of a width that are nearest to unit vectors ``[M, 3]``."""
        rows = np.flatnonzero(self.gallery.places.width_km == width_km)
        there = lat_lon_to_unit(self.gallery.places.lat_lon[rows])
        nearest: Rows = rows[(unit @ there.T).argmax(axis=1)]
        return nearest
