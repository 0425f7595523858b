"""Why a model names a place, as values: frozen, and true to the last digit of a score.

Every number about evidence is a share of one thing, the log-odds of a place against a reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from geowhy.types import LatLon

if TYPE_CHECKING:
    from geowhy.arrays import Floats32

__all__ = [
    "ANSWER",
    "AVERAGE",
    "ELSEWHERE",
    "EVIDENCE_CATEGORY",
    "ConceptChange",
    "ConceptScore",
    "Counterfactual",
    "EvidenceMap",
    "Explanation",
    "Reference",
    "SparseForm",
]

EVIDENCE_CATEGORY = "evidence"  # of contributors that are no concepts
ChangeKind = Literal["without", "with", "twice"]


@dataclass(frozen=True, slots=True)
class ConceptScore:
    """How much one concept, or another named part of a score, adds to the score of a place.

    Attributes:
        name: the concept.
        contribution: log-odds that the concept adds for this place against the reference;
            negative if it speaks against it.
        present: whether the place has more of the concept than the reference. A concept that
            picture and place both lack speaks for the place too.
        category: of the concept, such as "climate".
        probability: that it holds where the picture was taken, by what the picture shows; None
            where that isn't known.
        is_concept: false for what is none, such as how a picture looks, ring by ring, how it agrees
            with the map, or what the user told; its category says which.
    """

    name: str
    contribution: float
    present: bool
    category: str = ""
    probability: float | None = None
    is_concept: bool = True


@dataclass(frozen=True, slots=True)
class Reference:
    """What a place is held against: why here, and not there.

    Attributes:
        kind: all other places by their probability, the average place of the gallery, the second
            best answer, or a place that was asked for.
        position: where it is; None if it is no single place.
        place: the name of a single place, such as "near Paris, France".
    """

    kind: Literal["elsewhere", "average", "runner-up", "place"]
    position: LatLon | None = None
    place: str = ""


# The mean of the places outside the answer's region, each by how probable it is with half of the
# evidence: how fast the odds of the region fall there as a concept is weakened is just what the
# concept adds against these. Against the average place, which is no rival, it is not.
ELSEWHERE = Reference("elsewhere")
AVERAGE = Reference("average")
ANSWER = "the answer"  # what a map of evidence is of, if of no concept


@dataclass(frozen=True, slots=True)
class SparseForm:
    """The fewest concepts, found one by one, that tell places apart nearly as all concepts do.

    The places are those of the answer and those elsewhere, each by its probability, either side
    half of them.

    Attributes:
        concepts: with what they add to the score when each counts as much as is best,
            strongest first.
        asked: share of the variance of the log-odds over these places that was to be reproduced.
        reproduced: share that they do reproduce.
        cosine: of the log-odds over these places, theirs with the original.
        score: log-odds of the place against the reference by these concepts alone.
    """

    concepts: tuple[ConceptScore, ...]
    asked: float
    reproduced: float
    cosine: float
    score: float


@dataclass(frozen=True, slots=True)
class ConceptChange:
    """Something that a picture shows less or more of than it does.

    Attributes:
        name: of a concept, another part or a category, or a word for several concepts.
        kind: "without" it; "with" as much of it as of the picture's strongest concept; or "twice"
            as much of it as there was.
    """

    name: str
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What the model would say if the picture showed less or more of something.

    Attributes:
        change: as it was asked for, such as "-desert +coast".
        changes: what that was taken for.
        position: the answer then.
        place: its name.
        moved_km: great-circle distance from the true answer of the model.
        probability_before: of the region of the original answer.
        probability_after: of the same region.
        probability_there: of the region of the new answer, after the change.
    """

    change: str
    changes: tuple[ConceptChange, ...]
    position: LatLon
    place: str
    moved_km: float
    probability_before: float
    probability_after: float
    probability_there: float


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceMap:
    """Where in the picture the evidence lies.

    Attributes:
        of: what the evidence is for: a concept's name, or "the answer".
        evidence: log-odds that each field of a grid over the picture adds, ``[rows, columns]``.
        method: "occlusion": what is lost when a field is hidden; "patches": what each patch of
            the backbone says by itself.
    """

    of: str
    evidence: Floats32
    method: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the model names a place.

    The contributions and ``unexplained`` add up to ``score``.

    Attributes:
        score: log-odds of the place, the mean of its strongest mode, against the reference.
        contributions: every concept, strongest contribution first (by size, either sign).
        unexplained: the part of the score that no concept carries; 0 for ``space = concept``.
        against: the reference.
        sparse: the fewest concepts that say nearly the same; None if it wasn't asked for.
        what_if: the answers to the counterfactuals that were asked for.
        evidence: where in the picture it lies; empty if it wasn't asked for.
    """

    score: float
    contributions: tuple[ConceptScore, ...]
    unexplained: float
    against: Reference = ELSEWHERE
    sparse: SparseForm | None = None
    what_if: tuple[Counterfactual, ...] = ()
    evidence: tuple[EvidenceMap, ...] = ()

    def speaking_for(self, count: int) -> tuple[ConceptScore, ...]:
        """The ``count`` concepts that speak most strongly for the place."""
        return tuple(c for c in self._ranked() if c.contribution > 0)[:count]

    def speaking_against(self, count: int) -> tuple[ConceptScore, ...]:
        """The ``count`` concepts that speak most strongly against the place."""
        return tuple(c for c in reversed(self._ranked()) if c.contribution < 0)[:count]

    def stated(self, count: int) -> tuple[ConceptScore, ...]:
        """Up to ``count`` concepts that speak for the place and are more likely there than not.

        Strongest first. Empty for a model that gives no probabilities.
        """
        there = (c for c in self.speaking_for(len(self.contributions)) if _is_likely(c))
        return tuple(there)[:count]

    def shown(self, count: int) -> tuple[ConceptScore, ...]:
        """Up to ``count`` concepts on either side, those for the place first."""
        return self.speaking_for(count) + self.speaking_against(count)[::-1]

    def explained_share(self, count: int) -> float:
        """Share of all evidence, for and against, that ``shown(count)`` covers, in [0, 1]."""
        total = sum(abs(c.contribution) for c in self.contributions) + abs(self.unexplained)
        if total == 0.0:
            return 1.0
        return sum(abs(c.contribution) for c in self.shown(count)) / total

    @property
    def by_category(self) -> dict[str, float]:
        """What the concepts of each category add together, strongest first (by size)."""
        sums: dict[str, float] = {}
        for concept in self.contributions:
            sums[concept.category] = sums.get(concept.category, 0.0) + concept.contribution
        return dict(sorted(sums.items(), key=lambda item: abs(item[1]), reverse=True))

    def _ranked(self) -> list[ConceptScore]:
        return sorted(self.contributions, key=lambda c: c.contribution, reverse=True)


def _is_likely(concept: ConceptScore) -> bool:
    return concept.present and concept.probability is not None and concept.probability >= 0.5
