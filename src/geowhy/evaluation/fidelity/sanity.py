"""Sanity: explanations of a broken model must be unlike those of the true one.

Adebayo et al., "Sanity checks for saliency maps", 2018: an explanation that stays the same when the
weights are shuffled doesn't explain the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Floats32, Floats64
from geowhy.engine import Decoded, Engine
from geowhy.evaluation.estimates import Estimate, block_mean, rank_correlation
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.heads.gallery import Gallery
from geowhy.locator import Locator
from geowhy.model.alignment import ConceptAligner
from geowhy.model.attribution import LinearAttribution
from geowhy.model.encoded import Encoded
from geowhy.model.geomodel import GeoModel
from geowhy.model.terms import ConceptPlaces, EmbeddingPlaces

__all__ = ["SanityReport", "measure_sanity"]

EVERY = 8  # of the gallery's places, one is kept: broken models need no fine answers
HEADS = ("head_0", "head_1", "concept_0", "concept_1")


@dataclass(frozen=True, slots=True)
class SanityReport:
    """Rank correlation of contributions with the true model's, mean over views.

    Attributes:
        views: how many.
        shuffled_weights: of a model whose heads have their weights shuffled.
        shuffled_bank: of a model whose concepts have each other's directions.
    """

    views: int
    shuffled_weights: Estimate
    shuffled_bank: Estimate


def measure_sanity(locator: Locator, views: AnsweredViews, seed: int) -> SanityReport:
    """Breaks a concept-aware model in two ways, and explains its answers anew."""
    rng = np.random.default_rng(seed)
    aligner = GeoModel.of(locator.engine.model).aligner
    if not isinstance(aligner, ConceptAligner):
        raise TypeError(f"{type(aligner).__name__}: only a concept-aware alignment can be broken")
    true = _contributions(locator.engine.attribution, views.answers)
    bank = aligner.bank
    order = rng.permutation(len(bank.ids))
    broken = {
        "weights": ConceptAligner(_shuffled(aligner, rng), bank, aligner.space),
        "bank": ConceptAligner(
            {**aligner.tensors, "offset": aligner.tensors["offset"][:, order]},
            replace(bank, directions=bank.directions[:, order]),
            aligner.space,
        ),
    }
    found = {}
    for name, each in broken.items():
        other = _with_aligner(locator, each)
        found[name] = _correlation(
            true, _contributions(other.engine.attribution, _answers(other, views))
        )
    estimates = (block_mean(found[name], views.blocks) for name in ("weights", "bank"))
    return SanityReport(len(views.answers), *estimates)


def _shuffled(aligner: ConceptAligner, rng: np.random.Generator) -> dict[str, Floats32]:
    names = [f"{head}.weight" for head in HEADS]
    shuffled = {name: rng.permuted(aligner.tensors[name].ravel()) for name in names}
    return {name: shuffled.get(name, t).reshape(t.shape) for name, t in aligner.tensors.items()}


def _with_aligner(locator: Locator, aligner: ConceptAligner) -> Locator:
    """The same locator with another alignment, and every eighth place of its gallery."""
    gallery, rows = locator.engine.gallery, np.arange(0, len(locator.engine.gallery.lat_lon), EVERY)
    kept = gallery.side.rows(rows)
    # What the location encoder gave: centred embeddings are kept over their length.
    model = GeoModel.of(locator.engine.model)
    own = model.aligner.centred(kept)
    embeddings = own + aligner.tensors["location_mean"]
    side = aligner.location_side(embeddings)
    others = tuple(p for p in kept.parts if not isinstance(p, ConceptPlaces | EmbeddingPlaces))
    side = Encoded((*side.parts, *others))
    lat_lon = gallery.lat_lon[rows]
    thinned = Gallery.of(lat_lon, type(gallery.grid).build(lat_lon, gallery.grid.resolution), side)
    broken = replace(model, aligner=aligner)
    return Locator(Engine(broken, thinned, locator.engine.calibration, None))


def _answers(locator: Locator, views: AnsweredViews) -> tuple[Decoded, ...]:
    return tuple(locator.engine.decode(list(views.pixels)))


def _contributions(attribution: LinearAttribution, answers: tuple[Decoded, ...]) -> Floats64:
    """Of concepts alone ``[N, k]``: maps are compared in the same way by a broken model."""
    rows = []
    for answer in answers:
        here, there = (attribution.shares(answer.side, x)[0] for x in (answer.place, answer.rival))
        rows.append((here - there)[0, : attribution.concepts])
    return np.array(rows)


def _correlation(a: Floats64, b: Floats64) -> Floats64:
    return np.array([rank_correlation(x, y) for x, y in zip(a, b, strict=True)])
