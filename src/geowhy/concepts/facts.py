"""What the Earth says of a concept: how much of the land has it, and which regions most."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowhy.arrays import Floats32
from geowhy.concepts.concept import Concept
from geowhy.concepts.grounding import COORDINATES, Grounding, LayerValues
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import DataError
from geowhy.geo.atlas import Atlas, Layer, Source, uniform_on_land

__all__ = [
    "ConceptFacts",
    "LayerFact",
    "RegionFact",
    "chosen_concepts",
    "concept_facts",
    "find_concept",
    "truth_unit",
]

SAMPLED_PLACES = 100_000
FEWEST_PLACES = 30  # of a region; fewer say nothing of it
SHOWN_REGIONS = 5
PERCENTILES = (5, 50, 95)
SUGGESTIONS, LEAST_ALIKE = 3, 0.6


@dataclass(frozen=True, slots=True)
class LayerFact:
    """A layer that a grounding reads.

    Attributes:
        name: of the layer, or ``latitude`` or ``longitude``.
        unit: of its values; for classes how many there are, "true or false" for a flag.
        sources: packages that it was made from; none for a coordinate.
    """

    name: str
    unit: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class RegionFact:
    """How much of a concept a region of the UN geoscheme has.

    Attributes:
        name: of the region.
        value: the share of its land where a class holds; the median of a degree.
    """

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class ConceptFacts:
    """What is measured on the land north of 60° S, by area; all empty without a grounding.

    Attributes:
        layers: that the grounding reads.
        unit: of the truth; empty for a class, and for a degree that has none of its own.
        land_share: share of the land where a class holds; None for a degree.
        percentiles: the 5th, 50th and 95th of a degree; empty for a class.
        silent_share: share of the land where the atlas can't tell.
        regions: that have most of it, the first most.
    """

    layers: tuple[LayerFact, ...] = ()
    unit: str = ""
    land_share: float | None = None
    percentiles: tuple[float, ...] = ()
    silent_share: float = 0.0
    regions: tuple[RegionFact, ...] = ()


def find_concept(vocabulary: Vocabulary, name: str) -> Concept:
    """The concept with this id or name, in any case.

    Raises:
        DataError: if there is none; names the nearest.
    """
    asked = " ".join(name.split()).casefold()
    for concept in vocabulary.concepts:
        if asked in (concept.id.casefold(), concept.name.casefold()):
            return concept
    near = _nearest(vocabulary, asked)
    hint = f"did you mean {', '.join(near)}?" if near else "geowhy concepts list has all"
    raise DataError(f"there is no concept {name!r}: {hint}")


def chosen_concepts(
    vocabulary: Vocabulary, category: str | None = None, grounded: bool = False
) -> tuple[Concept, ...]:
    """The concepts of a category, in any case, or of all; with ``grounded`` only such.

    Raises:
        DataError: if there is no such category; names those that there are.
    """
    known = {name.casefold(): name for name in vocabulary.categories}
    if category is not None and category.strip().casefold() not in known:
        raise DataError(
            f"there is no category {category!r}: there are {', '.join(vocabulary.categories)}"
        )
    chosen = (vocabulary.grounded if grounded else vocabulary).concepts
    if category is None:
        return chosen
    name = known[category.strip().casefold()]
    return tuple(concept for concept in chosen if concept.category == name)


def concept_facts(concept: Concept, atlas: Atlas) -> ConceptFacts:
    """Measures a concept at places drawn on land by area, always the same ones."""
    grounding = concept.grounding
    if grounding is None:
        return ConceptFacts()
    places = LayerValues(atlas, uniform_on_land(atlas, SAMPLED_PLACES, np.random.default_rng(0)))
    truth = grounding.at(places)
    known = truth[~np.isnan(truth)]
    is_class = grounding.kind == "class"
    return ConceptFacts(
        layers=tuple(_layer_fact(name, atlas) for name in grounding.layers),
        unit=truth_unit(grounding, atlas),
        land_share=float(known.mean()) if is_class else None,
        percentiles=() if is_class else tuple(np.percentile(known, PERCENTILES).tolist()),
        silent_share=1 - len(known) / len(truth),
        regions=_regions(truth, places["un_region"], atlas.layer("un_region"), is_class),
    )


def truth_unit(grounding: Grounding, atlas: Atlas) -> str:
    """Unit of a degree that is a layer as it stands; empty for others, which have none."""
    layer = atlas.infos.get(grounding.text)
    if layer is not None:
        return layer.unit
    return "°" if grounding.text in COORDINATES else ""


def _nearest(vocabulary: Vocabulary, asked: str) -> list[str]:
    """Ids of the concepts that are spelt most like what was asked for, or a word of whose is."""
    alike = {
        concept.id: max(
            difflib.SequenceMatcher(None, asked, spelt).ratio()
            for spelt in (concept.id, concept.name.casefold(), *concept.name.casefold().split())
        )
        for concept in vocabulary.concepts
    }
    best = sorted(alike, key=lambda id_: -alike[id_])[:SUGGESTIONS]
    return [id_ for id_ in best if alike[id_] >= LEAST_ALIKE]


def _layer_fact(name: str, atlas: Atlas) -> LayerFact:
    if name in COORDINATES:
        return LayerFact(name, "°", ())
    info = atlas.infos[name]
    kinds = {"class": f"{len(info.labels)} classes", "flag": "true or false"}
    return LayerFact(name, kinds.get(info.kind, info.unit), info.sources)


def _regions(
    truth: Floats32, region: NDArray[np.generic], layer: Layer, is_class: bool
) -> tuple[RegionFact, ...]:
    """The regions that have most; those without any of a class are left out."""
    found = []
    for number, name in enumerate(layer.info.labels):
        inside = truth[(region == number) & ~np.isnan(truth)]
        if len(inside) >= FEWEST_PLACES:
            value = float(inside.mean() if is_class else np.median(inside))
            found.append(RegionFact(name, value))
    found = [fact for fact in found if fact.value > 0 or not is_class]
    return tuple(sorted(found, key=lambda fact: -fact.value)[:SHOWN_REGIONS])
