"""What a model says of a concept all over the land, beside what the grounding says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geowhy.arrays import Bools, Floats32, Points
from geowhy.concepts.facts import truth_unit
from geowhy.concepts.grounding import Grounding, LayerValues
from geowhy.concepts.vocabulary import Concept
from geowhy.errors import DataError
from geowhy.geo.atlas import Atlas
from geowhy.model.geomodel import GeoModel

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["ConceptComparison", "compare"]


@dataclass(frozen=True, slots=True, eq=False)
class ConceptComparison:
    """A model's score of a concept, and its truth, at the places of the model's gallery."""

    name: str
    definition: str
    model: str
    is_class: bool  # whether the truth is 1 or 0; else it is a number
    truth_words: str  # what the truth is, with its unit
    lat_lon: Points  # the places, degrees [M, 2]
    score: Floats32  # of the model, in standard deviations over the places, [M]
    truth: Floats32  # NaN where the atlas is silent, [M]

    @property
    def known(self) -> Bools:
        """Where the truth is known, ``[M]``."""
        return ~np.isnan(self.truth)

    @property
    def pearson(self) -> float:
        """Correlation of score and truth over the places where the truth is known."""
        known = self.known
        return float(np.corrcoef(self.score[known], self.truth[known])[0, 1])


def compare(concept: Concept, locator: Locator, atlas: Atlas) -> ConceptComparison:
    """Scores and truth of a concept at all places of a model's gallery; embeds nothing.

    Raises:
        DataError: if the concept has no grounding, the model hasn't the concept, or one of the two
            is the same everywhere.
    """
    grounding = concept.grounding
    if grounding is None:
        raise DataError(
            f"concept {concept.id!r} has no grounding, so there is no truth to hold a model "
            "against: choose one that geowhy concepts list --grounded names"
        )
    model, gallery = GeoModel.of(locator.engine.model), locator.engine.gallery
    if concept.id in model.bank.ids:
        column = np.array([model.bank.ids.index(concept.id)])
        scores = model.aligner.concept_scores(gallery.side, column)[:, 0]
    elif model.places and concept.id in model.places.bank.ids:
        number = model.places.bank.ids.index(concept.id)
        scores = model.places.concept_scores(gallery.lat_lon)[:, number]
    else:
        raise DataError(
            f"the model {locator.name} has no concept {concept.id!r}: choose another model, or "
            "train one with a vocabulary that holds the concept"
        )
    centred = scores.astype(np.float64) - scores.mean(dtype=np.float64)
    spread = centred.std()
    if not spread > 0:
        raise DataError(
            f"the model {locator.name} gives {concept.id!r} the same score everywhere: choose "
            "another concept or model"
        )
    truth = grounding.at(LayerValues(atlas, gallery.lat_lon))
    if len(np.unique(truth[~np.isnan(truth)])) < 2:
        raise DataError(
            f"concept {concept.id!r} is the same, or unknown, at all {len(truth):,} gallery "
            f"points of {locator.name}: choose another concept, or a model with more points"
        )
    return ConceptComparison(
        name=concept.name,
        definition=concept.definition,
        model=locator.name,
        is_class=grounding.kind == "class",
        truth_words=_truth_words(grounding, atlas),
        lat_lon=gallery.lat_lon,
        score=np.asarray(centred / spread, np.float32),
        truth=truth,
    )


def _truth_words(grounding: Grounding, atlas: Atlas) -> str:
    """What the truth is: the description of a layer, or the rule, or the formula; with units."""
    unit, info = truth_unit(grounding, atlas), atlas.infos.get(grounding.text)
    words = info.description if info else grounding.text
    if unit:
        return f"{words} ({unit})"
    infos = [atlas.infos[name] for name in grounding.layers if name in atlas.infos]
    units = [f"{info.name} in {info.unit}" for info in infos if info.unit]
    return f"{words}, with {', '.join(units)}" if units else words
