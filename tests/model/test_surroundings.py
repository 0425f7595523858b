import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.model.surroundings import MAP_GRID, MAP_NAMES, SURROUNDINGS_SIZE, read_surroundings

FIELDS = len(MAP_NAMES) * MAP_GRID**2


def maps_at(lat_lon):
    rows = read_surroundings([lat_lon])
    grids = rows[0, :FIELDS].reshape(-1, MAP_GRID, MAP_GRID)
    return dict(zip(MAP_NAMES, grids, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_point_on_earth_has_finite_surroundings(lat, lon):
    row = read_surroundings([(lat, lon)])
    assert row.shape == (1, SURROUNDINGS_SIZE)
    assert np.isfinite(row).all()


def test_maps_have_north_up_and_west_left():
    west_coast = maps_at((38.5, -123.0))["land"]  # north of San Francisco
    assert west_coast[:, :3].mean() < 0.1 < 0.9 < west_coast[:, 5:].mean()
    north_coast = maps_at((36.6, 3.0))["land"]  # near Algiers
    assert north_coast[:3].mean() < 0.1 < 0.9 < north_coast[5:].mean()


def test_land_cover_and_height_are_those_of_the_place():
    amazon, sahara, tibet = maps_at((-4, -65)), maps_at((23, 8)), maps_at((33, 88))
    assert amazon["forest"].mean() > 0.9
    assert sahara["barren"].mean() > 0.9
    assert sahara["ndvi_max"].mean() < 0.2 < 0.7 < amazon["ndvi_max"].mean()
    assert tibet["elevation"].mean() ** 2 == pytest.approx(5000, rel=0.1)


def test_groups_of_land_cover_take_no_class_twice():
    covers = MAP_NAMES[5:]
    for lat_lon in ((48, 9), (-20, 130), (61, -100), (10, 20)):
        found = maps_at(lat_lon)
        assert sum(found[name] for name in covers).max() <= 1 + 1e-6


def test_the_antimeridian_is_no_edge():
    there, back = read_surroundings([(67, 180), (67, -180)])
    np.testing.assert_allclose(there, back, atol=1e-5)


def test_a_place_reads_the_same_alone_and_among_many():
    points = np.random.default_rng(0).uniform((-60, -180), (80, 180), (1100, 2))
    whole = read_surroundings(points)
    np.testing.assert_array_equal(whole[[3, 1050]], read_surroundings(points[[3, 1050]]))


def test_no_places_have_no_surroundings():
    assert read_surroundings(np.empty((0, 2))).shape == (0, SURROUNDINGS_SIZE)
