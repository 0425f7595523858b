"""Views show the right part of the Earth, at the right scale, wherever they are cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.errors import DataError
from geowhy.geo.sphere import distance_km, lat_lon_to_unit, unit_to_lat_lon
from geowhy.images.overhead import WorldImage, cut_views, footprint, view_grid

ANYWHERE = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def painted(function, height=360):
    """A world whose colour is a smooth function of the unit vector, in [0, 255]."""
    lat = 90 - (np.arange(height) + 0.5) * 180 / height
    lon = (np.arange(2 * height) + 0.5) * 180 / height - 180
    grid = np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1)
    return WorldImage(np.rint(function(lat_lon_to_unit(grid))).astype(np.uint8))


SMOOTH = painted(lambda v: 127.5 + 120 * v)


@given(ANYWHERE, st.floats(0.5, 40))
@settings(max_examples=60, deadline=None)
def test_distances_from_the_centre_are_true(centre, km_per_pixel):
    grid = unit_to_lat_lon(view_grid([centre], km_per_pixel, 9)[0])
    offset = np.arange(9) - 4
    expected = np.hypot(*np.meshgrid(offset, offset)) * km_per_pixel
    assert distance_km(grid, np.array(centre)) == pytest.approx(expected, abs=2.5, rel=1e-3)


@given(ANYWHERE)
@settings(max_examples=60, deadline=None)
def test_a_view_shows_what_the_world_shows_there(centre):
    view = cut_views(SMOOTH, [centre], 20.0, 16)[0].astype(float)
    expected = 127.5 + 120 * view_grid([centre], 20.0, 16)[0]
    assert np.abs(view - expected).max() < 2.5


@pytest.mark.parametrize("lat", [0.0, 45.0, -75.0])
def test_nothing_breaks_at_the_antimeridian(lat):
    across = cut_views(SMOOTH, [(lat, 180.0), (lat, -180.0)], 15.0, 32)
    assert np.array_equal(across[0], across[1])
    steps = np.abs(np.diff(across[0].astype(int), axis=1))
    assert steps.max() <= 3


@pytest.mark.parametrize("lat", [90.0, -90.0])
def test_a_pole_in_the_middle_leaves_no_seam(lat):
    view = cut_views(SMOOTH, [(lat, 30.0)], 15.0, 32)[0].astype(int)
    assert np.abs(np.diff(view, axis=0)).max() <= 3
    assert np.abs(np.diff(view, axis=1)).max() <= 3


@pytest.mark.parametrize("lat", [90.0, -90.0])
def test_at_a_pole_the_two_sides_meet(lat):
    # One half of the world is white, the other black: half way between them is grey.
    pixels = np.zeros((90, 180, 3), np.uint8)
    pixels[:, 90:] = 255
    centre = cut_views(WorldImage(pixels), [(lat, 45.0)], 1.0, 3)[0, 1, 1]
    assert centre == pytest.approx(127.5, abs=1)


def test_north_is_up_and_east_is_right():
    view = cut_views(SMOOTH, [(10.0, 0.0)], 50.0, 16)[0].astype(int)
    north, east = view[..., 2], view[..., 1]
    assert (np.diff(north[:, 8]) <= 0).all()
    assert north[0, 8] > north[-1, 8] + 5
    assert (np.diff(east[8]) >= 0).all()
    assert east[8, -1] > east[8, 0] + 5


@given(ANYWHERE)
@settings(max_examples=25, deadline=None)
def test_the_footprint_is_all_that_a_view_depends_on(centre):
    world = painted(lambda v: 127.5 + 120 * v, height=180)
    used = np.unique(footprint(world, [centre], 30.0, 16))
    other = np.zeros_like(world.pixels.reshape(-1, 3))
    other[used] = world.pixels.reshape(-1, 3)[used]
    masked = WorldImage(other.reshape(world.pixels.shape))
    assert np.array_equal(
        cut_views(world, [centre], 30.0, 16), cut_views(masked, [centre], 30.0, 16)
    )


def test_many_views_are_the_same_as_one_by_one():
    centres = np.random.default_rng(0).uniform([-90, -180], [90, 180], (300, 2))
    together = cut_views(SMOOTH, centres, 5.0, 8)
    assert np.array_equal(together[277:278], cut_views(SMOOTH, centres[277:278], 5.0, 8))


def test_an_image_of_the_wrong_shape_is_refused():
    with pytest.raises(DataError, match="twice as wide"):
        WorldImage(np.zeros((10, 10, 3), np.uint8))
