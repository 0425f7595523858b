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
        search_scale: nats of a whole likeness when places are searched.
        candidates: at how many places it is laid, at most.
        kept: of the poses that come of it, how many are kept.
        sure: from which probability on an answer is verified.
    """

    places: GalleryPlaces
    reference: WorldPyramid
    verdict: Verdict
    search_scale: float = 25.0
    candidates: int = 96
    kept: int = 8
    sure: float = 0.9
