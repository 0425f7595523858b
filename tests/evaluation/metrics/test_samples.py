"""Precision, recall, density and coverage, against their definitions point by point."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.evaluation.metrics.samples import SampleMetrics
from geowhy.geo.sphere import distance_km, uniform_on_sphere


def rims(points):
    """Distance to the third nearest of the others."""
    return [
        sorted(float(distance_km(a, b)) for j, b in enumerate(points) if j != i)[2]
        for i, a in enumerate(points)
    ]


def by_definition(truth, answer):
    of_truth, of_answer = rims(truth), rims(answer)
    held = [
        [float(distance_km(t, a)) < rim for a in answer]
        for t, rim in zip(truth, of_truth, strict=True)
    ]
    recalled = [
        any(float(distance_km(t, a)) < rim for a, rim in zip(answer, of_answer, strict=True))
        for t in truth
    ]
    count = len(truth)
    return (
        sum(any(row[j] for row in held) for j in range(count)) / count,
        sum(recalled) / count,
        sum(map(sum, held)) / (3 * count),
        sum(map(any, held)) / count,
    )


@given(st.integers(0, 1_000), st.integers(5, 25), st.sampled_from([0.0, 0.3, 1.0]))
def test_they_are_what_their_papers_define(seed, count, spread):
    rng = np.random.default_rng(seed)
    truth = uniform_on_sphere(count, rng)
    truth[0] = 90.0, 17.0  # a pole, and the date line
    truth[1:3] = [12.0, 179.9], [12.0, -179.9]
    answer = np.clip(truth + rng.normal(0, 60 * spread, (count, 2)), -89, 179)
    found = SampleMetrics.of(truth, answer)
    values = found.precision, found.recall, found.density, found.coverage
    assert values == pytest.approx(by_definition(truth, answer), abs=1e-9)
    order = rng.permutation(count)
    assert SampleMetrics.of(truth[order], answer[order]) == found
    assert found.points == count


def test_many_points_go_in_several_rounds():
    rng = np.random.default_rng(0)
    truth, answer = uniform_on_sphere(300, rng), uniform_on_sphere(300, rng)
    found = SampleMetrics.of(truth, answer)
    values = found.precision, found.recall, found.density, found.coverage
    assert values == pytest.approx(by_definition(truth, answer), abs=1e-9)
    assert 0.8 < found.precision < 1
    assert 0.8 < found.density < 1.2


def test_few_points_tell_nothing():
    found = SampleMetrics.of(np.zeros((4, 2)), np.zeros((4, 2)))
    assert math.isnan(found.precision)
    assert found.points == 4
