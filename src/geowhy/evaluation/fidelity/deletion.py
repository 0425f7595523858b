"""Deletion and insertion: take concepts away in the order of what they are said to add.

What is taken away is set to 0 in what was read off the image, as `geowhy.explain.interventions`
does it, and places are scored anew. What is watched is the probability of the region of the
original answer. The sooner it falls, the truer the order.

LIME (Ribeiro, Singh and Guestrin 2016) and SHAP (Lundberg and Lee 2017) are linear models of a
model, from what it says with concepts masked. Either may evaluate the model ``budget`` times. With
far fewer evaluations than concepts they are shrunk towards 0 by a ridge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geowhy.arrays import Bools, Floats32, Floats64, Ints, Ints64
from geowhy.engine import Decoded
from geowhy.evaluation.estimates import Estimate, block_mean
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.explain.interventions import weighed
from geowhy.locator import Locator

__all__ = ["Curves", "DeletionReport", "lime", "measure_deletion", "shap"]

Progress = Callable[[int, int], None]
Model = Callable[[Floats32], Floats64]

OURS, RANDOM, ACTIVATION = "stated contribution", "random order", "raw activation"
AGAINST_AVERAGE = "contribution against the average place"
RIDGE, MASKS_AT_ONCE = 1.0, 64  # of the surrogates
BUDGETS = (64, 512)  # evaluations of the model that a surrogate may take; ours takes one


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Probability of the answer's region after so many concepts, on average over views.

    Attributes:
        order: by what concepts were ordered.
        counts: of concepts taken away, or put in, ``[S]``.
        deletion, insertion: mean probability, ``[S]``.
        deletion_area, insertion_area: under the curves, over the share of concepts.
    """

    order: str
    counts: tuple[int, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]
    deletion_area: Estimate
    insertion_area: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class DeletionReport:
    """Curves of all orders.

    Attributes:
        views: how many.
        concepts: that could be taken away, maps among them.
        curves: ours first.
    """

    views: int
    concepts: int
    curves: tuple[Curves, ...]

    def area(self, order: str) -> Estimate:
        """Deletion area of an order."""
        return next(each.deletion_area for each in self.curves if each.order == order)

    @property
    def times_better_than_random(self) -> float:
        """Deletion area of a random order over ours."""
        return self.area(RANDOM).value / self.area(OURS).value


def measure_deletion(
    locator: Locator, views: AnsweredViews, seed: int, on_progress: Progress
) -> DeletionReport:
    """Deletes and inserts concepts in several orders, for every view."""
    scene, rng = _Scene(locator), np.random.default_rng(seed)
    found: dict[str, list[tuple[Floats64, Floats64]]] = {}
    for number, decoded in enumerate(views.answers):
        region = scene.region(decoded)
        for name, values in _orders(scene, decoded, region, rng).items():
            order = np.argsort(-values, kind="stable")
            found.setdefault(name, []).append(scene.curves(decoded, region, order))
        on_progress(number + 1, len(views.answers))
    curves = tuple(_summed(scene, name, pairs, views.blocks) for name, pairs in found.items())
    return DeletionReport(len(views.answers), scene.concepts, curves)


def _orders(
    scene: _Scene, decoded: Decoded, region: Bools, rng: np.random.Generator
) -> dict[str, Floats64]:
    """What each method says that the concepts are worth, ``[k + m]``."""
    evidence, average = scene.locator.engine.attribution, scene.locator.engine.gallery.average
    here = evidence.shares(decoded.side, decoded.place)[0][0]

    def model(masks: Floats32) -> Floats64:
        return scene.log_odds(decoded, region, masks)

    orders = {
        OURS: here - evidence.shares(decoded.side, decoded.rival)[0][0],
        AGAINST_AVERAGE: here - evidence.shares(decoded.side, average)[0][0],
        RANDOM: rng.permutation(scene.concepts).astype(np.float64),
        ACTIVATION: _activations(scene, decoded),
    }
    for budget in BUDGETS:
        orders[f"LIME, {budget} evaluations"] = lime(model, scene.concepts, budget, rng)
        orders[f"SHAP, {budget} evaluations"] = shap(model, scene.concepts, budget, rng)
    return orders


