"""A pyramid shows at every scale what its world shows there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.geo.azimuthal import plane_to_sphere
from geowhy.geo.sphere import lat_lon_to_unit
from geowhy.images.overhead import WorldImage
from geowhy.images.pyramid import WorldPyramid

from ..orbit.earth import painted

SMOOTH = WorldPyramid(painted(lambda v: 127.5 + 120 * v))
POINTS = np.array([(0, 0), (300, 0), (0, 300), (-200, -100)], np.float32)


@given(st.floats(-89, 89), st.floats(-180, 180), st.sampled_from([10.0, 70.0, 300.0]))
@settings(max_examples=60, deadline=None)
def test_what_the_world_shows_at_a_place_at_each_scale(lat, lon, km_apart):
    centre = np.array([(lat, lon)], np.float32)
    seen = SMOOTH.look_up(centre, POINTS[None], np.array([km_apart], np.float32))[:, 0].T
    expected = 127.5 + 120 * lat_lon_to_unit(plane_to_sphere(centre, POINTS)[0])
    assert np.abs(seen - expected).max() < 4


def test_levels_lie_over_each_other():
    """On a slope of longitude a shift of half a pixel at any level would show."""
    lon = (np.arange(720) + 0.5) / 2 - 180
    ramp = np.broadcast_to(128 + 0.7 * lon[None, :, None], (360, 720, 3))
    pyramid = WorldPyramid(WorldImage(np.rint(ramp).astype(np.uint8)))
    assert len(pyramid.levels) == 3
    for km_apart in (10.0, 120.0, 240.0):
        seen = pyramid.look_up(
            np.array([(10, 20)], np.float32), np.zeros((1, 1, 2), np.float32), np.array([km_apart])
        )
        assert seen[:, 0, 0] == pytest.approx(128 + 14, abs=0.5)


def test_fine_stripes_are_grey_from_afar():
    stripes = np.zeros((360, 720, 3), np.uint8)
    stripes[:, ::2] = 200
    pyramid = WorldPyramid(WorldImage(stripes))
    centre, points = np.array([(0, 0)], np.float32), np.zeros((1, 5, 2), np.float32)
    points[0, :, 0] = np.arange(5) * 13
    assert np.ptp(pyramid.look_up(centre, points, np.array([56.0]))) > 50
    assert pyramid.look_up(centre, points, np.array([120.0])) == pytest.approx(100)


def test_an_offset_is_looked_up_that_much_further():
    world = painted(lambda v: 127.5 + 120 * v)
    moved = WorldPyramid(WorldImage(world.pixels, offset_deg=(1.0, -2.0)))
    still = WorldPyramid(world)
    at, nothing = np.zeros((1, 1, 2), np.float32), np.array([56.0])
    there = still.look_up(np.array([(21, 28)], np.float32), at, nothing)
    assert moved.look_up(np.array([(20, 30)], np.float32), at, nothing) == pytest.approx(there)
