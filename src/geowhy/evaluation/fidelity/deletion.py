"""Deletion and insertion: take concepts away in the order of what they are said to add.

What is taken away is set to 0, as `geowhy.explain.explainer` does it; what is watched is the
probability of the region of the original answer, or of its pose. The sooner it falls, the truer the
order. LIME (Ribeiro, Singh and Guestrin 2016) and SHAP (Lundberg and Lee 2017) are linear models of
a model, from what it says with concepts masked; with few evaluations they are shrunk by a ridge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from geowhy.arrays import Bools, Floats32, Floats64
from geowhy.engine import Decoded, Engine
from geowhy.evaluation.estimates import Estimate, block_mean, finding
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.geo.sphere import distance_km
from geowhy.heads.orbit import OTHER_PLACE, PosePosterior
from geowhy.locator import Locator
from geowhy.model.terms import Encoded

__all__ = ["Curves", "DeletionReport", "lime", "measure_deletion", "shap"]

Model = Callable[[Floats32], Floats64]

OURS, RANDOM, ACTIVATION = "stated contribution", "random order", "raw activation"
RIDGE, MASKS_AT_ONCE = 1.0, 64  # of the surrogates
BUDGETS = (64, 512)  # evaluations of the model that a surrogate may take; ours takes one


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Probability of the answer's region after so many concepts, on average over views."""

    order: str
    counts: tuple[int, ...]  # of concepts taken away, or put in, [S]
    deletion: tuple[float, ...]  # mean probability, [S]
    insertion: tuple[float, ...]
    deletion_area: Estimate  # under the curve, over the share of concepts
    insertion_area: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class DeletionReport:
    """Curves of all orders."""

    views: int
    concepts: int  # and other contributors that could be taken away
    curves: tuple[Curves, ...]  # ours first

    def area(self, order: str) -> Estimate:
        """Deletion area of an order."""
        return next(each.deletion_area for each in self.curves if each.order == order)

    def lines(self) -> Iterator[str]:
        """For people: a line an order."""
        yield f"Deletion and insertion: {self.views} views, {self.concepts} contributors"
        yield finding("order", "deletion area (low is good)", "insertion area")
        for each in self.curves:
            areas = each.deletion_area.text(".3f"), each.insertion_area.text(".3f")
            yield finding(each.order, *areas)
        less = self.area(RANDOM).value / self.area(OURS).value
        yield finding("random order / stated contribution", f"{less:.2f}")


