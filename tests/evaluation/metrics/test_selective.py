"""How right the surest are, against every order in which equally sure ones can come."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.evaluation.metrics.selective import (
    SelectiveMetrics,
    risk_area,
    selective_accuracy,
    surest_right,
)

answers = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6)


@given(answers)
def test_ties_count_as_the_mean_of_all_their_orders(rows):
    orders = [
        order
        for order in itertools.permutations(rows)
        if all(a[0] >= b[0] for a, b in itertools.pairwise(order))
    ]
    curves = [
        [sum(right for _, right in order[:k]) / k for k in range(1, len(rows) + 1)]
        for order in orders
    ]
    expected = np.mean(curves, axis=0)
    sureness, right = np.array(rows, float).T
    assert surest_right(sureness, right) == pytest.approx(expected, abs=1e-9)
    assert risk_area(sureness, right) == pytest.approx(1 - expected.mean(), abs=1e-9)
    assert selective_accuracy(sureness, right, 1.0) == pytest.approx(right.mean(), abs=1e-9)
    least = selective_accuracy(sureness, right, 1e-6)
    assert least == pytest.approx(expected[0], abs=1e-9)


def test_the_surest_share_is_rounded_up():
    sureness, right = -np.arange(11.0), np.array([1.0] + [0.0] * 10)
    assert selective_accuracy(sureness, right, 0.1) == pytest.approx(1 / 2)  # two of eleven
    assert selective_accuracy(sureness[:10], right[:10], 0.1) == 1.0
    assert selective_accuracy(np.arange(100.0), np.arange(100.0) > 92, 0.07) == 1.0


def test_the_least_sure_may_have_no_sureness_at_all():
    sureness, right = np.array([-np.inf, 3.0, -np.inf, 1.0]), np.array([0.0, 1, 0, 1])
    assert surest_right(sureness, right) == pytest.approx([1, 1, 2 / 3, 1 / 2])


def test_nothing_is_no_number():
    nothing = np.empty(0)
    assert math.isnan(risk_area(nothing, nothing))
    assert math.isnan(selective_accuracy(nothing, nothing, 0.5))
    found = SelectiveMetrics.of(nothing, nothing.astype(bool), nothing.astype(int))
    assert math.isnan(found.risk_area.value)


def test_each_share_has_its_own_accuracy():
    right = np.array([True] * 1 + [False] * 1 + [True] * 3 + [False] * 5)
    found = SelectiveMetrics.of(-np.arange(10.0), right, np.arange(10))
    values = {share: estimate.value for share, estimate in found.accuracy.items()}
    assert values == pytest.approx({0.1: 1.0, 0.25: 2 / 3, 0.5: 4 / 5})
