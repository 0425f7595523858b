"""Concepts as text for people, and as JSON."""

from __future__ import annotations

import json
import math
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from geowhy.concepts.facts import PERCENTILES, ConceptFacts
from geowhy.concepts.vocabulary import Concept
from geowhy.evaluation.concept_comparison import ConceptComparison
from geowhy.render.wording import MINUS, plainly

__all__ = ["agreement", "concept_as_json", "concept_as_text", "list_as_json", "list_as_text"]

WIDTH = 100  # letters of a line
SHARE_DIGITS = 4
LAND = "of the land north of 60° S"


def list_as_text(concepts: Sequence[Concept]) -> str:
    """A table a category, and how many there are."""
    lines = []
    id_width = max((len(concept.id) for concept in concepts), default=0)
    name_width = max((len(plainly(concept.name)) for concept in concepts), default=0)
    for category, members in groupby(concepts, lambda concept: concept.category):
        lines.append(plainly(category))
        for concept in members:
            above = "from above" if concept.from_above else "-"
            name = f"{concept.id:<{id_width}}  {plainly(concept.name):<{name_width}}"
            lines.append(f"  {name}  {_kind(concept) or '-':<6}  {above}")
        lines.append("")
    kinds = Counter(map(_kind, concepts))
    categories = len({concept.category for concept in concepts})
    lines.append(
        f"{_number(len(concepts), 'concept', 'concepts')} in "
        f"{_number(categories, 'category', 'categories')}: "
        f"{_number(kinds['class'], 'class', 'classes')}, "
        f"{_number(kinds['degree'], 'degree', 'degrees')}, {kinds['']} without a grounding; "
        f"{sum(concept.from_above for concept in concepts)} seen from above"
    )
    return "\n".join(lines)


def list_as_json(concepts: Sequence[Concept]) -> str:
    """One object a line."""
    return "\n".join(json.dumps(_record(concept)) for concept in concepts)


def concept_as_text(concept: Concept, facts: ConceptFacts) -> str:
    """All about one concept."""
    start = "  "
    definition = plainly(concept.definition)
    lines = [f"{plainly(concept.name)} ({concept.id})"]
    lines += textwrap.wrap(definition, WIDTH, initial_indent=start, subsequent_indent=start)
    lines.append("")
    for label, said in _rows(concept, facts):
        start = f"  {label:<12}"
        for line in said:
            room = len(start) + len(line) - len(line.lstrip()) + 2
            lines += textwrap.wrap(line, WIDTH, initial_indent=start, subsequent_indent=" " * room)
            start = " " * len(start)
    return "\n".join(lines)


def concept_as_json(concept: Concept, facts: ConceptFacts) -> str:
    """All about one concept, as one object."""
    share = facts.land_share
    named = {f"p{p}": value for p, value in zip(PERCENTILES, facts.percentiles, strict=False)}
    measured = {
        "layers": [asdict(layer) for layer in facts.layers],
        "unit": facts.unit,
        "land_share": None if share is None else round(share, SHARE_DIGITS),
        "percentiles": named or None,
        "silent_share": round(facts.silent_share, SHARE_DIGITS),
        "regions": [asdict(region) for region in facts.regions],
    }
    return json.dumps(_record(concept) | (measured if concept.grounding else {}))


def agreement(comparison: ConceptComparison) -> str:
    """How well a model's score and the truth agree, in words."""
    from geowhy.evaluation.estimates import ranking

    places = f"over {int(comparison.known.sum()):,} gallery points"
    pearson = f"Pearson correlation r = {comparison.pearson:.3f}".replace("-", MINUS)
    if not comparison.is_class:
        return f"{pearson} {places}."
    auc = ranking(comparison.truth, comparison.score, is_degree=False)
    if math.isnan(auc):
        return f"{pearson} {places}; fewer than ten have it, or lack it, so there is no AUC."
    return f"{pearson} and AUC = {auc:.3f} {places}."


def _record(concept: Concept) -> dict[str, Any]:
    return {**concept.content, "kind": _kind(concept) or None}


def _kind(concept: Concept) -> str:
    return concept.grounding.kind if concept.grounding else ""


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _rows(concept: Concept, facts: ConceptFacts) -> Iterator[tuple[str, list[str]]]:
    above = "from above" if concept.from_above else "not from above: it is told of places alone"
    yield "category", [plainly(concept.category)]
    yield "seen", [above]
    yield "prompts", [plainly(prompt) for prompt in concept.prompts]
    if concept.grounding is None:
        yield "grounding", ["none: the atlas can't tell where it holds"]
        return
    yield "grounding", [plainly(concept.grounding.text)]
    layers = []
    for layer in facts.layers:
        layers.append(f"{layer.name}, {layer.unit}" if layer.unit else layer.name)
        for source in layer.sources:
            origin = f"{source.package} {source.version} ({source.licence})"
            layers.append(f"  {origin}: {source.upstream}")
    yield "layers", layers
    if facts.land_share is not None:
        spread = [f"holds on {_share(facts.land_share)} {LAND}"]
        regions = [f"{each.name}: {_share(each.value)} of its land" for each in facts.regions]
    else:
        listed = zip(PERCENTILES, facts.percentiles, strict=True)
        values = ", ".join(f"{p} %: {_value(value, facts.unit)}" for p, value in listed)
        spread = [f"percentiles by area, {LAND}: {values}"]
        regions = [f"{x.name}: median {_value(x.value, facts.unit)}" for x in facts.regions]
    if round(facts.silent_share, 3) > 0:
        spread.append(f"the atlas is silent on {_share(facts.silent_share)}, which isn't counted")
    yield "on land", spread
    yield "most in", regions


def _share(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def _value(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {unit}".rstrip()
