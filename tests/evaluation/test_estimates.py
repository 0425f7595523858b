"""AUC and rank correlation, against scipy and against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geowhy.evaluation.estimates import (
    auc,
    block_draws,
    block_statistic,
    mean_auc,
    ranking,
    wilson,
)


def sample(seed, count=60, levels=12):
    rng = np.random.default_rng(seed)
    return (rng.random(count) < 0.4).astype(float), rng.integers(levels, size=count).astype(float)


@given(st.integers(0, 10_000))
def test_auc_counts_pairs_in_the_right_order(seed):
    truth, score = sample(seed)
    has, lacks = score[truth == 1][:, None], score[truth == 0][None]
    expected = ((has > lacks) + 0.5 * (has == lacks)).mean()
    if min((truth == 1).sum(), (truth == 0).sum()) >= 10:
        assert auc(truth, score) == pytest.approx(expected)


@given(st.integers(0, 10_000))
def test_spearman_is_that_of_scipy(seed):
    _, one = sample(seed)
    _, other = sample(seed + 1)
    assert ranking(one, other, is_degree=True) == pytest.approx(
        stats.spearmanr(one, other).statistic
    )


def test_unknown_truth_is_left_out():
    truth, score = sample(3)
    padded = np.concatenate([truth, np.full(20, np.nan)])
    scored = np.concatenate([score, np.full(20, 99.0)])
    assert ranking(padded, scored, is_degree=False) == auc(truth, score)
    assert ranking(padded, scored, is_degree=True) == ranking(truth, score, is_degree=True)


def test_too_few_places_give_no_number():
    assert np.isnan(auc(np.array([1.0] * 9 + [0.0] * 50), np.arange(59.0)))
    assert np.isnan(ranking(np.ones(50), np.arange(50.0), is_degree=True))


def test_whole_blocks_are_drawn():
    blocks = np.repeat(np.arange(7), 5)
    draws, block = block_draws(blocks, 100)
    assert draws.shape == (100, 7)
    assert (block == blocks).all()
    assert len(np.unique(draws, axis=0)) > 50


def test_the_interval_holds_the_mean_and_knows_the_blocks():
    rng = np.random.default_rng(0)
    blocks = np.repeat(np.arange(20), 50)
    level = rng.normal(size=20)[blocks]
    truth = (rng.normal(size=(1000, 3)) + level[:, None] > 0).astype(float)
    score = level[:, None] + rng.normal(size=(1000, 3))
    by_block = mean_auc(truth, score, blocks)
    alone = mean_auc(truth, score, np.arange(1000))
    assert by_block.value == pytest.approx(
        np.mean([auc(truth[:, k], score[:, k]) for k in range(3)])
    )
    assert by_block.low < by_block.value < by_block.high
    assert by_block.high - by_block.low > 1.5 * (alone.high - alone.low)


@given(st.integers(0, 300), st.integers(1, 300))
def test_the_interval_of_a_share_is_that_of_scipy(count, total):
    count = min(count, total)
    found = wilson(count, total)
    expected = stats.binomtest(count, total).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert found.value == count / total


def test_a_statistic_of_nothing_is_no_number():
    nothing = np.empty(0)
    assert np.isnan(block_statistic(np.median, nothing, nothing.astype(int)).value)
