"""What geowhy answers about one image: a place, how sure that is, and why."""

from __future__ import annotations

from dataclasses import dataclass

from geowhy.explanation import Explanation
from geowhy.types import LatLon

__all__ = ["Candidate", "Prediction"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where the image may have been taken.

    Attributes:
        position: the point that minimises the expected distance within this mode.
        probability: posterior mass of the mode, in [0, 1].
        place: a name in words, such as "near Tamale, Ghana".
    """

    position: LatLon
    probability: float
    place: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """Where an image was taken, how sure that is, and why.

    Attributes:
        image: the name under which the image was given.
        position: the answer; also given when ``abstained``, as the best guess.
        radius_50_km: radius around ``position`` that holds the truth half the time.
        radius_90_km: the same, nine times in ten.
        abstained: whether the model declines to name a place.
        reason: why it abstained, in words; empty otherwise.
        candidates: distinct places, most probable first.
        explanation: the concepts behind the answer.
        model: name of the model that answered.
        calibrated: whether radii and probabilities were fitted on images with known places; if not,
            they are the model's own word.
        scope: how the choice of places was narrowed, in words; empty if it wasn't.
    """

    image: str
    position: LatLon
    radius_50_km: float
    radius_90_km: float
    abstained: bool
    reason: str
    candidates: tuple[Candidate, ...]
    explanation: Explanation
    model: str
    calibrated: bool = True
    scope: str = ""
