"""Rules of places: linear classifiers of views, dense and sparse, and the views they are fitted on.

A label-free concept bottleneck (Oikarinen et al. 2023) names a class from concept scores alone, by
a few weights a class. It starts from the dense weights; the smallest of each class are taken away
in steps, and those that stay are fitted anew after each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geowhy.arrays import Array, Bools, Floats32, Ints, Ints64, Points
from geowhy.errors import ConfigError, MissingExtraError
from geowhy.evaluation.protocol import open_views, training_config
from geowhy.geo.atlas import Atlas
from geowhy.geo.cells import ten_degree_cell
from geowhy.model.geomodel import GeoModel
from geowhy.model.store import ModelFolder
from geowhy.registry import require, resolve_model

if TYPE_CHECKING:
    from torch import Tensor

    from geowhy.training.config import TrainingConfig
    from geowhy.training.features import FeatureStore
    from geowhy.training.views import ViewManifest

__all__ = ["CLASSIFIERS", "LinearClassifier", "RuleViews", "SomeViews", "Task"]

STRENGTHS = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # of the regularisation, among which is chosen
FOLDS = 3  # of the blocks, to choose by; one alone chooses by chance
KEPT_A_STEP = 0.85  # of the weights; with fewer steps worse ones are kept
DENSE_ROUNDS, SPARSE_ROUNDS = 150, 50  # of L-BFGS
BOTTLENECK = "bottleneck"
MOST_CONCEPTS = 30  # a class
FEWEST_VIEWS = 30  # of a class among those that rules are fitted on
FITTED_VIEWS = 20_000  # training views, at most
NEAR_VIEWS = 6_000  # views of the training's own cells to be tested on, at most
NEAR_SHARE = 0.2  # of the training views, where no other view of their cells is left
READ_AT_ONCE = 2048  # features are 5 kB a view


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What a classifier is fitted on."""

    features: Floats32  # [N, d]
    labels: Ints  # class of each, from 0, [N]
    classes: int
    blocks: Ints64  # the block of 10 degrees that each lies in, [N]

    def only(self, chosen: Bools) -> Lesson:
        """The rows that are ``chosen`` ``[N]``; classes may be left without any."""
        return Lesson(self.features[chosen], self.labels[chosen], self.classes, self.blocks[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class LinearClassifier:
    """A softmax of weighted sums of standardised features."""

    weights: Floats32  # [C, d]; 0 where a feature isn't used
    biases: Floats32  # [C]
    mean: Floats32  # of the features it was fitted on, [d]
    spread: Floats32  # their standard deviation, [d]

    def standardised(self, features: Floats32) -> Floats32:
        """Features ``[N, d]`` in standard deviations from their mean."""
        return np.asarray((features - self.mean) / self.spread, np.float32)

    def predict(self, features: Floats32) -> Ints:
        """The most probable class of each of ``[N, d]``, ``[N]``."""
        logits = self.standardised(features) @ self.weights.T + self.biases
        return np.asarray(logits.argmax(axis=1), np.intp)

    @property
    def used(self) -> Ints:
        """How many features each class uses, ``[C]``."""
        return np.asarray(np.count_nonzero(self.weights, axis=1), np.intp)


Fit = Callable[[Lesson, float], LinearClassifier]


def fit_dense(lesson: Lesson, strength: float) -> LinearClassifier:
    """All weights, under ``strength / 2`` times the sum of their squares.

    Raises:
        MissingExtraError: without the extra ``train``.
    """
    features = lesson.features
    weights = np.zeros((lesson.classes, features.shape[1]), np.float32)
    untaught = LinearClassifier(
        weights,
        np.zeros(lesson.classes, np.float32),
        features.mean(axis=0).astype(np.float32),
        np.maximum(features.std(axis=0), 1e-6).astype(np.float32),
    )
    return _refitted(untaught, lesson, strength, np.ones_like(weights), DENSE_ROUNDS)


def fit_sparse(lesson: Lesson, strength: float, most: int) -> LinearClassifier:
    """At most ``most`` weights a class.

    Raises:
        MissingExtraError: without the extra ``train``.
    """
    fitted = fit_dense(lesson, strength)
    kept = fitted.weights.shape[1]
    while kept > most:
        kept = max(most, int(KEPT_A_STEP * kept))
        largest = np.argsort(-np.abs(fitted.weights), axis=1, kind="stable")[:, :kept]
        mask = np.zeros_like(fitted.weights)
        np.put_along_axis(mask, largest, np.float32(1), axis=1)
        fitted = _refitted(fitted, lesson, strength, mask, SPARSE_ROUNDS)
    return fitted


def tuned(fit: Fit, lesson: Lesson) -> tuple[LinearClassifier, float]:
    """The classifier under the best of ``STRENGTHS``, and which that is.

    It is chosen by accuracy in blocks that were held out of the lesson, each of them once; the
    classifier is then fitted on all.

    Raises:
        MissingExtraError: without the extra ``train``.
    """
    names, of_row = np.unique(lesson.blocks, return_inverse=True)
    fold = (np.random.default_rng(0).permutation(len(names)) % FOLDS)[of_row]
    hits = dict.fromkeys(STRENGTHS, 0)
    for number in range(FOLDS):
        held_out = fold == number
        if held_out.all() or not held_out.any():
            continue
        taught, asked = lesson.only(~held_out), lesson.only(held_out)
        for strength in STRENGTHS:
            named = fit(taught, strength).predict(asked.features)
            hits[strength] += int((named == asked.labels).sum())
    best = max(hits, key=lambda strength: hits[strength])
    return fit(lesson, best), best


def _refitted(
    start: LinearClassifier, lesson: Lesson, strength: float, mask: Floats32, rounds: int
) -> LinearClassifier:
    """From the weights of ``start``, with those alone that ``mask`` ``[C, d]`` leaves."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "fitting rules of places") from error
    features = torch.from_numpy(start.standardised(lesson.features))
    labels, kept = torch.from_numpy(lesson.labels), torch.from_numpy(mask)
    weights = torch.from_numpy(start.weights * mask).requires_grad_()
    biases = torch.from_numpy(start.biases.copy()).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [weights, biases], max_iter=rounds, history_size=10, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        used = weights * kept
        missed = torch.nn.functional.cross_entropy(features @ used.T + biases, labels)
        total: Tensor = missed + strength / 2 * used.square().sum()
        total.backward()
        return total

    # Steps are so short that threads wait for each other ten times as long on a busy machine.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        optimiser.step(loss)
    finally:
        torch.set_num_threads(threads)
    found = (weights * kept).detach().numpy()
    return LinearClassifier(found, biases.detach().numpy(), start.mean, start.spread)


@dataclass(frozen=True, slots=True, eq=False)
class SomeViews:
    """Views, as classifiers read them."""

    centres: Points  # degrees [N, 2]
    whitened: Floats32  # what the model's own head reads of the backbone's features, [N, w]
    embedding: Floats32  # `x_img`, [N, d]
    concepts: Floats32  # `z_img`, [N, k]

    def only(self, chosen: Bools) -> SomeViews:
        """The views that are ``chosen`` ``[N]``."""
        return SomeViews(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class RuleViews:
    """A seeded sample of the views of a model's own configuration."""

    model: GeoModel
    config: TrainingConfig
    seed: int
    manifest: ViewManifest  # the sampled views alone, with their splits
    fitted: Ints  # rows of the training views that rules are fitted on
    near: Ints  # rows of views in the cells of the training that rules aren't fitted on
    near_words: str  # what these are
    store: FeatureStore  # features of all rows

    @classmethod
    def open(cls, name: str, seed: int, report: Callable[[str], None]) -> RuleViews:
        """Samples the views and embeds those that have no features on disk yet.

        ``report`` is told of each stage. Breaking off loses one shard of 4,096 views at most.

        Raises:
            ModelNotFoundError: if the model or the Blue Marble isn't installed.
            ConfigError: if the model was trained on photographs.
            MissingExtraError: without the extra ``train``.
        """
        config = training_config(name)
        from geowhy.training.features import embed_views

        model = GeoModel.load(ModelFolder.open(resolve_model(name)))
        report("dividing views")
        pool, world = open_views(config)
        rng = np.random.default_rng(seed)
        training, near = (rng.permutation(pool.rows(split)) for split in ("train", "margin"))
        near = near[:NEAR_VIEWS]
        words = (
            "views in the cells of the training, close to held-out ones, and so left out of it; "
            "the model never saw them, but their neighbours"
        )
        if not len(near):
            count = min(NEAR_VIEWS, int(NEAR_SHARE * len(training)))
            near, training = training[:count], training[count:]
            words = "training views that no rule was fitted on; the model was trained on them"
        fitted = training[:FITTED_VIEWS]
        rows = np.sort(np.concatenate([fitted, near, pool.rows("test")]))
        manifest = replace(pool, centres=pool.centres[rows], split=pool.split[rows])

        def tell(done: int, total: int) -> None:
            report(f"embedding views: {done:,} of {total:,}")

        cache = require("blue-marble").parent / "features"  # where training keeps them
        store = embed_views(manifest, world, model.backbone, cache, tell)
        places = (np.searchsorted(rows, fitted), np.searchsorted(rows, near))
        return cls(model, config, seed, manifest, *places, words, store)

    def read(self, rows: Ints) -> SomeViews:
        """What the model makes of the views in ``rows`` ``[n]``."""
        aligner, parts = self.model.aligner, []
        for start in range(0, len(rows), READ_AT_ONCE):
            read = self.store.read(rows[start : start + READ_AT_ONCE])
            parts.append((aligner.whitened(read), *aligner.outputs(read)))
        whitened, embedding, concepts = map(np.concatenate, zip(*parts, strict=True))
        return SomeViews(self.manifest.centres[rows], whitened, embedding, concepts)


ClassOf = Callable[[Points], Array]  # numbers; negative where there is no class

# What each classifier reads of a view, and how it is fitted.
CLASSIFIERS: dict[str, tuple[Callable[[SomeViews], Floats32], Fit]] = {
    BOTTLENECK: (lambda views: views.concepts, partial(fit_sparse, most=MOST_CONCEPTS)),
    "dense, all concepts": (lambda views: views.concepts, fit_dense),
    "dense, image embedding": (lambda views: views.embedding, fit_dense),
    "dense, backbone features": (lambda views: views.whitened, fit_dense),
}


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is to be named: the class of a view, by number, and which classes count."""

    name: str
    class_of: ClassOf
    classes: Ints64

    @classmethod
    def of(cls, name: str, class_of: ClassOf, fitted: SomeViews) -> Task:
        """With the classes that enough of the views to be fitted on have."""
        known = class_of(fitted.centres).astype(np.int64)
        numbers, counts = np.unique(known[known >= 0], return_counts=True)
        classes = numbers[counts >= FEWEST_VIEWS]
        if len(classes) < 2:
            raise ConfigError(
                f"{name}: {len(classes)} of {len(numbers)} have the {FEWEST_VIEWS} training views "
                "that a rule takes, and it takes two of them: give a model that was trained on "
                "more views"
            )
        return cls(name, class_of, classes)

    @classmethod
    def countries(cls, atlas: Atlas, fitted: SomeViews) -> Task:
        """Countries, by their numbers in the atlas; raises as ``of`` does."""
        return cls.of("countries", atlas.layer("country").at, fitted)

    def labelled(self, views: SomeViews) -> tuple[SomeViews, Ints]:
        """The views of the classes that count, and the position of each's class."""
        numbers = self.class_of(views.centres).astype(np.int64)
        counts = np.isin(numbers, self.classes)
        return views.only(counts), np.searchsorted(self.classes, numbers[counts])

    def fit(self, name: str, fitted: SomeViews) -> tuple[LinearClassifier, float]:
        """One of ``CLASSIFIERS`` on views, and the strength that was chosen."""
        read, fit = CLASSIFIERS[name]
        kept, labels = self.labelled(fitted)
        blocks = ten_degree_cell(kept.centres)
        return tuned(fit, Lesson(read(kept), labels, len(self.classes), blocks))
