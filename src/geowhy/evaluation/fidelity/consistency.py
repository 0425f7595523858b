"""Explanations change with the model that they explain, and not with trifles of the picture.

Sanity (Adebayo et al., "Sanity checks for saliency maps", 2018): an explanation that stays the same
when the weights are shuffled doesn't explain the model. Stability: a picture that is cropped,
compressed or shifted a little has the same explanation.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from geowhy.arrays import Floats64, Pixels
from geowhy.engine import Decoded, Engine
from geowhy.evaluation.estimates import Estimate, block_mean, finding, rank_correlation
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.heads.gallery import Gallery
from geowhy.locator import Locator
from geowhy.model.alignment import ConceptAligner
from geowhy.model.attribution import LinearAttribution
from geowhy.model.concept_terms import ConceptPlaces, EmbeddingPlaces
from geowhy.model.geomodel import GeoModel
from geowhy.model.terms import Encoded
from geowhy.orbit.model import OrbitModel

__all__ = ["CHANGES", "SanityReport", "StabilityReport", "measure_sanity", "measure_stability"]

CROPPED = 0.9  # of either side


@dataclass(frozen=True, slots=True)
class SanityReport:
    """Rank correlation of contributions with the true model's, mean over views."""

    views: int
    shuffled_weights: Estimate  # of a model whose heads have their weights shuffled
    shuffled_bank: Estimate  # of a model whose concepts have each other's directions

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"Sanity: rank correlation with a broken model's contributions, {self.views} views"
        yield finding("shuffled weights", self.shuffled_weights.text(".3f"))
        yield finding("shuffled concept bank", self.shuffled_bank.text(".3f"))


@dataclass(frozen=True, slots=True)
class StabilityReport:
    """Rank correlation of contributions before and after, mean over views, by change."""

    views: int
    same_claim: dict[str, Estimate]  # to what was answered before, against the same rivals
    own_answer: dict[str, Estimate]  # to whatever is answered then, against its own rivals

    def lines(self) -> Iterator[str]:
        """For people: a line a change."""
        yield f"Stability: rank correlation of contributions, {self.views} views"
        yield finding("change", "same claim", "own answer")
        for name, same in self.same_claim.items():
            yield finding(name, same.text(".3f"), self.own_answer[name].text(".3f"))


def measure_sanity(locator: Locator, views: AnsweredViews, seed: int) -> SanityReport:
    """Breaks a concept-aware model in two ways, and explains its answers anew."""
    if isinstance(locator.engine.model, OrbitModel):
        return _sanity_of_poses(locator.engine, locator.engine.model, views, seed)
    whole = GeoModel.of(locator.engine.model)
    aligner, gallery = whole.aligner, locator.engine.gallery
    if not isinstance(aligner, ConceptAligner):
        raise TypeError(f"{type(aligner).__name__}: only a concept-aware alignment can be broken")
    rows = np.arange(0, len(gallery.lat_lon), 8)  # broken models need no fine answers
    kept, lat_lon = gallery.side.rows(rows), gallery.lat_lon[rows]
    grid = type(gallery.grid).build(lat_lon, gallery.grid.resolution)
    others = tuple(p for p in kept.parts if not isinstance(p, ConceptPlaces | EmbeddingPlaces))
    # What the location encoder gave: centred embeddings are kept over their length.
    embeddings = aligner.centred(kept) + aligner.tensors["location_mean"]
    true, estimates = _of_concepts(locator.engine, views.answers), []
    for each in _broken(aligner, seed):
        side = Encoded((*each.location_side(embeddings).parts, *others))
        fewer, model = Gallery.of(lat_lon, grid, side), replace(whole, aligner=each)
        engine = Engine(model, fewer, locator.engine.calibration, None)
        found = _of_concepts(engine, engine.decode(list(views.pixels)))
        alike = [rank_correlation(a, b) for a, b in zip(true, found, strict=True)]
        estimates.append(block_mean(np.array(alike), views.blocks))
    return SanityReport(len(views.answers), *estimates)


