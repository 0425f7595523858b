"""Tests of two on the same images, against scipy and against drawing by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geowhy.evaluation.estimates import block_draws
from geowhy.evaluation.metrics.paired import mcnemar, paired_difference


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_a_fair_coin(first, second):
    expected = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_mcnemar_of_many_images():
    expected = stats.binomtest(50_000, 100_600).pvalue
    assert mcnemar(50_000, 50_600) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("statistic", [np.mean, np.median])
def test_both_are_drawn_together(statistic):
    rng = np.random.default_rng(0)
    blocks = rng.integers(15, size=120)
    hard = rng.normal(0, 50, 15)[blocks]
    first = hard + rng.normal(0, 1, 120)
    second = hard + 3 + rng.normal(0, 1, 120)
    found = paired_difference(statistic, first, second, blocks)
    draws, block = block_draws(blocks, 1000)
    resampled = []
    for draw in draws:
        rows = np.concatenate([np.flatnonzero(block == number) for number in draw])
        resampled.append(statistic(second[rows]) - statistic(first[rows]))
    assert found.value == pytest.approx(statistic(second) - statistic(first), rel=1e-9)
    assert (found.low, found.high) == pytest.approx(np.percentile(resampled, [2.5, 97.5]))
    assert statistic is not np.mean or 2.5 < found.low < 3 < found.high < 3.5


def test_nothing_is_no_number():
    nothing = np.empty(0)
    assert np.isnan(paired_difference(np.mean, nothing, nothing, nothing.astype(int)).value)
