"""A pose takes pixels to the ground and back, wherever on Earth, turned and tilted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.errors import CoordinateError, DataError
from geowhy.geo.pose import (
    Pose,
    Poses,
    apply_homography,
    perspective,
    picture_corners,
    picture_plane,
)
from geowhy.geo.sphere import destination, distance_km
from geowhy.types import LatLon

LAT = st.floats(-89, 89)
LON = st.floats(-180, 180)
WIDTH = st.floats(100, 3000)
HEADING = st.floats(0, 359.99)
TILT = st.floats(0, 45)


@given(LAT, LON, WIDTH, HEADING)
@settings(max_examples=40, deadline=None)
def test_up_is_the_heading_and_the_width_is_true(lat, lon, width, heading):
    pose = Poses([(lat, lon)], width, heading)
    ground = pose.ground([(0, 0), (0, 0.5), (0.5, 0)])[0]
    assert distance_km(ground[0], [lat, lon]) == pytest.approx(0, abs=1e-3)
    expected = destination([lat, lon], [heading, heading + 90], width / 2)
    assert distance_km(ground[1:], expected) == pytest.approx([0, 0], abs=1e-3)


@given(LAT, LON, WIDTH, HEADING, TILT, HEADING)
@settings(max_examples=40, deadline=None)
def test_the_plane_undoes_the_ground(lat, lon, width, heading, tilt, toward):
    poses = Poses([(lat, lon), (-lat, lon)], width, heading, perspective(tilt, toward, 40))
    plane = picture_plane((6, 9)).reshape(-1, 2)
    back = poses.plane(poses.ground(plane))
    assert back == pytest.approx(np.broadcast_to(plane, back.shape), abs=1e-6)


@given(LAT, LON, st.floats(100, 2000), HEADING, TILT, HEADING, st.sampled_from([(1, 1), (3, 4)]))
@settings(max_examples=40, deadline=None)
def test_four_corners_give_the_pose_back(lat, lon, width, heading, tilt, toward, shape):
    given_pose = Poses([(lat, lon)], width, heading, perspective(tilt, toward, 30))
    found = Poses.of_corners(given_pose.footprint(shape), shape)
    assert distance_km(found.lat_lon, given_pose.lat_lon)[0] < 1e-3
    assert found.width_km == pytest.approx(given_pose.width_km, rel=1e-6)
    turn = (found.heading_deg - given_pose.heading_deg + 180) % 360 - 180
    assert turn == pytest.approx([0], abs=1e-5)
    assert found.homography == pytest.approx(given_pose.homography, abs=1e-6)


def test_corners_run_clockwise_from_the_top_left_at_the_picture_edge():
    corners = Poses([(0, 0)], 200.0, 0.0).footprint((1, 2))[0]
    east_of_centre = 100 / 111.195
    assert corners[:, 1] == pytest.approx(np.array([-1, 1, 1, -1]) * east_of_centre, rel=1e-3)
    assert corners[:, 0] == pytest.approx(np.array([1, 1, -1, -1]) * east_of_centre / 2, rel=1e-3)
    assert picture_corners((1, 2)) == pytest.approx(
        np.array([(-0.5, 0.25), (0.5, 0.25), (0.5, -0.25), (-0.5, -0.25)])
    )


def test_pixel_centres_lie_half_a_pixel_inside():
    plane = picture_plane((2, 4))
    assert plane[0, 0] == pytest.approx([-0.375, 0.125])
    assert plane[1, 3] == pytest.approx([0.375, -0.125])


@given(st.floats(1, 60), HEADING)
@settings(max_examples=30, deadline=None)
def test_a_tilted_camera_sees_less_far_below_than_above(tilt, toward):
    homography = perspective(tilt, toward, 20)
    direction = np.array([np.sin(np.radians(toward)), np.cos(np.radians(toward))])
    far, near = apply_homography(homography, np.stack([direction, -direction]) * 0.4)[0]
    assert np.hypot(*far) > np.hypot(*near)
    step = 1e-6
    image = apply_homography(homography, np.array([(step, 0), (0, step)]))[0] / step
    assert np.linalg.det(image) == pytest.approx(1, abs=1e-4)  # the area at the centre is kept
    assert image[1, 0] == pytest.approx(0, abs=1e-4)  # and up stays up
    stretch = np.linalg.svd(image)[1]
    assert stretch[0] / stretch[1] == pytest.approx(1 / np.cos(np.radians(tilt)), rel=1e-3)


def test_a_camera_tilted_up_meets_the_ground_where_its_rays_do():
    """By hand: height 1, field of view 90°, tilt 20°; the ray 10° above the axis meets tan 30°."""
    tilt, above = np.radians(20), np.radians(10)
    scale = 1 / (np.cos(tilt) ** 1.5 * 1)  # √area of ground to a plane of focal length 1, at 1
    picture = (0, np.tan(above) / 2)  # longer side is 2 at focal length 1
    mapped = apply_homography(perspective(20, 0, 90), [picture])[0, 0]
    assert mapped[1] * 2 * scale == pytest.approx(np.tan(np.radians(30)) - np.tan(tilt))


def test_one_pose_and_its_arrays_say_the_same():
    homography = perspective(20, 30, 40)[0]
    pose = Pose(LatLon(10, 20), 300, 45, homography)
    poses = Poses.of([pose, Pose(LatLon(-5, 7), 500, 0)])
    assert len(poses) == 2
    back = poses.one(0)
    assert (back.lat_lon, back.width_km, back.heading_deg) == (LatLon(10, 20), 300, 45)
    assert np.array_equal(back.homography, homography)
    assert pose.footprint((2, 3)) == tuple(
        LatLon(*corner) for corner in poses.footprint((2, 3))[0].tolist()
    )
    assert poses[np.array([1])].width_km.tolist() == [500]


def test_headings_and_longitudes_are_wrapped():
    poses = Poses([(0, 190), (0, 10)], 100, [-90, 725])
    assert poses.heading_deg.tolist() == [270, 5]
    assert poses.lat_lon[:, 1].tolist() == [-170, 10]


@pytest.mark.parametrize("width", [0, -3, np.nan, np.inf])
def test_a_width_is_above_nought(width):
    with pytest.raises(DataError, match="widths"):
        Poses([(0, 0)], width, 0)


def test_no_horizon_in_a_picture():
    horizon = np.eye(3)
    horizon[2, 1] = -2.5
    for homography in (horizon, np.full((3, 3), np.nan)):
        with pytest.raises(DataError, match="horizon"):
            Poses([(0, 0)], 100, 0, homography)


def test_a_centre_is_on_earth():
    with pytest.raises(CoordinateError):
        Poses([(95, 0)], 100, 0)
