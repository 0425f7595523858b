"""Metrics count what they say."""

import numpy as np
import pytest

from geowhy.evaluation.accuracy import PredictionTable
from geowhy.evaluation.estimates import block_draws, block_mean, block_statistic
from geowhy.geo.sphere import destination, uniform_on_sphere


def table_of(truth, answer, radius_50, radius_90, abstained):
    count = len(truth)
    columns = (truth, answer, radius_50, radius_90, abstained)
    rest = (np.ones(count, bool), ((),) * count, np.zeros(count))
    return PredictionTable({}, tuple(map(str, range(count))), *columns, *rest)


def answers(errors_km, radius_50=500.0, radius_90=1500.0, abstained=None):
    rng = np.random.default_rng(0)
    count = len(errors_km)
    truth = uniform_on_sphere(count, rng)
    return table_of(
        truth,
        destination(truth, rng.uniform(0, 360, count), np.asarray(errors_km)),
        np.full(count, radius_50),
        np.full(count, radius_90),
        np.zeros(count, bool) if abstained is None else abstained,
    )


def test_shares_and_the_median_are_exact():
    metrics = answers([10, 100, 600, 1000, 3000] * 40).measure()
    assert metrics.recall[25].value == pytest.approx(0.2)
    assert metrics.recall[750].value == pytest.approx(0.6)
    assert metrics.recall[2500].value == pytest.approx(0.8)
    assert metrics.median_km.value == pytest.approx(600, abs=0.01)
    assert metrics.coverage_50.value == pytest.approx(0.4)
    assert metrics.coverage_90.value == pytest.approx(0.8)


def test_intervals_hold_the_value_and_shrink_with_more_blocks():
    few, many = (answers([100, 5000] * n).measure().recall[750] for n in (30, 1500))
    for estimate in (few, many):
        assert estimate.low <= estimate.value <= estimate.high
    assert many.high - many.low < few.high - few.low


def test_intervals_resample_blocks_not_views():
    one_block = answers([0.0] * 200)
    repeated = table_of(
        np.repeat([[5.0, 5.0], [45.0, 45.0], [-25.0, 25.0]], 100, axis=0),
        np.repeat([[5.0, 5.0], [-45.0, -45.0], [-25.0, 25.0]], 100, axis=0),
        np.full(300, 1.0),
        np.full(300, 2.0),
        np.zeros(300, bool),
    )
    estimate = repeated.measure().recall[750]
    assert estimate.high - estimate.low > 0.5
    assert one_block.measure().recall[25].low == 1.0


def test_abstentions_are_counted_and_left_out_of_the_answered():
    abstained = np.array([True, False] * 50)
    metrics = answers([5000.0, 100.0] * 50, abstained=abstained).measure()
    assert metrics.abstained == pytest.approx(0.5)
    assert metrics.recall[750].value == pytest.approx(0.5)
    assert metrics.answered_recall_750 == pytest.approx(1.0)


def test_some_rows_are_measured_as_if_they_were_all():
    both, among = [5000.0, 3000.0] * 30 + [10.0] * 40, np.arange(100) < 60
    assert answers(both).measure(among).recall[750].value == 0
    assert answers(both).measure(among).scored == 60
    assert answers(both).measure().recall[750].value == pytest.approx(0.4)


def test_all_intervals_are_of_the_same_draws_of_blocks():
    rng = np.random.default_rng(1)
    blocks, values = rng.integers(20, size=300), rng.random(300)
    mean, same = block_mean(values, blocks), block_statistic(np.mean, values, blocks)
    assert (mean.low, mean.high) == pytest.approx((same.low, same.high))
    draws, block = block_draws(blocks, 1000)
    weights = np.stack([np.bincount(draw, minlength=20) for draw in draws])[:, block]
    means = weights @ values / weights.sum(axis=1)
    assert (mean.low, mean.high) == pytest.approx(np.percentile(means, [2.5, 97.5]))
