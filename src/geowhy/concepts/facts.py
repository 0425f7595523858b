"""What the Earth says of a concept: how much of the land has it, and which regions most."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np

from geowhy.concepts.grounding import COORDINATES, Grounding, LayerValues
from geowhy.concepts.vocabulary import Concept, Vocabulary
from geowhy.errors import DataError
from geowhy.geo.atlas import Atlas, Source, uniform_on_land

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


@dataclass(frozen=True, slots=True)
class LayerFact:
    """A layer that a grounding reads."""

    name: str  # or "latitude" or "longitude"
    unit: str  # for classes how many there are, "true or false" for a flag
    sources: tuple[Source, ...]  # packages that it was made from; none for a coordinate


@dataclass(frozen=True, slots=True)
class RegionFact:
    """How much of a concept a region of the UN geoscheme has."""

    name: str
    value: float  # the share of its land where a class holds; the median of a degree


@dataclass(frozen=True, slots=True)
class ConceptFacts:
    """What is measured on the land north of 60° S, by area; all empty without a grounding."""

    layers: tuple[LayerFact, ...] = ()  # that the grounding reads
    unit: str = ""  # of the truth; empty for a class, and for a degree that has none of its own
    land_share: float | None = None  # of the land where a class holds; None for a degree
    percentiles: tuple[float, ...] = ()  # the 5th, 50th and 95th of a degree; empty for a class
    silent_share: float = 0.0  # of the land where the atlas can't tell
    regions: tuple[RegionFact, ...] = ()  # that have most of it, the first most


def find_concept(vocabulary: Vocabulary, name: str) -> Concept:
    """The concept with this id or name, in any case.

    Raises:
        DataError: if there is none; names the nearest.
    """
    asked = " ".join(name.split()).casefold()
    for concept in vocabulary.concepts:
        if asked in (concept.id.casefold(), concept.name.casefold()):
            return concept
    # The nearest are those that are spelt most like it, or that have a word which is.
    alike = {
        concept.id: max(
            difflib.SequenceMatcher(None, asked, spelt).ratio()
            for spelt in (concept.id, concept.name.casefold(), *concept.name.casefold().split())
        )
        for concept in vocabulary.concepts
    }
    best = sorted(alike, key=lambda id_: -alike[id_])[:3]
    near = ", ".join(id_ for id_ in best if alike[id_] >= 0.6)
    hint = f"did you mean {near}?" if near else "geowhy concepts list has all"
    raise DataError(f"there is no concept {name!r}: {hint}")


def chosen_concepts(
    vocabulary: Vocabulary, category: str | None = None, grounded: bool = False
) -> tuple[Concept, ...]:
    """The concepts of a category, in any case, or of all; with ``grounded`` only such.

    Raises:
        DataError: if there is no such category; names those that there are.
    """
    asked = None if category is None else category.strip().casefold()
    if asked is not None and asked not in map(str.casefold, vocabulary.categories):
        raise DataError(
            f"there is no category {category!r}: there are {', '.join(vocabulary.categories)}"
        )
    chosen = (vocabulary.grounded if grounded else vocabulary).concepts
    return tuple(c for c in chosen if asked in (None, c.category.casefold()))


def concept_facts(concept: Concept, atlas: Atlas) -> ConceptFacts:
    """Measures a concept at places drawn on land by area, always the same ones."""
    grounding = concept.grounding
    if grounding is None:
        return ConceptFacts()
    places = LayerValues(atlas, uniform_on_land(atlas, SAMPLED_PLACES, np.random.default_rng(0)))
    truth, region_of = grounding.at(places), places["un_region"]
    known, is_class = ~np.isnan(truth), grounding.kind == "class"
    layers = []
    for name in grounding.layers:
        if name in COORDINATES:
            layers.append(LayerFact(name, "°", ()))
            continue
        info = atlas.infos[name]
        kinds = {"class": f"{len(info.labels)} classes", "flag": "true or false"}
        layers.append(LayerFact(name, kinds.get(info.kind, info.unit), info.sources))
    regions = []
    for number, name in enumerate(atlas.infos["un_region"].labels):
        inside = truth[(region_of == number) & known]
        if len(inside) >= FEWEST_PLACES:
            value = float(inside.mean() if is_class else np.median(inside))
            regions += [RegionFact(name, value)] if value > 0 or not is_class else []
    return ConceptFacts(
        layers=tuple(layers),
        unit=truth_unit(grounding, atlas),
        land_share=float(truth[known].mean()) if is_class else None,
        percentiles=() if is_class else tuple(np.percentile(truth[known], PERCENTILES).tolist()),
        silent_share=1 - int(known.sum()) / len(truth),
        regions=tuple(sorted(regions, key=lambda fact: -fact.value)[:SHOWN_REGIONS]),
    )


def truth_unit(grounding: Grounding, atlas: Atlas) -> str:
    """Unit of a degree that is a layer as it stands; empty for others, which have none."""
    if layer := atlas.infos.get(grounding.text):
        return layer.unit
    return "°" if grounding.text in COORDINATES else ""
