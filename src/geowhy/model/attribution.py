"""How much each concept adds to the score of a place, exactly.

The score is the log-odds of a place against a reference. Either may be a mean of places, for scores
are linear in their rows: the answer is that of the places of its mode, and it is held against that
of all places elsewhere, each by its probability. In the concept space a score is a plain sum over
concepts. So is the agreement of the maps over patterns; a pattern of several maps is shared out
among them by how much of it each is. In the embedding space a place's embedding is split into what
the concepts make up of it, by ridge regression, and the rest, which is reported as unexplained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geowhy.explanation import ELSEWHERE, ConceptScore, Explanation, Reference
from geowhy.model.alignment import Aligner, ImageSide, LocationSide
from geowhy.model.geomodel import GeoModel

__all__ = ["MAPS_CATEGORY", "Evidence"]

MAPS_CATEGORY = "layout of the land"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the scores of a model are sums of: k concepts, then the m maps that it compares.

    Attributes:
        aligner: of the model.
        names: of concepts and maps.
        categories: of each.
        attribution: how much each map is of the columns of ``maps``, ``[r, m]``.
        temperature: of the calibration, by which scores are divided.
    """

    aligner: Aligner
    names: tuple[str, ...]
    categories: tuple[str, ...]
    attribution: NDArray[np.float32]
    temperature: float

    @classmethod
    def of(cls, model: GeoModel, temperature: float) -> Self:
        """Of a model."""
        maps = len(model.contributors) - len(model.bank.names)
        categories = (*model.bank.categories, *(MAPS_CATEGORY,) * maps)
        return cls(model.aligner, model.contributors, categories, model.attribution, temperature)

    def explain(
        self,
        image: ImageSide,
        place: LocationSide,
        reference: LocationSide,
        against: Reference = ELSEWHERE,
    ) -> Explanation:
        """Why one place scores as it does for one image; every side holds a single row."""
        of_place, rest = self.shares(image, place)
        of_reference, rest_of_reference = self.shares(image, reference)
        shares, unexplained = (of_place - of_reference)[0], float((rest - rest_of_reference)[0])
        more = (place.scaled - reference.scaled)[0] @ self.aligner.basis > 0
        present = np.pad(more, (0, len(shares) - len(more)), constant_values=True)
        scores = [
            ConceptScore(name, float(share), bool(has), category)
            for name, share, has, category in zip(
                self.names, shares, present, self.categories, strict=True
            )
        ]
        scores.sort(key=lambda score: abs(score.contribution), reverse=True)
        return Explanation(float(shares.sum() + unexplained), tuple(scores), unexplained, against)

    def score(self, image: ImageSide, place: LocationSide) -> float:
        """Logit of one place for one image, over the temperature."""
        shares, rest = self.shares(image, place)
        return float(shares.sum() + rest[0])

    def shares(self, image: ImageSide, places: LocationSide) -> tuple[Floats, Floats]:
        """What concepts and maps add to the logits of M places for one image, ``[M, k + m]``.

        The second part is what none of them explains, ``[M]``.
        """
        of_concepts, rest = self._of_concepts(image, places)
        pulled = (image.maps[0] * places.maps.astype(np.float64)) @ self.attribution
        paid = places.norms if image.map_shares is None else places.norms * image.map_shares[0]
        of_maps = image.map_weight / self.temperature * (pulled - paid)
        return np.concatenate([of_concepts, of_maps], axis=1), rest

    def _of_concepts(self, image: ImageSide, places: LocationSide) -> tuple[Floats, Floats]:
        scale, basis = self.aligner.scale / self.temperature, self.aligner.basis.astype(np.float64)
        shares = np.zeros((len(places.scaled), basis.shape[1]))
        rest = np.zeros(len(places.scaled))
        if self.aligner.space != "embedding":
            along = places.scaled.astype(np.float64) @ basis
            shares += scale * image.unit_concepts[0] * along
        if self.aligner.space != "concept":
            units, x = places.unit.astype(np.float64), image.embedding[0].astype(np.float64)
            along = units @ self.aligner.decomposition.T.astype(np.float64)
            shares += scale * (x @ basis) * along
            rest += scale * ((units - along @ basis.T) @ x)
        return shares, rest