def _broken(aligner: ConceptAligner, seed: int) -> tuple[ConceptAligner, ConceptAligner]:
    """One with shuffled weights, and one whose concepts have each other's directions."""
    rng, bank, tensors = np.random.default_rng(seed), aligner.bank, aligner.tensors
    order = rng.permutation(len(bank.ids))
    names = [f"{head}.weight" for head in ("head_0", "head_1", "concept_0", "concept_1")]
    shuffled = {n: rng.permuted(tensors[n].ravel()).reshape(tensors[n].shape) for n in names}
    other_bank = replace(bank, directions=bank.directions[:, order])
    other_tensors = {**tensors, "offset": tensors["offset"][:, order]}
    return (
        ConceptAligner({**tensors, **shuffled}, bank, aligner.space),
        ConceptAligner(other_tensors, other_bank, aligner.space),
    )


def _sanity_of_poses(
    engine: Engine, model: OrbitModel, views: AnsweredViews, seed: int
) -> SanityReport:
    """Broken models explain the claims of the true one: where pictures lie, the map decides."""
    if model.concepts is None:
        raise TypeError(f"{model.name}: has no concepts that could be broken")
    features = model.features(list(views.pixels))
    true, estimates = _of_concepts(engine, views.answers), []
    for aligner in _broken(model.concepts.aligner, seed):
        broken = model.with_concepts(model.concepts.with_aligner(aligner))
        concepts = LinearAttribution(broken.terms[:1], engine.calibration.temperature)
        images, places = broken.image_side(features), broken.places()
        alike = []
        for number, (answer, added) in enumerate(zip(views.answers, true, strict=True)):
            image, contest = images.rows(np.array([number])), engine.contest(answer)
            here, there = (
                concepts.shares(image, places.mean(rows, weights.astype(np.float32)))[0]
                for rows, weights in (contest.answer, contest.elsewhere)
            )
            alike.append(rank_correlation(added, (here - there)[0]))
        estimates.append(block_mean(np.array(alike), views.blocks))
    return SanityReport(len(views.answers), *estimates)


def _of_concepts(engine: Engine, answers: Sequence[Decoded]) -> list[Floats64]:
    """Contributions of concepts alone: the rest is compared in the same way by a broken model."""
    attribution = engine.attribution
    return [_added(attribution, each, each)[: attribution.concepts] for each in answers]


def _added(attribution: LinearAttribution, image: Decoded, claim: Decoded) -> Floats64:
    """What each contributor of an image adds to an answer against its rivals, ``[k + m]``."""
    here, there = (attribution.shares(image.side, x)[0] for x in (claim.place, claim.rival))
    return np.asarray((here - there)[0])


def measure_stability(locator: Locator, views: AnsweredViews) -> StabilityReport:
    """Explains every view anew after each change."""
    added = partial(_added, locator.engine.attribution)
    same, own = {}, {}
    for name, change in CHANGES.items():
        after = locator.engine.decode([change(pixels) for pixels in views.pixels])
        pairs = list(zip(views.answers, after, strict=True))
        of_same = [rank_correlation(added(a, a), added(b, a)) for a, b in pairs]
        of_own = [rank_correlation(added(a, a), added(b, b)) for a, b in pairs]
        same[name] = block_mean(np.array(of_same), views.blocks)
        own[name] = block_mean(np.array(of_own), views.blocks)
    return StabilityReport(len(views.answers), same, own)


def _cropped(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    rows, columns = round(height * (1 - CROPPED) / 2), round(width * (1 - CROPPED) / 2)
    return np.ascontiguousarray(pixels[rows : height - rows, columns : width - columns])


def _compressed(pixels: Pixels, quality: int) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def _shifted(pixels: Pixels) -> Pixels:
    """Without a strip at the upper and left edges, 2 pixels of 64."""
    strip = max(1, round(pixels.shape[1] / 32))
    return np.ascontiguousarray(pixels[strip:, strip:])


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "middle 90 %": _cropped,
    **{f"JPEG, quality {quality}": partial(_compressed, quality=quality) for quality in (75, 50)},
    "shift by 1/32": _shifted,
}
