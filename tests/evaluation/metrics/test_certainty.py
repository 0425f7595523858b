"""Radii, densities and probabilities, against counting by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.evaluation.metrics.certainty import CertaintyMetrics, calibration_error
from geowhy.evaluation.metrics.radii import RadiusMetrics

NAN = math.nan
stated = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def by_hand(pairs):
    """Bins one by one, as in the paper."""
    total = 0.0
    for low in range(10):
        own = [(p, h) for p, h in pairs if low <= p * 10 < low + 1 or (low == 9 and p == 1)]
        if own:
            confidence = math.fsum(p for p, _ in own) / len(own)
            accuracy = sum(h for _, h in own) / len(own)
            total += len(own) / len(pairs) * abs(confidence - accuracy)
    return total


@given(stated, st.randoms())
def test_the_calibration_error_is_that_of_ten_bins(pairs, shuffle):
    expected = by_hand(pairs)
    for _ in range(2):
        probability, happened = np.array(pairs, float).T
        assert calibration_error(probability, happened) == pytest.approx(expected, abs=1e-9)
        shuffle.shuffle(pairs)


def test_who_is_always_half_sure_and_right_half_the_time_is_calibrated():
    assert calibration_error(np.full(4, 0.5), np.array([0.0, 1, 1, 0])) == 0
    assert calibration_error(np.ones(4), np.array([0.0, 1, 1, 0])) == pytest.approx(0.5)
    # Who is quite sure is in one bin with who nearly is.
    assert calibration_error(np.array([1.0, 0.95]), np.array([0.0, 1])) == pytest.approx(0.475)
    assert math.isnan(calibration_error(np.empty(0), np.empty(0)))


def test_what_was_not_stated_is_left_out():
    found = CertaintyMetrics.of(
        np.array([math.log(0.5), NAN, math.log(0.125)]),
        np.array([0.9, NAN, 0.8]),
        np.array([1.0, 1.0, NAN]),
        np.arange(3),
    )
    assert (found.with_density, found.with_probability) == (2, 1)
    assert found.nll.value == pytest.approx((math.log(2) + math.log(8)) / 2, rel=1e-12)
    assert found.calibration_error.value == pytest.approx(0.1)


def test_a_uniform_density_has_the_entropy_of_the_sphere():
    uniform = np.full(5, -math.log(4 * math.pi))
    found = CertaintyMetrics.of(uniform, np.full(5, NAN), np.full(5, NAN), np.arange(5))
    assert found.nll.value == pytest.approx(2.5310242469692907, abs=1e-12)
    assert math.isnan(found.calibration_error.value)


def test_radii_hold_what_lies_on_their_rim():
    found = RadiusMetrics.of(
        np.array([100.0, 200, 300, 400]),
        np.array([100.0, 100, 350, 50]),
        np.array([100.0, 500, 900, 399]),
        np.arange(4),
    )
    assert (found.coverage_50.value, found.coverage_90.value) == (0.5, 0.75)
    assert (found.sharpness_50_km.value, found.sharpness_90_km.value) == (100, 449.5)
