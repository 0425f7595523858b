"""A laid picture: each pixel lies where geodesy puts it, and what isn't known is refused."""

from dataclasses import replace

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.answer import Abstention
from geowhy.errors import ImageError
from geowhy.geo.pose import Pose, perspective
from geowhy.geo.sphere import distance_km
from geowhy.overlay.laid import LaidPicture
from geowhy.types import LatLon

from .paint import PLACES, SHAPE, answer, colours, painted

SPHERE = Geodesic(6371008.8, 0.0)
BLANK = np.zeros((*SHAPE, 3), np.uint8)

poses = st.builds(
    Pose,
    st.builds(LatLon, st.floats(-89.5, 89.5), st.floats(-180, 180)),
    st.floats(50, 3000),
    st.floats(0, 360),
)
tilts = st.tuples(st.floats(0, 45), st.floats(0, 360))
pixels = st.tuples(st.floats(0, SHAPE[1]), st.floats(0, SHAPE[0]))


def tilted(pose, tilt):
    return replace(pose, homography=perspective([tilt[0]], [tilt[1]], 20.0)[0])


@settings(max_examples=60, deadline=None)
@given(poses, pixels)
def test_a_pixel_of_a_level_picture_lies_at_its_distance_and_bearing(pose, pixel):
    laid = LaidPicture.of(answer(pose), BLANK)
    height, width = SHAPE
    right, up = pixel[0] - width / 2, height / 2 - pixel[1]
    metres = np.hypot(right, up) * pose.width_km * 1000 / width
    bearing = pose.heading_deg + np.degrees(np.arctan2(right, up))
    true = SPHERE.Direct(pose.lat_lon.lat, pose.lat_lon.lon, bearing, metres)
    there = laid.ground([pixel])[0]
    assert SPHERE.Inverse(*there, true["lat2"], true["lon2"])["s12"] < 5.0  # of up to 1,500 km
    assert laid.is_level


@settings(max_examples=60, deadline=None)
@given(poses, tilts, pixels)
def test_ground_and_pixel_are_inverse_and_corners_are_the_footprint(pose, tilt, pixel):
    pose = tilted(pose, tilt)
    laid = LaidPicture.of(answer(pose), BLANK)
    np.testing.assert_allclose(laid.pixel(laid.ground([pixel])), [pixel], atol=1e-4)
    corners = [(corner.lat, corner.lon) for corner in pose.footprint(SHAPE)]
    assert distance_km(laid.ground(laid.corners), corners).max() < 1e-3


@settings(max_examples=30, deadline=None)
@given(poses, tilts, pixels)
def test_a_levelled_picture_has_the_same_ground_and_an_affine_matrix(pose, tilt, pixel):
    laid = LaidPicture.of(answer(tilted(pose, tilt)), BLANK)
    level = laid.levelled()
    assert (level.to_map[2, :2] == 0).all()
    ground = laid.ground([pixel])
    inside = level.pixel(ground)
    # Half a pixel of perspective at the corners is left out.
    assert (inside >= -0.6).all()
    assert (inside <= np.array(level.shape[::-1]) + 0.6).all()
    assert distance_km(level.ground(inside), ground).max() < 1e-3
    if laid.is_level:
        assert np.abs(inside - pixel).max() < 0.6


def test_a_tilted_picture_is_drawn_from_straight_above_and_transparent_where_it_shows_nothing():
    shape = (400, 400)
    pose = PLACES["tilted"]
    laid = LaidPicture.of(answer(pose, shape), painted(pose, shape))
    assert not laid.is_level
    level = laid.levelled()
    assert level.is_level
    assert level.pixels.shape[2] == 4
    rows, columns = np.nonzero(level.pixels[..., 3])
    ground = level.ground(np.stack([columns + 0.5, rows + 0.5], axis=-1))
    off = np.abs(level.pixels[rows, columns, :3] - colours(ground))
    assert off.max() < 2.0
    assert 0.3 < (level.pixels[..., 3] > 0).mean() < 0.95
    assert level.pixels[..., 3].size <= 2.1 * shape[0] * shape[1]


def test_a_wide_view_far_from_nadir_does_not_grow_beyond_memory():
    pose = Pose(LatLon(0.0, 0.0), 500.0, 0.0, perspective([50.0], [0.0], 70.0)[0])
    level = LaidPicture.of(answer(pose), BLANK).levelled()
    assert 1.9 < level.pixels[..., 0].size / BLANK[..., 0].size < 2.2


def test_a_level_picture_keeps_its_pixels():
    pose = PLACES["level"]
    laid = LaidPicture.of(answer(pose), painted(pose))
    assert laid.levelled().pixels is laid.pixels


def test_pixels_that_are_not_quite_square_need_no_other_ones():
    """As of a picture that was located at an eighth of its size, whose rows came out uneven."""
    pose = PLACES["level"]
    shape = (667, 1001)
    laid = LaidPicture.of(
        answer(pose, footprint=pose.footprint((84, 126))), np.zeros((*shape, 3), np.uint8)
    )
    level = laid.levelled()
    assert level.pixels is laid.pixels
    assert distance_km(level.ground(level.corners), laid.ground(laid.corners)).max() < 1e-6


def test_a_picture_of_another_size_has_the_same_corners():
    pose = PLACES["antimeridian"]
    shape = (600, 900)
    large = LaidPicture.of(answer(pose, shape), painted(pose, shape))
    small = large.shrunk(90)
    assert small.shape == (60, 90)
    assert large.shrunk(900) is large
    assert distance_km(small.ground(small.corners), large.ground(large.corners)).max() < 1e-6
    assert np.abs(small.pixels - painted(pose).astype(float)).mean() < 1.0


def test_beyond_the_horizon_is_no_pixel():
    laid = LaidPicture.of(answer(PLACES["tilted"]), BLANK)
    bearings = np.arange(0.0, 360.0, 10.0)
    around = [SPHERE.Direct(27.0, 33.5, b, 5e6) for b in bearings]
    at = laid.pixel([(d["lat2"], d["lon2"]) for d in around])
    assert np.isnan(at).any()
    seen = at[~np.isnan(at[:, 0])]
    assert not ((seen >= 0) & (seen <= SHAPE[::-1])).all(axis=1).any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"footprint": None}, "the model fake names a place but not how pictures lie there"),
        ({"verified": False}, "wasn't verified"),
        ({"verified": None}, "wasn't verified"),
        ({"abstention": Abstention("novel", 3.0, 1.5)}, "no place is named"),
        ({"footprint": (LatLon(1.0, 2.0),) * 4}, "footprint that no picture has"),
        (
            {"footprint": (LatLon(0, 0), LatLon(0, 1), LatLon(0.2, 0.2), LatLon(-1, 0))},
            "footprint that no picture has",
        ),
    ],
)
def test_what_is_not_known_or_not_verified_is_not_laid(changes, words):
    with pytest.raises(ImageError, match=words) as caught:
        LaidPicture.of(answer(PLACES["level"], **changes), BLANK)
    assert caught.value.image == "a.png"
