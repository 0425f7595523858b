"""What a model says of a concept all over the land, beside what the grounding says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geowhy.arrays import Bools, Floats32, Points
from geowhy.concepts.concept import Concept
from geowhy.concepts.facts import truth_unit
from geowhy.concepts.grounding import Grounding, LayerValues
from geowhy.errors import DataError
from geowhy.geo.atlas import Atlas
from geowhy.model.geomodel import GeoModel

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["ConceptComparison", "compare"]


@dataclass(frozen=True, slots=True, eq=False)
class ConceptComparison:
    """A model's score of a concept, and its truth, at the places of the model's gallery.

    Attributes:
        name: of the concept.
        definition: of the concept.
        model: name of the model.
        is_class: whether the truth is 1 or 0; else it is a number.
        truth_words: what the truth is, with its unit.
        lat_lon: the places, degrees ``[M, 2]``.
        score: of the model, in standard deviations over the places, ``[M]``.
        truth: NaN where the atlas is silent, ``[M]``.
    """

    name: str
    definition: str
    model: str
    is_class: bool
    truth_words: str
    lat_lon: Points
    score: Floats32
    truth: Floats32

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
    score = _standardised(_scores(concept, locator), concept, locator.name)
    lat_lon = locator.engine.gallery.lat_lon
    truth = grounding.at(LayerValues(atlas, lat_lon))
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
        lat_lon=lat_lon,
        score=score,
        truth=truth,
    )


def _scores(concept: Concept, locator: Locator) -> Floats32:
    """``z_loc`` of one concept at the gallery's places, ``[M]``."""
    model = GeoModel.of(locator.engine.model)
    if concept.id in model.bank.ids:
        column = np.array([model.bank.ids.index(concept.id)])
        return model.aligner.concept_scores(locator.engine.gallery.side, column)[:, 0]
    if model.places and concept.id in model.places.bank.ids:
        number = model.places.bank.ids.index(concept.id)
        return model.places.concept_scores(locator.engine.gallery.lat_lon)[:, number]
    raise DataError(
        f"the model {locator.name} has no concept {concept.id!r}: choose another model, or train "
        "one with a vocabulary that holds the concept"
    )


def _standardised(scores: Floats32, concept: Concept, model: str) -> Floats32:
    """Scores ``[M]`` in standard deviations above their mean."""
    centred = scores.astype(np.float64) - scores.mean(dtype=np.float64)
    spread = centred.std()
    if not spread > 0:
        raise DataError(
            f"the model {model} gives {concept.id!r} the same score everywhere: choose another "
            "concept or model"
        )
    return np.asarray(centred / spread, np.float32)


def _truth_words(grounding: Grounding, atlas: Atlas) -> str:
    """What the truth is: the description of a layer, or the rule, or the formula; with units."""
    unit = truth_unit(grounding, atlas)
    info = atlas.infos.get(grounding.text)
    words = info.description if info else grounding.text
    if unit:
        return f"{words} ({unit})"
    units = [f"{name} in {unit}" for name, unit in _units(grounding, atlas)]
    return f"{words}, with {', '.join(units)}" if units else words


def _units(grounding: Grounding, atlas: Atlas) -> list[tuple[str, str]]:
    """Layers of a grounding that have a unit, each with it."""
    infos = (atlas.infos[name] for name in grounding.layers if name in atlas.infos)
    return [(info.name, info.unit) for info in infos if info.unit]
