"""Great-circle geometry against another library and against its own laws."""

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from geowhy.geo.sphere import (
    EARTH_RADIUS_KM,
    destination,
    distance_km,
    distance_matrix_km,
    lat_lon_to_unit,
    uniform_on_sphere,
    unit_to_lat_lon,
    wrap_longitude,
)

HALF_WAY_ROUND_KM = np.pi * EARTH_RADIUS_KM
points = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
SPHERE = Geodesic(a=EARTH_RADIUS_KM * 1000, f=0)


@given(points, points)
def test_distance_equals_geographiclibs(a, b):
    expected = SPHERE.Inverse(*a, *b, Geodesic.DISTANCE)["s12"] / 1000
    # Near the antipode the haversine loses half its digits: still within a metre.
    assert distance_km(a, b) == pytest.approx(expected, abs=1e-3)


@given(points, points)
def test_distance_is_symmetric_and_bounded(a, b):
    assert distance_km(a, b) == distance_km(b, a)
    assert 0 <= distance_km(a, b) <= HALF_WAY_ROUND_KM + 1e-9


@given(points, points, points)
def test_no_way_is_shorter_than_the_direct_one(a, b, c):
    assert distance_km(a, c) <= distance_km(a, b) + distance_km(b, c) + 1e-3


@given(st.floats(-90, 90), st.floats(-90, 90))
def test_180_east_and_180_west_are_one_meridian(lat, other_lat):
    assert distance_km((lat, 180), (lat, -180)) == pytest.approx(0, abs=1e-9)
    east = distance_km((other_lat, 179), (lat, 180))
    assert east == pytest.approx(distance_km((other_lat, 179), (lat, -180)), abs=1e-6)


@given(st.floats(-180, 180), st.floats(-180, 180), points)
def test_a_pole_is_one_point(lon, other_lon, place):
    assert distance_km((90, lon), (90, other_lon)) == pytest.approx(0, abs=1e-9)
    expected = np.radians(90 + place[0]) * EARTH_RADIUS_KM
    assert distance_km((-90, lon), place) == pytest.approx(expected, abs=1e-3)


@given(points)
def test_unit_vectors_go_there_and_back(place):
    vector = lat_lon_to_unit(place)
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert distance_km(unit_to_lat_lon(3 * vector), place) < 1e-6


@given(points, st.floats(0, 360), st.floats(0, 19_000))
def test_destination_lies_at_the_distance(start, bearing, distance):
    end = destination(start, bearing, distance)
    assert distance_km(start, end) == pytest.approx(distance, abs=1e-3)


@given(st.tuples(st.floats(-89, 89), st.floats(-180, 180)), st.floats(0, 360), st.floats(1, 9000))
def test_destination_equals_geographiclibs(start, bearing, distance):
    there = SPHERE.Direct(*start, bearing, distance * 1000)
    assert distance_km(destination(start, bearing, distance), (there["lat2"], there["lon2"])) < 1e-3


def test_the_matrix_holds_all_distances():
    rng = np.random.default_rng(0)
    a, b = uniform_on_sphere(40, rng), uniform_on_sphere(50, rng)
    expected = distance_km(a[:, None], b[None])
    np.testing.assert_allclose(distance_matrix_km(a, b), expected, atol=0.01)


def test_london_to_new_york():
    assert distance_km((51.5074, -0.1278), (40.7128, -74.0060)) == pytest.approx(5570, abs=2)


@given(st.floats(-1e4, 1e4))
def test_longitudes_wrap(lon):
    wrapped = float(wrap_longitude(lon))
    assert -180 <= wrapped < 180
    assert np.cos(np.radians(wrapped - lon)) == pytest.approx(1)


def test_uniform_points_are_uniform_in_the_sine_of_latitude():
    lat, lon = uniform_on_sphere(20_000, np.random.default_rng(1)).T
    assert np.abs(np.sin(np.radians(lat)).mean()) < 0.02
    assert np.mean(np.abs(lat) < 30) == pytest.approx(0.5, abs=0.02)
    assert np.abs(lon.mean()) < 3
