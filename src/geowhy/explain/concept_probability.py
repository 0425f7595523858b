"""How sure a picture makes it that a concept holds where it was taken.

A concept may speak for a place because the picture shows a little more of it than others do. To
state that it is there takes more. ``z_img`` was trained to be the standardised truth: by how many
deviations a place exceeds the average place. So a class of which a share f of the land has it holds
with the probability f + z √(f (1 - f)), and a degree is above average where z is above 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from geowhy.arrays import Bools, Floats64
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.explanation import ConceptScore
from geowhy.geo.atlas import Atlas
from geowhy.heads.gallery import Gallery
from geowhy.model.concept_terms import ConceptImages, ConceptTerm
from geowhy.model.geomodel import GeoModel
from geowhy.model.terms import Encoded, ScoringModel
from geowhy.orbit.concepts import OrbitConcepts
from geowhy.orbit.model import OrbitModel

__all__ = ["ConceptProbability", "FittedProbability", "probability_of"]

LAND_SAMPLE = 4_000  # places of the gallery that tell how frequent a class is
LEAST = 0.005  # a reading is never certain
STEEPNESS = 1.6  # a degree that is read as a deviation above average is so in five of six cases


@dataclass(frozen=True, slots=True, eq=False)
class ConceptProbability:
    """What is known of k concepts beforehand."""

    names: tuple[str, ...]
    frequency: Floats64  # share of the land that has each class, NaN for degrees and unknowns, [k]
    is_degree: Bools  # [k]

    @classmethod
    def of(cls, model: ScoringModel, gallery: Gallery) -> Self | None:
        """For a model whose ``z_img`` is the truth of packaged concepts; None for any other."""
        if not isinstance(model, GeoModel) or ConceptTerm not in map(type, model.aligner.terms):
            return None
        bank = model.aligner.bank
        if bank.source != "grounded":
            return None
        vocabulary = Vocabulary.load().only(bank.ids)
        if vocabulary.digest != bank.vocabulary_digest:  # of other words, or other groundings
            return None
        step = max(1, len(gallery.lat_lon) // LAND_SAMPLE)
        truth = vocabulary.truth(Atlas.load(), gallery.lat_lon[::step])
        ids = (concept.id for concept in vocabulary.concepts)
        share = dict(zip(ids, (truth > 0).mean(axis=0), strict=True))
        kind = {c.id: c.grounding.kind for c in vocabulary.concepts if c.grounding}
        frequency = [share[i] if kind.get(i) == "class" else np.nan for i in bank.ids]
        is_degree = [kind.get(i) == "degree" for i in bank.ids]
        return cls(bank.names, np.array(frequency), np.array(is_degree))

    def probability(self, image: Encoded) -> Floats64:
        """That each concept holds where one image was taken, ``[k]``; NaN where that is unknown."""
        z, f = image.part(ConceptImages).concepts[0].astype(np.float64), self.frequency
        of_class = np.clip(f + z * np.sqrt(f * (1 - f)), LEAST, 1 - LEAST)
        of_degree = 1 / (1 + np.exp(-STEEPNESS * z))
        return np.asarray(np.where(self.is_degree, of_degree, of_class))

    def with_probabilities(
        self, concepts: tuple[ConceptScore, ...], image: Encoded
    ) -> tuple[ConceptScore, ...]:
        """The concepts of an explanation with their probabilities."""
        return _with_probabilities(concepts, self.names, self.probability(image))


@dataclass(frozen=True, slots=True, eq=False)
class FittedProbability:
    """What is known of the concepts of pictures from above, whose curves were fitted."""

    of: OrbitConcepts

    def probability(self, image: Encoded) -> Floats64:
        """That each concept holds in the footprint of one picture, ``[k]``."""
        probability: Floats64 = self.of.probabilities(image.part(ConceptImages))[0]
        return probability

    def with_probabilities(
        self, concepts: tuple[ConceptScore, ...], image: Encoded
    ) -> tuple[ConceptScore, ...]:
        """The concepts of an explanation with their probabilities."""
        return _with_probabilities(concepts, self.of.bank.names, self.probability(image))


def probability_of(
    model: ScoringModel, gallery: Gallery
) -> ConceptProbability | FittedProbability | None:
    """How sure pictures make it that concepts hold; None for a model that can't tell."""
    if isinstance(model, OrbitModel):
        return FittedProbability(model.concepts) if model.concepts else None
    return ConceptProbability.of(model, gallery)


def _with_probabilities(
    concepts: tuple[ConceptScore, ...], names: tuple[str, ...], probability: Floats64
) -> tuple[ConceptScore, ...]:
    known = dict(zip(names, probability.tolist(), strict=True))
    return tuple(
        replace(c, probability=None if np.isnan(known.get(c.name, np.nan)) else known[c.name])
        for c in concepts
    )
