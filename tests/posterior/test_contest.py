"""The sides of a contest: few places that stand for many, without bias."""

import numpy as np
import pytest

from geowhy.posterior.ledger import thinned


@pytest.mark.parametrize("sharpness", [0.1, 1.0, 3.0, 10.0])
def test_some_points_have_nearly_the_mean_of_all(sharpness):
    rng = np.random.default_rng(0)
    values = rng.normal(size=60_000)
    weights = np.exp(sharpness * (values + rng.normal(size=60_000))).astype(np.float32)
    members = np.arange(10_000, 60_000)
    rows, thin = thinned(weights, members)
    assert len(rows) <= 4_000
    assert len(np.unique(rows)) == len(rows)
    assert set(rows) <= set(members)
    assert thin.sum() == pytest.approx(1)
    whole = weights[members] @ values[members] / weights[members].sum()
    assert thin @ values[rows] == pytest.approx(whole, abs=0.03)


def test_few_points_are_all_taken():
    rows, weights = thinned(np.full(100, 0.01, np.float32), np.arange(20, 50))
    assert rows.tolist() == list(range(20, 50))
    assert weights == pytest.approx(np.full(30, 1 / 30))
