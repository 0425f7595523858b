"""Truth: do stated concepts hold where the picture was taken, and is evidence found where it is?

The atlas says what holds: a degree does above its median over the land. The pointing game (Zhang et
al., "Top-down neural attention", 2016) is played for answers: half of a picture is of one place,
half of another, and what speaks for the first against the second must lie in its half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geowhy.arrays import Floats64, Ints, Ints64, Pixels
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.engine import Decoded
from geowhy.errors import ConfigError
from geowhy.evaluation.estimates import Estimate, block_mean
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.explain.concept_probability import ConceptProbability
from geowhy.explain.regions import occlusion_maps
from geowhy.geo.atlas import Atlas
from geowhy.geo.sphere import distance_km
from geowhy.locator import Locator
from geowhy.model.geomodel import GeoModel

__all__ = ["PointingReport", "TruthReport", "measure_pointing", "measure_truth"]

LAND_SAMPLE = 20_000  # places of the gallery that say how frequent concepts are
STATED = (5, 10)
APART_KM = 3000.0  # of the two places of a picture; nearer ones may look alike
KNOWN_KM = 750.0  # of the answer to the whole view: what isn't recognised can't be pointed at


@dataclass(frozen=True, slots=True)
class TruthReport:
    """Share of stated concepts that hold, by how many are stated."""

    views: int
    stated: dict[int, Estimate]  # of the strongest concepts that are stated
    listed: dict[int, Estimate]  # of those that speak for the place and are present, however unsure
    most_frequent: dict[int, Estimate]  # of those that hold most often on land
    by_frequency: Estimate  # of concepts drawn by how often they hold on land
    random: Estimate  # of concepts drawn at random
    count: dict[int, float]  # how many concepts are stated, of 5 and of 10


@dataclass(frozen=True, slots=True)
class PointingReport:
    """How often evidence is found where it is; chance is one in two."""

    composites: int
    strongest: Estimate  # share of composites whose strongest field is in the right half
    evidence: Estimate  # share of all positive evidence that lies in the right half


def measure_truth(locator: Locator, views: AnsweredViews) -> TruthReport:
    """Holds what is stated of each view against the atlas at its true centre.

    Raises:
        ConfigError: if the model states no concepts.
    """
    engine, atlas = locator.engine, Atlas.load()
    bank = GeoModel.of(engine.model).bank
    names, concepts = bank.names, Vocabulary.load().only(bank.ids)
    order = [concepts.names.index(name) for name in names]
    step = max(1, len(engine.gallery.lat_lon) // LAND_SAMPLE)
    land = concepts.truth(atlas, engine.gallery.lat_lon[::step])[:, order]
    truth = concepts.truth(atlas, views.centres)[:, order]
    groundings = [concepts.concepts[number].grounding for number in order]
    is_degree = [each is not None and each.kind == "degree" for each in groundings]
    limits = np.where(is_degree, np.nanmedian(land, axis=0), 0.5)
    holds = np.where(np.isnan(truth), np.nan, truth > limits)
    frequency = np.nanmean(np.where(np.isnan(land), np.nan, land > limits), axis=0)
    statements = ConceptProbability.of(engine.model, engine.gallery)
    if statements is None:
        raise ConfigError(f"{locator.name}: a model that states no concepts can't be held to them")
    stated: list[Ints] = []
    listed: list[Ints] = []
    for answer in views.answers:
        plain = engine.attribution.explain(answer.side, answer.place, answer.rival, answer.against)
        likely = replace(
            plain, contributions=statements.with_probabilities(plain.contributions, answer.side)
        )
        there = [c for c in likely.speaking_for(len(names)) if c.present]
        for found, some in ((stated, likely.stated(len(names))), (listed, there)):
            rows = [names.index(concept.name) for concept in some if concept.name in names]
            found.append(np.array(rows, np.intp))
    of_known = np.nansum(holds * frequency, axis=1) / (np.isfinite(holds) @ frequency)
    return TruthReport(
        len(holds),
        _precision(holds, stated, views.blocks),
        _precision(holds, listed, views.blocks),
        _precision(holds, [np.argsort(-frequency)] * len(holds), views.blocks),
        block_mean(of_known, views.blocks),
        block_mean(np.nanmean(holds, axis=1), views.blocks),
        {n: float(np.mean([min(n, len(rows)) for rows in stated])) for n in STATED},
    )


def _precision(holds: Floats64, ranked: list[Ints], blocks: Ints64) -> dict[int, Estimate]:
    """Mean over views of the share of the first 5 and 10 that hold; unknown ones don't count."""
    found = {}
    for count in STATED:
        shares = np.full(len(holds), np.nan)
        for number, stated in enumerate(ranked):
            first = holds[number, stated[:count]]
            if np.isfinite(first).any():
                shares[number] = np.nanmean(first)
        found[count] = block_mean(shares, blocks)
    return found


def measure_pointing(
    locator: Locator, views: AnsweredViews, count: int, on_progress: Callable[[int, int], None]
) -> PointingReport:
    """Plays on at most ``count`` pairs of views that the model locates right.

    Each such view is paired with the next one, if that is far away.
    """
    answers = np.array([answer.estimate.lat_lon for answer in views.answers])
    known = np.flatnonzero(distance_km(views.centres, answers) <= KNOWN_KM)
    apart = distance_km(views.centres[known], views.centres[np.roll(known, -1)]) >= APART_KM
    pairs = np.stack([known, np.roll(known, -1)], axis=1)[apart][:count]
    hits, shares = [], []
    for number, (first, second) in enumerate(pairs):
        across = bool(number % 2)  # halves left and right, or above and below
        picture = views.pixels[second].copy()
        height, width = picture.shape[:2]
        half = np.s_[:, : width // 2] if across else np.s_[: height // 2]
        picture[half] = views.pixels[first][half]
        field = _evidence(locator, picture, views.answers[first], views.answers[second])
        right = field[:, : field.shape[1] // 2] if across else field[: field.shape[0] // 2]
        hits.append(float(right.max() >= field.max()))
        shares.append(np.maximum(right, 0).sum() / max(np.maximum(field, 0).sum(), 1e-12))
        on_progress(number + 1, len(pairs))
    blocks = views.blocks[pairs[:, 0]]
    evidence = block_mean(np.array(shares), blocks)
    return PointingReport(len(pairs), block_mean(np.array(hits), blocks), evidence)


def _evidence(locator: Locator, picture: Pixels, here: Decoded, there: Decoded) -> Floats64:
    """What each field adds to the log-odds of one place against another, ``[f, f]``."""

    def log_odds(pictures: Sequence[Pixels]) -> Floats64:
        attribution, images = locator.engine.attribution, locator.engine.sides(pictures)
        at_place, at_rival = (attribution.scores(images, each.place) for each in (here, there))
        return np.asarray(at_place - at_rival, np.float64)

    return occlusion_maps(picture, log_odds)[:, :, 0]