def measure_deletion(
    locator: Locator, views: AnsweredViews, seed: int, on_progress: Callable[[int, int], None]
) -> DeletionReport:
    """Deletes and inserts concepts in several orders, for every view."""
    rng, concepts = np.random.default_rng(seed), len(locator.engine.attribution.names)
    powers = [2**power for power in range(concepts.bit_length())]
    some = [0, *powers, *(3 * count // 2 for count in powers if count >= 32)]
    counts = sorted({*(count for count in some if count < concepts), concepts})
    found: dict[str, list[Floats64]] = {}
    for number, decoded in enumerate(views.answers):
        model = _model(locator.engine, decoded)
        for name, values in _orders(locator, decoded, model, rng).items():
            order = np.argsort(-values, kind="stable")
            kept = np.ones((len(counts), concepts), np.float32)
            for row, count in enumerate(counts):
                kept[row, order[:count]] = 0
            log_odds = model(np.stack([kept, 1 - kept]).reshape(-1, concepts))
            probability = 1 / (1 + np.exp(-np.clip(log_odds, -700, 700)))
            found.setdefault(name, []).append(probability.reshape(2, len(counts)))
        on_progress(number + 1, len(views.answers))
    share, curves = np.array(counts) / concepts, []
    for name, of_views in found.items():
        deletion, insertion = np.swapaxes(np.array(of_views), 0, 1)
        curves.append(
            Curves(
                name,
                tuple(counts),
                tuple(deletion.mean(axis=0).tolist()),
                tuple(insertion.mean(axis=0).tolist()),
                block_mean(np.asarray(np.trapezoid(deletion, share, axis=1)), views.blocks),
                block_mean(np.asarray(np.trapezoid(insertion, share, axis=1)), views.blocks),
            )
        )
    return DeletionReport(len(views.answers), concepts, tuple(curves))


def _model(engine: Engine, decoded: Decoded) -> Model:
    """Log-odds ``[B]`` of the answer, with contributors multiplied by masks ``[B, n]``."""
    posterior = engine.posterior(decoded.side)
    if not isinstance(posterior, PosePosterior):
        region = decoded.estimate.region[engine.gallery.grid.point_to_cell]
        return partial(_log_odds, engine, decoded, engine.gallery.side, region, -np.inf)
    # Poses that are the answer, of all that were tried, and what there is beside them.
    lat_lon, poses = decoded.estimate.lat_lon, posterior.poses
    is_answer = distance_km(lat_lon, poses.lat_lon) < OTHER_PLACE * poses.width_km[0]
    tried = engine.gallery.side.rows(posterior.rows).made()
    nats = sum(float(term.log_likelihood[0]) for term in posterior.ledger)
    elsewhere = nats + float(np.log(posterior.elsewhere) - posterior.log_prob[0])
    return partial(_log_odds, engine, decoded, tried, is_answer, elsewhere)


def _log_odds(
    engine: Engine,
    decoded: Decoded,
    places: Encoded,
    region: Bools,
    elsewhere: float,
    masks: Floats32,
) -> Floats64:
    """Log-odds ``[B]`` of a region ``[M]`` of places against the rest, which has more nats.

    Contributors are multiplied by masks ``[B, n]``.
    """
    attribution = engine.attribution
    sides = attribution.edited(decoded.side, lambda columns, values: values * masks[:, columns])
    logits = attribution.scores(sides, places)
    peak = np.maximum(logits.max(axis=1, keepdims=True), np.float32(elsewhere))
    logits -= peak
    odds = np.exp(logits, out=logits)
    inside, outside = (odds @ part.astype(np.float32) for part in (region, ~region))
    outside = outside + np.exp(elsewhere - peak[:, 0].astype(np.float64))
    tiny = np.finfo(np.float64).tiny
    found = np.log(inside.astype(float) + tiny) - np.log(outside.astype(float) + tiny)
    return np.asarray(found, np.float64)


def _orders(
    locator: Locator, decoded: Decoded, model: Model, rng: np.random.Generator
) -> dict[str, Floats64]:
    """What each method says that the concepts are worth, ``[k + m]``."""
    attribution, average = locator.engine.attribution, locator.engine.gallery.average
    here, rival, usual = (
        attribution.shares(decoded.side, each)[0][0]
        for each in (decoded.place, decoded.rival, average)
    )
    orders = {
        OURS: here - rival,
        "contribution against the average place": here - usual,
        RANDOM: rng.permutation(len(here)).astype(np.float64),
        ACTIVATION: attribution.activations(decoded.side),
    }
    for budget in BUDGETS:
        orders[f"LIME, {budget} evaluations"] = lime(model, len(here), budget, rng)
        orders[f"SHAP, {budget} evaluations"] = shap(model, len(here), budget, rng)
    return orders


def lime(model: Model, concepts: int, budget: int, rng: np.random.Generator) -> Floats64:
    """What each concept is worth, ``[k]``: every mask keeps each concept with an even chance.

    Masks count the more the nearer they are to the whole, by an exponential kernel.
    """
    masks = (rng.random((budget, concepts)) < 0.5).astype(np.float32)
    missing = 1.0 - masks.mean(axis=1)
    return _surrogate(model, masks, np.exp(-(missing**2) / 0.25))


def shap(model: Model, concepts: int, budget: int, rng: np.random.Generator) -> Floats64:
    """Kernel SHAP, ``[k]``: sizes of masks drawn by Shapley's kernel, each with its opposite."""
    sizes = np.arange(1, concepts)
    chance = 1.0 / (sizes * (concepts - sizes))
    drawn = rng.choice(sizes, budget // 2, p=chance / chance.sum())
    ranks = np.argsort(rng.random((len(drawn), concepts)), axis=1).argsort(axis=1)
    masks = (ranks < drawn[:, None]).astype(np.float32)
    masks = np.concatenate([masks, 1 - masks])
    return _surrogate(model, masks, np.ones(len(masks)))


def _surrogate(model: Model, masks: Floats32, weights: Floats64) -> Floats64:
    """Weighted ridge regression, with an intercept, of what the model says of masks."""
    starts = range(0, len(masks), MASKS_AT_ONCE)
    said = np.concatenate([model(masks[start : start + MASKS_AT_ONCE]) for start in starts])
    weights = weights / weights.sum()
    x, y = masks - weights @ masks, said - weights @ said
    weighted = x * (len(masks) * weights)[:, None]
    return np.asarray(np.linalg.solve(weighted.T @ x + RIDGE * np.eye(x.shape[1]), weighted.T @ y))
