"""What a model says of a concept all over the land, beside what the grounding says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geowhy.arrays import Bools, Floats32, Points
from geowhy.concepts.bank import ConceptBank
from geowhy.concepts.facts import truth_unit
from geowhy.concepts.grounding import Grounding, LayerValues
from geowhy.concepts.vocabulary import Concept
from geowhy.errors import DataError
from geowhy.geo.atlas import Atlas
from geowhy.heads.gallery import Gallery
from geowhy.model.geomodel import GeoModel, model_banks
from geowhy.model.terms import ScoringModel
from geowhy.orbit.model import OrbitModel

if TYPE_CHECKING:
    from geowhy.locator import Locator

__all__ = ["ConceptComparison", "banks_of", "compare"]

MAPPED_WIDTH_KM = 400.0  # of pictures from above: fine enough for a map, and not too many


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
    """Scores and truth of a concept at the places of a model's gallery.

    Of a model of pictures from above, at those of one width: scores are of footprints so wide.

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
    model = locator.engine.model
    if not any(concept.id in bank.ids for bank in banks_of(model)):
        raise DataError(
            f"the model {locator.name} has no concept {concept.id!r}: choose another model, or "
            "train one with a vocabulary that holds the concept"
        )
    if isinstance(model, OrbitModel):
        lat_lon, scores = _of_footprints(concept, model)
    else:
        lat_lon, scores = _of_places(concept, GeoModel.of(model), locator.engine.gallery)
    centred = scores.astype(np.float64) - scores.mean(dtype=np.float64)
    spread = centred.std()
    if not spread > 0:
        raise DataError(
            f"the model {locator.name} gives {concept.id!r} the same score everywhere: choose "
            "another concept or model"
        )
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
        score=np.asarray(centred / spread, np.float32),
        truth=truth,
    )


def banks_of(model: ScoringModel) -> tuple[ConceptBank, ...]:
    """The concept banks of a model.

    Raises:
        ConfigError: if it is made of other parts.
    """
    if isinstance(model, OrbitModel):
        return (model.concepts.bank,) if model.concepts else ()
    return tuple(model_banks(GeoModel.of(model)).values())


def _of_places(concept: Concept, model: GeoModel, gallery: Gallery) -> tuple[Points, Floats32]:
    """Places ``[M, 2]`` and how much of a concept each has ``[M]``; embeds nothing."""
    if concept.id in model.bank.ids:
        column = np.array([model.bank.ids.index(concept.id)])
        return gallery.lat_lon, model.aligner.concept_scores(gallery.side, column)[:, 0]
    if model.places is None:
        raise TypeError(f"{model.name} has no concepts of places alone")
    number = model.places.bank.ids.index(concept.id)
    return gallery.lat_lon, model.places.concept_scores(gallery.lat_lon)[:, number]


def _of_footprints(concept: Concept, model: OrbitModel) -> tuple[Points, Floats32]:
    """Centres ``[M, 2]`` of footprints of one width, and how much of a concept each has ``[M]``."""
    if model.concepts is None:
        raise TypeError(f"{model.name} has no concepts")
    poses = model.gallery.places.of_width(MAPPED_WIDTH_KM)
    column = np.array([model.concepts.bank.ids.index(concept.id)])
    return poses.lat_lon, model.concepts.scores(poses, column)[:, 0]


def _truth_words(grounding: Grounding, atlas: Atlas) -> str:
    """What the truth is: the description of a layer, or the rule, or the formula; with units."""
    unit, info = truth_unit(grounding, atlas), atlas.infos.get(grounding.text)
    words = info.description if info else grounding.text
    if unit:
        return f"{words} ({unit})"
    infos = [atlas.infos[name] for name in grounding.layers if name in atlas.infos]
    units = [f"{info.name} in {info.unit}" for info in infos if info.unit]
    return f"{words}, with {', '.join(units)}" if units else words
