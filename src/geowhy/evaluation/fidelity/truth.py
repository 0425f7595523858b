"""Truth: do the concepts that an explanation states hold where the picture was taken?

An explanation states a concept if it speaks for the place and the picture makes it more likely than
not (`Explanation.stated`). The atlas says what holds at the true place: a class holds or doesn't, a
degree holds above its median over the land.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Floats64, Ints, Ints64
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import ConfigError
from geowhy.evaluation.estimates import Estimate, block_mean
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.explain.concept_probability import ConceptProbability
from geowhy.explanation import ConceptScore, Explanation
from geowhy.geo.atlas import Atlas
from geowhy.locator import Locator
from geowhy.model.geomodel import GeoModel

__all__ = ["TruthReport", "measure_truth"]


LAND_SAMPLE = 20_000  # places of the gallery that say how frequent concepts are
STATED = (5, 10)


@dataclass(frozen=True, slots=True)
class TruthReport:
    """Share of stated concepts that hold, by how many are stated.

    Attributes:
        views: how many.
        stated: of the strongest concepts that are stated.
        listed: of the strongest that speak for the place and of which it has more than its rivals,
            however unsure.
        most_frequent: of the concepts that hold most often on land, whatever the picture.
        by_frequency: of concepts drawn by how often they hold on land.
        random: of concepts drawn at random.
        count: how many concepts are stated, of 5 and of 10.
    """

    views: int
    stated: dict[int, Estimate]
    listed: dict[int, Estimate]
    most_frequent: dict[int, Estimate]
    by_frequency: Estimate
    random: Estimate
    count: dict[int, float]


def measure_truth(locator: Locator, views: AnsweredViews, vocabulary: Vocabulary) -> TruthReport:
    """Holds what is stated of each view against the atlas at its true centre."""
    bank = GeoModel.of(locator.engine.model).bank
    atlas, concepts = Atlas.load(), vocabulary.only(bank.ids)
    order = [concepts.names.index(name) for name in bank.names]
    step = max(1, len(locator.engine.gallery.lat_lon) // LAND_SAMPLE)
    land = concepts.truth(atlas, locator.engine.gallery.lat_lon[::step])[:, order]
    truth = concepts.truth(atlas, views.centres)[:, order]
    limits = np.where([_is_degree(concepts, i) for i in order], np.nanmedian(land, axis=0), 0.5)
    holds = np.where(np.isnan(truth), np.nan, truth > limits)
    frequency = np.nanmean(np.where(np.isnan(land), np.nan, land > limits), axis=0)
    names, explanations = bank.names, _explained(locator, views)
    every = len(names)
    stated = [_numbers(e.stated(every), names) for e in explanations]
    listed = [
        _numbers(tuple(c for c in e.speaking_for(every) if c.present), names) for e in explanations
    ]
    frequent = [np.argsort(-frequency)] * len(holds)
    return TruthReport(
        len(holds),
        {n: _precision(holds, stated, n, views.blocks) for n in STATED},
        {n: _precision(holds, listed, n, views.blocks) for n in STATED},
        {n: _precision(holds, frequent, n, views.blocks) for n in STATED},
        block_mean(_weighted(holds, frequency), views.blocks),
        block_mean(np.nanmean(holds, axis=1), views.blocks),
        {n: float(np.mean([min(n, len(rows)) for rows in stated])) for n in STATED},
    )


def _weighted(holds: Floats64, frequency: Floats64) -> Floats64:
    known = np.isfinite(holds)
    return np.asarray(np.nansum(holds * frequency, axis=1) / (known @ frequency))


def _explained(locator: Locator, views: AnsweredViews) -> list[Explanation]:
    evidence = locator.engine.attribution
    statements = ConceptProbability.of(GeoModel.of(locator.engine.model), locator.engine.gallery)
    if statements is None:
        raise ConfigError(f"{locator.name}: a model that states no concepts can't be held to them")
    found = []
    for answer in views.answers:
        plain = evidence.explain(answer.side, answer.place, answer.rival, answer.against)
        told = statements.told(plain.contributions, answer.side)
        found.append(replace(plain, contributions=told))
    return found


def _numbers(concepts: tuple[ConceptScore, ...], names: tuple[str, ...]) -> Ints:
    return np.array([names.index(c.name) for c in concepts if c.name in names], np.intp)


def _precision(holds: Floats64, ranked: list[Ints], count: int, blocks: Ints64) -> Estimate:
    """Mean over views of the share of the first ``count`` that hold; unknown ones don't count."""
    shares = np.full(len(holds), np.nan)
    for number, stated in enumerate(ranked):
        first = holds[number, stated[:count]]
        if np.isfinite(first).any():
            shares[number] = np.nanmean(first)
    return block_mean(shares, blocks)


def _is_degree(concepts: Vocabulary, number: int) -> bool:
    grounding = concepts.concepts[number].grounding
    return grounding is not None and grounding.kind == "degree"
