"""Errors and what they amount to, against the angle between vectors and plain sums."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geowhy.evaluation.metrics.distances import (
    FARTHEST_KM,
    THRESHOLDS_KM,
    DistanceMetrics,
    errors_km,
    geoscore,
)

EARTH_KM = 6371.0088
latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)
places = st.tuples(latitudes, longitudes)
errors = st.lists(st.floats(0, 20_000), min_size=1, max_size=40)


def unit(place):
    lat, lon = map(math.radians, place)
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)


def angle_km(a, b):
    a, b = unit(a), unit(b)
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    cross = math.hypot(
        a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
    )
    return EARTH_KM * math.atan2(cross, dot)


def error_km(truth, answer):
    return errors_km(np.array([truth], float), np.array([answer], float))[0]


@given(places, places)
def test_an_error_is_the_angle_between_two_vectors(truth, answer):
    expected = angle_km(truth, answer)
    assume(expected < 19_000)  # nearer to the antipodes a haversine has fewer digits
    assert error_km(truth, answer) == pytest.approx(expected, rel=1e-9, abs=1e-7)


@given(latitudes, longitudes, places, st.sampled_from([-720, -360, 360, 720]))
def test_longitudes_wrap(lat, lon, answer, turns):
    turned = error_km((lat, lon + turns), answer)
    assert turned == pytest.approx(error_km((lat, lon), answer), abs=1e-3)
    assert error_km((lat, 180.0), (lat, -180.0)) == pytest.approx(0, abs=1e-9)


@given(st.sampled_from([-90.0, 90.0]), longitudes, longitudes, places)
def test_a_pole_has_any_longitude(pole, lon, other, answer):
    assert error_km((pole, lon), answer) == pytest.approx(error_km((pole, other), answer), abs=1e-6)


def test_a_missing_answer_is_as_wrong_as_can_be():
    assert error_km((10, 20), (math.nan, math.nan)) == FARTHEST_KM
    assert error_km((math.nan, math.nan), (10, 20)) == FARTHEST_KM
    assert error_km((10, 20), (-10, -160)) == pytest.approx(FARTHEST_KM)
    assert geoscore(np.array([FARTHEST_KM]))[0] < 0.01


def test_the_geoscore_is_that_of_the_game():
    scores = geoscore(np.array([0.0, 1492.7, 1492.7 * math.log(2)]))
    assert scores == pytest.approx([5000, 5000 / math.e, 2500], rel=1e-12)


@given(errors)
def test_all_that_errors_amount_to(values):
    found = DistanceMetrics.of(np.array(values), np.arange(len(values)) % 5)
    assert THRESHOLDS_KM == (1, 25, 200, 750, 2500)
    for km in THRESHOLDS_KM:
        share = sum(value <= km for value in values) / len(values)
        assert found.recall[km].value == pytest.approx(share, abs=1e-9)
    assert found.median_km.value == pytest.approx(statistics.median(values), rel=1e-9)
    assert found.mean_km.value == pytest.approx(math.fsum(values) / len(values), rel=1e-9)
    scores = [5000 * math.exp(-value / 1492.7) for value in values]
    assert found.geoscore.value == pytest.approx(math.fsum(scores) / len(values), rel=1e-9)
