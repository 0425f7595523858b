"""Stability: a picture that is cropped, compressed or shifted a little has the same explanation."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from geowhy.arrays import Floats64, Pixels
from geowhy.engine import Decoded
from geowhy.evaluation.estimates import Estimate, block_mean, rank_correlation
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.locator import Locator

__all__ = ["CHANGES", "StabilityReport", "measure_stability"]


CROPPED = 0.9  # of either side
QUALITIES = (75, 50)  # of JPEG
SHIFTED = 1 / 32  # of the width: 2 pixels of 64


def cropped(pixels: Pixels) -> Pixels:
    """The middle of a picture ``[height, width, 3]``."""
    height, width = pixels.shape[:2]
    rows, columns = round(height * (1 - CROPPED) / 2), round(width * (1 - CROPPED) / 2)
    return np.ascontiguousarray(pixels[rows : height - rows, columns : width - columns])


def compressed(pixels: Pixels, quality: int) -> Pixels:
    """The picture ``[height, width, 3]`` as a JPEG file gives it back."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def shifted(pixels: Pixels) -> Pixels:
    """The picture ``[height, width, 3]`` without a strip at its upper and left edges."""
    strip = max(1, round(pixels.shape[1] * SHIFTED))
    return np.ascontiguousarray(pixels[strip:, strip:])


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "middle 90 %": cropped,
    **{f"JPEG, quality {quality}": partial(compressed, quality=quality) for quality in QUALITIES},
    "shift by 1/32": shifted,
}


@dataclass(frozen=True, slots=True)
class StabilityReport:
    """Rank correlation of contributions before and after, mean over views, by change.

    Attributes:
        views: how many.
        same_claim: contributions to the place that was answered before, against the same rivals.
        own_answer: contributions to whatever is answered then, against its own rivals.
    """

    views: int
    same_claim: dict[str, Estimate]
    own_answer: dict[str, Estimate]


def measure_stability(locator: Locator, views: AnsweredViews) -> StabilityReport:
    """Explains every view anew after each change."""
    same, own = {}, {}
    for name, change in CHANGES.items():
        after = locator.engine.decode([change(pixels) for pixels in views.pixels])
        pairs = list(zip(views.answers, after, strict=True))
        of_same = np.array([_correlation(locator, a, b, a) for a, b in pairs])
        of_own = np.array([_correlation(locator, a, b, b) for a, b in pairs])
        same[name] = block_mean(of_same, views.blocks)
        own[name] = block_mean(of_own, views.blocks)
    return StabilityReport(len(views.answers), same, own)


def _correlation(locator: Locator, before: Decoded, after: Decoded, claim: Decoded) -> float:
    evidence = locator.engine.attribution

    def added(image: Decoded, places: Decoded) -> Floats64:
        here = evidence.shares(image.side, places.place)[0]
        return np.asarray((here - evidence.shares(image.side, places.rival)[0])[0])

    return rank_correlation(added(before, before), added(after, claim))
