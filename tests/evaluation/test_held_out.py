"""What the location side is compared with is as strong as it is said to be."""

from functools import partial

import numpy as np
import pytest
from scipy.special import sph_harm_y

from geowhy.evaluation.concept_scores import correlations
from geowhy.evaluation.estimates import auc
from geowhy.evaluation.held_out import boosted_trees, fitted_directions, harmonics, nearest_places
from geowhy.geo.sphere import uniform_on_sphere


def test_harmonics_span_those_of_scipy():
    points = uniform_on_sphere(300, np.random.default_rng(0))
    polar, lon = np.radians(90 - points[:, 0]), np.radians(points[:, 1])
    ours = harmonics(points, 6)
    assert ours.shape == (300, 49)
    expected = [
        part
        for n in range(7)
        for m in range(n + 1)
        for part in (sph_harm_y(n, m, polar, lon).real, sph_harm_y(n, m, polar, lon).imag)
    ]
    wanted = np.stack(expected, axis=1)
    left = wanted - ours @ np.linalg.lstsq(ours, wanted, rcond=None)[0]
    assert np.abs(left).max() < 1e-5


def test_harmonics_are_orthonormal_on_the_sphere_and_finite_at_the_poles():
    points = uniform_on_sphere(60_000, np.random.default_rng(1))
    values = harmonics(points, 4)
    gram = values.T @ values / len(values)
    shape = np.diag(gram)
    assert np.abs(gram - np.diag(shape)).max() < 0.05
    assert np.isfinite(harmonics(np.array([[90.0, 0.0], [-90.0, 10.0]]), 20)).all()


def checkerboard(points):
    return np.stack([points[:, 0] > 20, np.abs(points[:, 1]) < 60], axis=1).astype(np.float32)


def test_directions_of_harmonics_tell_a_smooth_concept_apart():
    rng = np.random.default_rng(2)
    training, asked = uniform_on_sphere(3000, rng), uniform_on_sphere(2000, rng)
    scores = fitted_directions(
        partial(harmonics, degree=8), training, checkerboard(training), asked
    )
    truth = checkerboard(asked)
    assert min(auc(truth[:, k], scores[:, k]) for k in range(2)) > 0.97


def test_trees_tell_classes_and_degrees_from_coordinates_alone():
    rng = np.random.default_rng(4)
    training, asked = uniform_on_sphere(3000, rng), uniform_on_sphere(2000, rng)
    truth = np.column_stack([checkerboard(training)[:, 0], training[:, 0]]).astype(np.float32)
    truth[::3, 1] = np.nan  # unknown places teach nothing, and don't spoil the others
    scores = boosted_trees(training, truth, np.array([True, False]), asked)
    assert scores.shape == (2000, 2)
    assert auc(checkerboard(asked)[:, 0], scores[:, 0]) > 0.99
    assert np.abs(scores[:, 1] - asked[:, 0]).mean() < 2
    again = boosted_trees(training, truth, np.array([True, False]), asked)
    assert np.array_equal(scores, again)


def test_nearest_places_vote_and_the_unknown_abstain():
    training = np.array([[0.0, 0.0]] * 5 + [[50.0, 50.0]] * 5)
    truth = np.array([[1.0, np.nan]] * 2 + [[0.0, 1.0]] * 3 + [[0.0, np.nan]] * 5, np.float32)
    scores = nearest_places(training, truth, np.array([[0.0, 1.0], [50.0, 51.0]]))
    assert scores[0].tolist() == pytest.approx([0.4, 1.0])
    assert scores[1].tolist() == pytest.approx([0.0, 1.0])  # nobody knows: the average


def test_correlations_are_pearsons_by_column():
    rng = np.random.default_rng(3)
    means, shares = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    assert correlations(means, means) == pytest.approx([1, 1])
    expected = [np.corrcoef(means[:, k], shares[:, k])[0, 1] for k in range(2)]
    assert correlations(means, shares) == pytest.approx(expected)
