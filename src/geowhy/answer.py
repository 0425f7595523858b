"""What geowhy answers about one image: a place, how sure that is, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from geowhy.explanation import Explanation
from geowhy.hints import NO_HINTS, Hints
from geowhy.types import LatLon

__all__ = [
    "Abstention",
    "AbstentionKind",
    "Candidate",
    "FileRecord",
    "Footprint",
    "Prediction",
    "Scope",
]

AbstentionKind = Literal["novel", "too_wide", "no_match"]
Footprint = tuple[LatLon, LatLon, LatLon, LatLon]
"""Corners of a picture on the ground: its top left, top right, bottom right and bottom left."""


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
class Abstention:
    """Why the model declines to name a place.

    Attributes:
        kind: "novel": the image is unlike those that the model was trained on; "too_wide": the
            answer could be almost anywhere; "no_match": it agrees with no place that the model
            knows.
        value: what was too large: the novelty, the radius at 50 %, km, or the probability of no
            match.
        limit: up to which it would have answered, in the same unit.
    """

    kind: AbstentionKind
    value: float
    limit: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a picture agrees with the map when it is laid over it, edge by edge.

    Attributes:
        here: the correlation where the answer says that it lies, in [-1, 1].
        next_best: that at the next best place; None if there was none to try.
    """

    here: float
    next_best: float | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Among which places an answer was chosen: probabilities are shares among these.

    Attributes:
        places: how many were considered.
        is_own: whether the user gave them, in place of the model's own.
        region: the name of the one that the user named; empty for none.
        outside_weight: how much a place outside ``region`` counted of one inside, in [0, 1]; 0 if
            it wasn't considered.
        hints: what the user told of how the picture lies.
    """

    places: int
    is_own: bool = False
    region: str = ""
    outside_weight: float = 0.0
    hints: Hints = NO_HINTS

    @property
    def is_chosen(self) -> bool:
        """Whether the user left places out: probabilities are then not among all of the Earth."""
        return self.is_own or (bool(self.region) and self.outside_weight == 0.0)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What an image file says of its own place; no answer is made from it.

    Attributes:
        position: of the camera, or of the middle of a georeferenced picture.
        origin: "camera" for GPS in the metadata, "georeference" for the tags of a GeoTIFF.
        width_km: of the ground along the middle row of a georeferenced picture.
    """

    position: LatLon
    origin: Literal["camera", "georeference"]
    width_km: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """Where an image was taken, how sure that is, and why.

    Attributes:
        image: the name under which the image was given.
        position: the answer; also given when ``abstained``, as the best guess.
        radius_50_km: radius around ``position`` that holds the truth half the time.
        radius_90_km: the same, nine times in ten.
        candidates: distinct places, most probable first.
        explanation: the concepts behind the answer.
        model: name of the model that answered.
        scope: the places among which it chose.
        abstention: why the model declines to name a place; None if it names one.
        calibrated: whether radii and probabilities were fitted on images with known places; if not,
            they are the model's own word.
        other_evidence: names of what counted beside the picture and the scope; their shares are
            in the explanation.
        heading_deg: where the picture's up points, clockwise from north; None if the model can't
            tell, as for the three below.
        width_km: of the picture's longer side on the ground.
        footprint: the picture's corners on the ground. They say all of how it lies: with its pixels
            they are one homography on the azimuthal equidistant map about its centre.
        verified: whether the picture agreed with the map when it was laid over it.
        agreement: how well it did.
        notes: how the image was read, where that isn't plain: which bands, that it is a preview.
        file_says: the place that the file itself states, which nothing here is made from.
    """

    image: str
    position: LatLon
    radius_50_km: float
    radius_90_km: float
    candidates: tuple[Candidate, ...]
    explanation: Explanation
    model: str
    scope: Scope
    abstention: Abstention | None = None
    calibrated: bool = True
    other_evidence: tuple[str, ...] = ()
    heading_deg: float | None = None
    width_km: float | None = None
    footprint: Footprint | None = None
    verified: bool | None = None
    agreement: Agreement | None = None
    notes: tuple[str, ...] = ()
    file_says: FileRecord | None = None

    @property
    def abstained(self) -> bool:
        """Whether the model declines to name a place."""
        return self.abstention is not None
