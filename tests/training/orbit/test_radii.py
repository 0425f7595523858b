"""Radii and verified answers keep what was measured on pictures whose places are known."""

import numpy as np
import pytest

from geowhy.orbit.spread import Spread
from geowhy.training.orbit.radii import fit_spread, sure_from


def errors(spread, by_curvature_km, seed=0):
    """Distances from the truth, normal to either side."""
    rng = np.random.default_rng(seed)
    to_sides = rng.normal(size=(2, len(by_curvature_km))) * spread.sigma_km(by_curvature_km)
    return np.hypot(*to_sides)


SIGMAS_KM = np.array([0.2, 1.0, 5.0, 20.0])


@pytest.mark.parametrize("truth", [Spread(3.0, 0.0), Spread(1.0, 4.0), Spread(0.5, 1.0)])
def test_the_spread_grows_with_the_curvature_as_errors_do(truth):
    """By which factor all radii are too small is fitted later."""
    by_curvature_km = np.geomspace(0.1, 30.0, 3_000)
    fitted = fit_spread(errors(truth, by_curvature_km), by_curvature_km)
    too_small = truth.sigma_km(SIGMAS_KM) / fitted.sigma_km(SIGMAS_KM)
    assert too_small == pytest.approx(too_small.mean(), rel=0.15)
    assert 0.5 < too_small.mean() < 2


def test_a_few_gross_errors_hardly_count():
    by_curvature_km = np.geomspace(0.1, 30.0, 3_000)
    away_km = errors(Spread(1.0, 2.0), by_curvature_km)
    without = fit_spread(away_km, by_curvature_km).sigma_km(SIGMAS_KM)
    away_km[::50] = 60.0
    assert fit_spread(away_km, by_curvature_km).sigma_km(SIGMAS_KM) == pytest.approx(
        without, rel=0.25
    )


def test_sure_is_the_least_probability_from_which_on_enough_are_right():
    probability = np.array([0.2, 0.9, 0.5, 0.8, 0.7])
    is_right = np.array([False, True, False, True, True])
    assert sure_from(probability, is_right, 0.99) == 0.7
    assert sure_from(probability, is_right, 0.75) == 0.5
    assert sure_from(probability, np.zeros(5, np.bool_), 0.5) == 1.0
