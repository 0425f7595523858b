"""The values that geowhy hands out: frozen, with units in their names.

Coordinates are degrees, latitude first, on a sphere of radius 6371.0088 km.
"""

from __future__ import annotations

from dataclasses import dataclass

from geowhy.errors import CoordinateError

__all__ = ["Candidate", "ConceptScore", "Explanation", "LatLon", "Prediction"]


@dataclass(frozen=True, slots=True)
class LatLon:
    """A point on Earth, degrees; latitude in [-90, 90], longitude in [-180, 180].

    Raises:
        CoordinateError: if either is not a finite number in its range.
    """

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not -90.0 <= self.lat <= 90.0 or not -180.0 <= self.lon <= 180.0:
            raise CoordinateError(
                f"latitude {self.lat}, longitude {self.lon} is not a point on Earth: "
                "give degrees, latitude first, within ±90 and ±180"
            )


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
class ConceptScore:
    """How much one concept adds to the score of a place.

    Attributes:
        name: the concept.
        contribution: log-odds that the concept adds for this place against the average place;
            negative if it speaks against it.
        present: whether the place has more of the concept than the average place. A concept that
            picture and place both lack speaks for the place too.
    """

    name: str
    contribution: float
    present: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the model names a place.

    The contributions and ``unexplained`` add up to ``score``.

    Attributes:
        score: log-odds of the place, the mean of its strongest mode, against the average place.
        contributions: every concept, strongest contribution first (by size, either sign).
        unexplained: the part of the score that no concept carries; 0 for ``space = concept``.
    """

    score: float
    contributions: tuple[ConceptScore, ...]
    unexplained: float

    def speaking_for(self, count: int) -> tuple[ConceptScore, ...]:
        """The ``count`` concepts that speak most strongly for the place."""
        return tuple(c for c in self._ranked() if c.contribution > 0)[:count]

    def speaking_against(self, count: int) -> tuple[ConceptScore, ...]:
        """The ``count`` concepts that speak most strongly against the place."""
        return tuple(c for c in reversed(self._ranked()) if c.contribution < 0)[:count]

    def shown(self, count: int) -> tuple[ConceptScore, ...]:
        """Up to ``count`` concepts on either side, those for the place first."""
        return self.speaking_for(count) + self.speaking_against(count)[::-1]

    def explained_share(self, count: int) -> float:
        """Share of all evidence, for and against, that ``shown(count)`` covers, in [0, 1]."""
        total = sum(abs(c.contribution) for c in self.contributions) + abs(self.unexplained)
        if total == 0.0:
            return 1.0
        return sum(abs(c.contribution) for c in self.shown(count)) / total

    def _ranked(self) -> list[ConceptScore]:
        return sorted(self.contributions, key=lambda c: c.contribution, reverse=True)


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
