"""Linear classifiers of places, dense and sparse: the label-free concept bottleneck.

A bottleneck (Oikarinen et al. 2023) names a class from concept scores alone, by a few weights a
class. It starts from the dense weights; the smallest of each class are taken away in steps, and
those that stay are fitted anew after each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geowhy.errors import MissingExtraError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["STRENGTHS", "Lesson", "LinearClassifier", "fit_dense", "fit_sparse", "tuned"]

STRENGTHS = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # of the regularisation, among which is chosen
FOLDS = 3  # of the blocks, to choose by; one alone chooses by chance
KEPT_A_STEP = 0.85  # of the weights; with fewer steps worse ones are kept
DENSE_ROUNDS, SPARSE_ROUNDS = 150, 50  # of L-BFGS
SMALLEST_SPREAD = 1e-6

Floats = NDArray[np.float32]
Labels = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What a classifier is fitted on.

    Attributes:
        features: ``[N, d]``.
        labels: class of each, from 0, ``[N]``.
        classes: how many there are.
        blocks: the block of the Earth that each lies in, ``[N]``.
    """

    features: Floats
    labels: Labels
    classes: int
    blocks: NDArray[np.int64]

    def only(self, chosen: NDArray[np.bool_]) -> Lesson:
        """Some of the rows; classes may be left without any."""
        kept = (self.features[chosen], self.labels[chosen])
        return Lesson(*kept, self.classes, self.blocks[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class LinearClassifier:
    """A softmax of weighted sums of standardised features.

    Attributes:
        weights: ``[C, d]``; 0 where a feature isn't used.
        biases: ``[C]``.
        mean: of the features it was fitted on, ``[d]``.
        spread: their standard deviation, ``[d]``.
    """

    weights: Floats
    biases: Floats
    mean: Floats
    spread: Floats

    def standardised(self, features: Floats) -> Floats:
        """Features ``[N, d]`` in standard deviations from their mean."""
        return np.asarray((features - self.mean) / self.spread, np.float32)

    def logits(self, features: Floats) -> Floats:
        """Of features ``[N, d]``, ``[N, C]``."""
        return np.asarray(self.standardised(features) @ self.weights.T + self.biases, np.float32)

    def predict(self, features: Floats) -> Labels:
        """The most probable class of each of ``[N, d]``, ``[N]``."""
        return np.asarray(self.logits(features).argmax(axis=1), np.intp)

    @property
    def used(self) -> NDArray[np.intp]:
        """How many features each class uses, ``[C]``."""
        return np.asarray(np.count_nonzero(self.weights, axis=1), np.intp)


Fit = Callable[[Lesson, float], LinearClassifier]


def fit_dense(lesson: Lesson, strength: float) -> LinearClassifier:
    """All weights, under ``strength / 2`` times the sum of their squares.

    Raises:
        MissingExtraError: without the extra ``train``.
    """
    start = _untaught(lesson)
    return _refitted(start, lesson, strength, np.ones_like(start.weights), DENSE_ROUNDS)


def fit_sparse(lesson: Lesson, strength: float, most: int) -> LinearClassifier:
    """At most ``most`` weights a class.

    Raises:
        MissingExtraError: without the extra ``train``.
    """
    fitted = fit_dense(lesson, strength)
    kept = fitted.weights.shape[1]
    while kept > most:
        kept = max(most, int(KEPT_A_STEP * kept))
        mask = _largest(fitted.weights, kept)
        fitted = _refitted(fitted, lesson, strength, mask, SPARSE_ROUNDS)
    return fitted


def tuned(fit: Fit, lesson: Lesson, seed: int = 0) -> tuple[LinearClassifier, float]:
    """The classifier under the best of ``STRENGTHS``, and which that is.

    It is chosen by accuracy in blocks that were held out of the lesson, each of them once; the
    classifier is then fitted on all.

    Raises:
        MissingExtraError: without the extra ``train``.
    """
    names, of_row = np.unique(lesson.blocks, return_inverse=True)
    fold = (np.random.default_rng(seed).permutation(len(names)) % FOLDS)[of_row]
    hits = [
        sum(_hits(fit, lesson, strength, fold == n) for n in range(FOLDS)) for strength in STRENGTHS
    ]
    best = STRENGTHS[int(np.argmax(hits))]
    return fit(lesson, best), best


def _hits(fit: Fit, lesson: Lesson, strength: float, held_out: NDArray[np.bool_]) -> int:
    """How many of the held-out rows are named rightly by what all others teach."""
    if held_out.all() or not held_out.any():
        return 0
    asked = lesson.only(held_out)
    predicted = fit(lesson.only(~held_out), strength).predict(asked.features)
    return int((predicted == asked.labels).sum())


def _untaught(lesson: Lesson) -> LinearClassifier:
    size = lesson.features.shape[1]
    spread = np.maximum(lesson.features.std(axis=0), SMALLEST_SPREAD)
    return LinearClassifier(
        np.zeros((lesson.classes, size), np.float32),
        np.zeros(lesson.classes, np.float32),
        lesson.features.mean(axis=0).astype(np.float32),
        spread.astype(np.float32),
    )


def _largest(weights: Floats, count: int) -> Floats:
    """1 where a weight is among the ``count`` largest of its class, else 0, ``[C, d]``."""
    order = np.argsort(-np.abs(weights), axis=1, kind="stable")[:, :count]
    mask = np.zeros_like(weights)
    np.put_along_axis(mask, order, np.float32(1), axis=1)
    return mask


def _refitted(
    start: LinearClassifier, lesson: Lesson, strength: float, mask: Floats, rounds: int
) -> LinearClassifier:
    """From the weights of ``start``, with those alone that ``mask`` ``[C, d]`` leaves."""
    torch = _torch()
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

    with _one_thread(torch):
        optimiser.step(loss)
    found = (weights * kept).detach().numpy()
    return LinearClassifier(found, biases.detach().numpy(), start.mean, start.spread)


@contextmanager
def _one_thread(torch: ModuleType) -> Iterator[None]:
    """Steps are so short that threads wait for each other ten times as long on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _torch() -> ModuleType:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train", "fitting rules of places") from error
    return torch
