"""Calibrated radii: each in its own order, and no smaller than what neighbours leave open."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.posterior.calibration import FARTHEST_KM, Calibration

FACTORS, RADII_KM = st.floats(0.01, 30), st.floats(0, 20_000)


@dataclass
class Stated:
    """What radii are made of: those of a posterior before calibration."""

    half_km: float
    most_km: float

    def radius_km(self, mass):
        assert mass == 0.9
        return self.most_km


@given(FACTORS, FACTORS, RADII_KM, RADII_KM)
def test_the_radius_for_nine_in_ten_is_never_below_that_for_half(half, most, half_km, most_km):
    made = Calibration(radius_50_factor=half, radius_90_factor=most)
    inner, outer = made.radii_km(Stated(half_km, most_km))
    assert 0 < inner <= outer <= FARTHEST_KM


@pytest.mark.parametrize("least_km", [0.0, 7.0, 30.0])
def test_the_least_radius_of_a_model_is_added_to_both_of_its_radii(least_km):
    made = Calibration(radius_50_factor=2.0, radius_90_factor=3.0, least_radius_km=least_km)
    expected = (2 * (100 + least_km), 3 * (400 + least_km))
    assert made.radii_km(Stated(100.0, 400.0)) == pytest.approx(expected)
