"""Pointing game: in a picture put together of two, evidence must lie in the half it comes from.

Zhang et al., "Top-down neural attention", 2016, for answers: one half of the picture is of one
place, the other of another. What speaks for the first against the second must lie in its half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Floats64, Pixels
from geowhy.engine import Decoded
from geowhy.evaluation.estimates import Estimate, block_mean
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.explain.regions import occlusion_maps
from geowhy.geo.sphere import distance_km
from geowhy.locator import Locator

__all__ = ["PointingReport", "measure_pointing"]


APART_KM = 3000.0  # of the two places; nearer ones may look alike
KNOWN_KM = 750.0  # of the answer to the whole view: what isn't recognised can't be pointed at


@dataclass(frozen=True, slots=True)
class PointingReport:
    """How often evidence is found where it is; chance is one in two.

    Attributes:
        composites: how many.
        strongest: share of composites whose strongest field is in the right half.
        evidence: share of all positive evidence that lies in the right half.
    """

    composites: int
    strongest: Estimate
    evidence: Estimate


def measure_pointing(
    locator: Locator, views: AnsweredViews, count: int, on_progress: Callable[[int, int], None]
) -> PointingReport:
    """Plays on at most ``count`` pairs of views that the model locates right."""
    pairs = _pairs(views)[:count]
    hits, shares = [], []
    for number, (first, second) in enumerate(pairs):
        across = bool(number % 2)  # halves left and right, or above and below
        picture = _composite(views.pixels[first], views.pixels[second], across)
        field = _evidence(locator, picture, views.answers[first], views.answers[second])
        right = field[:, : field.shape[1] // 2] if across else field[: field.shape[0] // 2]
        hits.append(float(right.max() >= field.max()))
        shares.append(np.maximum(right, 0).sum() / max(np.maximum(field, 0).sum(), 1e-12))
        on_progress(number + 1, len(pairs))
    blocks = views.blocks[[first for first, _ in pairs]]
    return PointingReport(
        len(pairs),
        block_mean(np.array(hits), blocks),
        block_mean(np.array(shares), blocks),
    )


def _pairs(views: AnsweredViews) -> list[tuple[int, int]]:
    """Each view that is located right with the next one that is, and is far away."""
    answers = np.array([answer.estimate.lat_lon for answer in views.answers])
    known = np.flatnonzero(distance_km(views.centres, answers) <= KNOWN_KM)
    return [
        (int(a), int(b))
        for a, b in zip(known, np.roll(known, -1), strict=True)
        if distance_km(views.centres[a], views.centres[b]) >= APART_KM
    ]


def _composite(first: Pixels, second: Pixels, across: bool) -> Pixels:
    """The left or upper half of one picture beside the other half of another."""
    picture = second.copy()
    height, width = picture.shape[:2]
    half = np.s_[:, : width // 2] if across else np.s_[: height // 2]
    picture[half] = first[half]
    return picture


def _evidence(locator: Locator, picture: Pixels, here: Decoded, there: Decoded) -> Floats64:
    """What each field adds to the log-odds of one place against another, ``[f, f]``."""
    evidence = locator.engine.attribution

    def log_odds(pictures: Sequence[Pixels]) -> Floats64:
        images = locator.engine.sides(pictures)
        at_place, at_rival = (evidence.scores(images, side.place) for side in (here, there))
        return np.asarray(at_place - at_rival, np.float64)

    return occlusion_maps(picture, log_odds)[:, :, 0]
