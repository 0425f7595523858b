"""What laying pictures on the map takes, beside the places of a gallery."""

from __future__ import annotations

from dataclasses import dataclass

from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.gallery import OrbitGallery
from geowhy.orbit.spread import BY_CURVATURE, Spread
from geowhy.orbit.verdict import Verdict

__all__ = ["OrbitSettings"]


@dataclass(frozen=True, slots=True, eq=False)
class OrbitSettings:
    """What a head needs beside a gallery.

    Attributes:
        gallery: all places that the model knows; it may be asked among some of them.
        reference: the world on which pictures are laid.
        verdict: what laying a picture tells.
        spread: how far from where it was laid it may lie.
        search_scale: nats of a whole likeness when places are searched.
        candidates: at how many places it is laid, at most: first at so many, and at more if that
            verifies nothing.
        kept: of the poses that come of it, how many are kept.
        sure: from which probability on an answer is verified.
    """

    gallery: OrbitGallery
    reference: WorldPyramid
    verdict: Verdict
    spread: Spread = BY_CURVATURE
    search_scale: float = 25.0
    candidates: tuple[int, ...] = (48, 800)
    kept: int = 8
    sure: float = 0.9