def _activations(scene: _Scene, decoded: Decoded) -> Floats64:
    """How strongly the image shows each concept; of maps, how strongly it pulls."""
    return scene.locator.engine.attribution.activations(decoded.side)


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A locator, asked again and again what it makes of an image without some concepts."""

    locator: Locator

    @property
    def concepts(self) -> int:
        return len(self.locator.engine.attribution.names)

    def region(self, decoded: Decoded) -> Bools:
        """Which of the gallery's places are in the region of the answer."""
        return np.asarray(decoded.estimate.region[self.locator.engine.gallery.grid.point_to_cell])

    def log_odds(self, decoded: Decoded, region: Bools, masks: Floats32) -> Floats64:
        """Log-odds of the region with concepts multiplied by masks ``[B, k + m]``, ``[B]``."""
        evidence = self.locator.engine.attribution
        sides = weighed(evidence, decoded.side, masks)
        logits = evidence.scores(sides, self.locator.engine.gallery.side)
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits, out=logits)
        inside = odds @ region.astype(np.float32)
        outside = odds @ (~region).astype(np.float32)
        tiny = np.finfo(np.float64).tiny
        found = np.log(inside.astype(float) + tiny) - np.log(outside.astype(float) + tiny)
        return np.asarray(found, np.float64)

    @property
    def counts(self) -> list[int]:
        """1, 2, 4, 8, … concepts, all of them last."""
        powers = [2**power for power in range(self.concepts.bit_length())]
        between = [3 * count // 2 for count in powers if count >= 32]
        some = [count for count in (*powers, *between) if count < self.concepts]
        return sorted({0, *some, self.concepts})

    def curves(self, decoded: Decoded, region: Bools, order: Ints) -> tuple[Floats64, Floats64]:
        """Probability of the region while concepts are taken away, and while they are put in."""
        kept = np.ones((len(self.counts), self.concepts), np.float32)
        for row, count in enumerate(self.counts):
            kept[row, order[:count]] = 0
        log_odds = self.log_odds(decoded, region, np.concatenate([kept, 1 - kept]))
        probability = 1 / (1 + np.exp(-np.clip(log_odds, -700, 700)))
        return probability[: len(kept)], probability[len(kept) :]


def _summed(
    scene: _Scene, name: str, pairs: list[tuple[Floats64, Floats64]], blocks: Ints64
) -> Curves:
    deletion, insertion = (np.array(part) for part in zip(*pairs, strict=True))
    share = np.array(scene.counts) / scene.concepts
    areas = [np.trapezoid(part, share, axis=1) for part in (deletion, insertion)]
    return Curves(
        name,
        tuple(scene.counts),
        tuple(deletion.mean(axis=0).tolist()),
        tuple(insertion.mean(axis=0).tolist()),
        block_mean(areas[0], blocks),
        block_mean(areas[1], blocks),
    )


def lime(model: Model, concepts: int, budget: int, rng: np.random.Generator) -> Floats64:
    """What each concept is worth, ``[k]``: every mask keeps each concept with an even chance.

    Masks count the more the nearer they are to the whole, by an exponential kernel.
    """
    masks = (rng.random((budget, concepts)) < 0.5).astype(np.float32)
    missing = 1.0 - masks.mean(axis=1)
    return _fitted(masks, _asked(model, masks), np.exp(-(missing**2) / 0.25))


def shap(model: Model, concepts: int, budget: int, rng: np.random.Generator) -> Floats64:
    """Kernel SHAP, ``[k]``: sizes of masks drawn by Shapley's kernel, each with its opposite."""
    sizes = np.arange(1, concepts)
    chance = 1.0 / (sizes * (concepts - sizes))
    drawn = rng.choice(sizes, budget // 2, p=chance / chance.sum())
    ranks = np.argsort(rng.random((len(drawn), concepts)), axis=1).argsort(axis=1)
    masks = (ranks < drawn[:, None]).astype(np.float32)
    masks = np.concatenate([masks, 1 - masks])
    return _fitted(masks, _asked(model, masks), np.ones(len(masks)))


def _asked(model: Model, masks: Floats32) -> Floats64:
    starts = range(0, len(masks), MASKS_AT_ONCE)
    return np.concatenate([model(masks[start : start + MASKS_AT_ONCE]) for start in starts])


def _fitted(masks: Floats32, said: Floats64, weights: Floats64) -> Floats64:
    """Weighted ridge regression with an intercept."""
    weights = weights / weights.sum()
    x = masks - weights @ masks
    y = said - weights @ said
    weighted = x * (len(masks) * weights)[:, None]
    return np.asarray(np.linalg.solve(weighted.T @ x + RIDGE * np.eye(x.shape[1]), weighted.T @ y))
