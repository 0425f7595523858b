"""Sparse classifiers find what was planted, and never use more than they may."""

import builtins

import numpy as np
import pytest

from geowhy.errors import MissingExtraError
from geowhy.evaluation.rules import STRENGTHS, Lesson, fit_dense, fit_sparse, tuned

CLASSES, FEATURES, PLANTED = 4, 20, 3


def planted(seed=0, count=1500):
    """Classes by three features each, among many that are noise; and those features."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, FEATURES)).astype(np.float32)
    rules = [rng.permutation(FEATURES)[:PLANTED] for _ in range(CLASSES)]
    weights = np.zeros((CLASSES, FEATURES), np.float32)
    for row, used in enumerate(rules):
        weights[row, used] = 3.0 * rng.choice([-1, 1], PLANTED)
    labels = (features @ weights.T).argmax(axis=1)
    scales = np.geomspace(0.01, 100, FEATURES).astype(np.float32)
    return Lesson(features * scales + 5, labels, CLASSES, rng.integers(10, size=count)), weights


def test_planted_weights_are_found_whatever_the_scales():
    lesson, weights = planted()
    found = fit_sparse(lesson, 1e-3, PLANTED)
    assert ((found.weights != 0) == (weights != 0)).all()
    assert (np.sign(found.weights) == np.sign(weights)).all()
    assert (found.predict(lesson.features) == lesson.labels).mean() > 0.95


@pytest.mark.parametrize("most", [1, 4, FEATURES, 2 * FEATURES])
def test_no_class_uses_more_than_it_may(most):
    lesson, _ = planted()
    assert fit_sparse(lesson, 1e-3, most).used.max() == min(most, FEATURES)


def test_regularisation_makes_weights_small():
    lesson, _ = planted()
    weak, strong = (np.square(fit_dense(lesson, s).weights).sum() for s in (1e-4, 1e-1))
    assert strong < weak / 4


def test_the_strength_is_chosen_where_nothing_was_fitted():
    # Labels without any rule: whoever is scored where it was fitted prefers the weakest.
    rng = np.random.default_rng(1)
    features = rng.normal(size=(300, 60)).astype(np.float32)
    labels = (rng.random(300) < 0.25).astype(np.intp)
    _, strength = tuned(fit_dense, Lesson(features, labels, 2, np.arange(300) // 10))
    assert strength > STRENGTHS[0]


def test_a_class_without_rows_is_never_named():
    lesson, _ = planted()
    kept = lesson.only(lesson.labels != 2)
    assert 2 not in fit_dense(kept, 1e-3).predict(lesson.features)


def test_without_torch_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without_torch(name, *arguments, **options):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    with pytest.raises(MissingExtraError, match=r"geowhy\[train\]"):
        fit_dense(planted()[0], 1e-3)
