"""What laying pictures on the map takes, beside the places of a gallery."""

from __future__ import annotations

from dataclasses import dataclass

from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.gallery import GalleryPlaces
from geowhy.orbit.verdict import Verdict

__all__ = ["OrbitSettings"]


@dataclass(frozen=True, slots=True, eq=False)
class OrbitSettings:
    """What a head needs beside a gallery.

    Attributes:
        places: all that the model knows; a gallery may hold some of them.
        reference: the world on which pictures are laid.
        verdict: what laying a picture tells.
        candidates: at how many places it is laid, at most.
        kept: of the poses that come of it, how many are kept.
        sure: from which probability on an answer is verified.
        rest_temperature: divides likenesses when they spread what remains.
    """

    places: GalleryPlaces
    reference: WorldPyramid
    verdict: Verdict
    candidates: int = 48
    kept: int = 8
    sure: float = 0.9
    rest_temperature: float = 3.0
