"""Places of queries are uniform, the same for every world, and shown by the pictures."""

import sys

import numpy as np
import pytest

from geowhy.errors import MissingExtraError
from geowhy.evaluation.orbit.queries import LEAST_LAND, QueryRow, cut_queries, drawn_poses
from geowhy.geo.atlas import Atlas
from geowhy.geo.pose import Poses, picture_plane
from geowhy.images.overhead import WorldImage, cut_views
from geowhy.images.pyramid import WorldPyramid

ROW, STEEP = QueryRow((300.0, 600.0)), QueryRow((300.0, 600.0), "up to 45°")


@pytest.fixture(scope="module")
def world():
    """Smooth colours."""
    row, column = np.mgrid[0:360, 0:720] / 360 * np.pi
    colours = [np.sin(3 * row), np.cos(2 * column), np.sin(row) * np.sin(4 * column)]
    return WorldImage(np.rint(127 + 120 * np.stack(colours, axis=-1)).astype(np.uint8))


@pytest.mark.parametrize("row", [ROW, STEEP])
def test_queries_are_as_they_should(row):
    poses = drawn_poses(row, 300, 0)
    points = poses.ground(picture_plane((16, 16)).reshape(-1, 2))
    land = Atlas.load().layer("land").at(points.reshape(-1, 2)) == 1
    assert land.reshape(300, -1).mean(axis=1).min() > LEAST_LAND - 0.1  # by other points
    assert 300 <= poses.width_km.min() < 320
    assert 560 < poses.width_km.max() <= 600
    assert np.abs(np.histogram(poses.heading_deg, 4, (0, 360))[0] - 75).max() < 30
    steepness = np.abs(poses.homography[:, 2, :2]).max()
    assert steepness == pytest.approx(0.2 if row is ROW else 0.353, rel=0.05)


def test_more_queries_are_the_same_and_others():
    few, many = drawn_poses(ROW, 3, 5), drawn_poses(ROW, 700, 5)
    assert np.array_equal(few.to_map, many.to_map[:3])
    assert np.array_equal(few.lat_lon, many.lat_lon[:3])
    for other in (drawn_poses(ROW, 3, 6), drawn_poses(STEEP, 3, 5)):
        assert not np.isclose(few.lat_lon, other.lat_lon).any()


def test_a_picture_shows_what_its_pose_says(world):
    centres = np.array([[10.0, 30.0], [-50.0, 179.0]])
    from_above = Poses(centres, np.array([16_000 / 9] * 2), np.array([0.0, 90.0]))
    pictures = cut_queries(WorldPyramid(world), from_above, "plain", 0, [0, 1])
    views = cut_views(world, centres, 100 / 9, 160)
    turned = np.stack([views[0], np.rot90(views[1])])
    assert np.abs(pictures.astype(int) - turned).max() <= 2


def test_a_hard_look_depends_on_seed_and_number_alone(world):
    pyramid, poses = WorldPyramid(world), drawn_poses(ROW, 3, 0)
    plain = cut_queries(pyramid, poses, "plain", 0, [0, 1, 2])
    hard = cut_queries(pyramid, poses, "hard", 0, [0, 1, 2])
    assert (np.abs(hard.astype(int) - plain).mean((1, 2, 3)) > 3).all()
    assert np.array_equal(cut_queries(pyramid, poses[1:2], "hard", 0, [1]), hard[1:2])
    assert not np.array_equal(cut_queries(pyramid, poses[1:2], "hard", 1, [1]), hard[1:2])
    assert not np.array_equal(cut_queries(pyramid, poses[1:2], "hard", 0, [2]), hard[1:2])


def test_without_the_extra_hard_ones_say_so(world, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    pyramid, poses = WorldPyramid(world), drawn_poses(ROW, 1, 0)
    assert cut_queries(pyramid, poses, "plain", 0, [0]).shape == (1, 160, 160, 3)
    with pytest.raises(MissingExtraError, match=r"hard queries needs torch.*geowhy\[train\]"):
        cut_queries(pyramid, poses, "hard", 0, [0])
