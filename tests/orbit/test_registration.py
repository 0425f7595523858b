"""A picture cut from the Earth is found where it was cut, turned, tilted and coloured."""

import numpy as np
import pytest

from geowhy.errors import DataError
from geowhy.geo.pose import Poses, perspective
from geowhy.geo.sphere import destination, distance_km, uniform_on_sphere
from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.registration import FEATURES, register

from .earth import blotched, photographed

EARTH = WorldPyramid(blotched())
LEVEL = np.eye(3)


def candidates(poses, seed=1, wrong=12):
    """One near the first pose, as a gallery would have it, after wrong ones elsewhere."""
    rng = np.random.default_rng(seed)
    near = destination(poses.lat_lon[:1], [rng.uniform(0, 360)], 0.13 * poses.width_km[:1])
    points = np.concatenate([uniform_on_sphere(wrong, rng), near])
    widths = np.append(poses.width_km[0] * rng.uniform(0.8, 1.25, wrong), poses.width_km[0] * 1.1)
    return Poses(points, widths, 0.0)


def off(registrations, truth):
    """How far the first pose is from the truth: widths, degrees, share of the width."""
    first = registrations.poses[:1]
    turn = abs((first.heading_deg[0] - truth.heading_deg[0] + 180) % 360 - 180)
    return (
        distance_km(first.lat_lon, truth.lat_lon)[0] / truth.width_km[0],
        turn,
        abs(first.width_km[0] / truth.width_km[0] - 1),
    )


@pytest.mark.parametrize(
    ("lat_lon", "width", "heading", "shape"),
    [
        ((10, 20), 1200.0, 77.0, (128, 128)),
        ((-38, 179.5), 600.0, 350.0, (96, 128)),
        ((71, -60), 2000.0, 200.0, (200, 120)),
    ],
)
def test_a_picture_is_found_to_a_fifth_of_a_pixel(lat_lon, width, heading, shape):
    truth = Poses([lat_lon], width, heading)
    given = candidates(truth)
    found = register(photographed(EARTH, truth, shape)[0], EARTH, given)
    position, turn, resized = off(found, truth)
    assert found.candidates[0] == len(given) - 1
    assert position < 0.2 / 96
    assert turn < 0.3
    assert resized < 0.004


@pytest.mark.parametrize("toward", [0.0, 130.0])
def test_a_tilted_picture_gets_its_homography(toward):
    truth = Poses([(20, 30)], 1000.0, 120.0, perspective(35, toward, 20))
    found = register(photographed(EARTH, truth)[0], EARTH, candidates(truth))
    corners = distance_km(found.poses.footprint()[0], truth.footprint()[0])
    assert corners.max() < 0.01 * 1000
    flat = Poses(truth.lat_lon, truth.width_km, truth.heading_deg).footprint()[0]
    assert distance_km(flat, truth.footprint()[0]).max() > 0.08 * 1000  # else it shows nothing


def test_turning_the_picture_turns_the_answer():
    truth = Poses([(-15, 60)], 900.0, 33.0)
    picture = photographed(EARTH, truth)[0]
    given = candidates(truth)
    headings = [
        register(np.rot90(picture, quarter).copy(), EARTH, given).poses.heading_deg[0]
        for quarter in range(4)
    ]
    turns = (np.array(headings) - headings[0] + 45) % 360 - 45
    assert turns == pytest.approx([0, 90, 180, 270], abs=0.3)


def test_moving_the_picture_moves_the_centre():
    first = Poses([(-15, 60)], 900.0, 33.0)
    second = Poses(destination(first.lat_lon, [60.0], [50.0]), 900.0, 33.0)
    given = candidates(first)
    centres = [
        register(photographed(EARTH, pose)[0], EARTH, given).poses.lat_lon[:1]
        for pose in (first, second)
    ]
    assert distance_km(*centres)[0] == pytest.approx(50, abs=2)


@pytest.mark.parametrize("look", ["negative", "grey", "dark", "covered", "noisy"])
def test_looks_do_not_matter(look):
    truth = Poses([(40, -100)], 1100.0, 250.0)
    picture = photographed(EARTH, truth)[0].astype(np.float32)
    if look == "negative":
        picture = 255 - picture
    elif look == "grey":
        picture = np.repeat(picture.mean(-1, keepdims=True), 3, -1)
    elif look == "dark":
        picture = picture * [0.3, 0.2, 0.1]
    elif look == "covered":
        picture[:50, 30:] = 230
    else:
        picture += np.random.default_rng(0).normal(0, 12, picture.shape)
    seen = np.clip(picture, 0, 255).astype(np.uint8)
    found = register(seen, EARTH, candidates(truth))
    position, turn, resized = off(found, truth)
    assert position < 0.01
    assert turn < 1
    assert resized < 0.02
    assert found.position_sigma_km[0] < 0.05 * 1100


def test_what_speaks_for_a_right_pose_is_missing_at_wrong_ones():
    truth = Poses([(40, -100)], 1100.0, 250.0)
    given = candidates(truth)
    picture = photographed(EARTH, truth)[0]
    right = register(picture, EARTH, given)
    wrong = register(picture, EARTH, given[np.arange(len(given) - 1)])
    assert right.features.shape == (len(right), len(FEATURES))
    assert np.isfinite(right.features).all()
    better = dict(zip(FEATURES, right.features[0], strict=True))
    worse = dict(zip(FEATURES, wrong.features[0], strict=True))
    for name in ("likeness", "rough likeness", "likeness lead", "rough lead", "heading lead"):
        assert better[name] > worse[name] + 0.1, name
    for name in ("weakest quarter", "weakest ring"):
        assert better[name] > worse[name] + 0.3, name
    for name in ("evidence", "lead"):
        assert better[name] > worse[name] + 3, name
    assert better["unrest"] < worse["unrest"] / 3
    assert better["structure"] == pytest.approx(worse["structure"])
    assert better["departure"] == pytest.approx(0.13, abs=0.01)
    assert better["resizing"] == pytest.approx(np.log(1.1), abs=0.01)
    assert better["precision"] < worse["precision"]
    assert right.position_sigma_km[0] < wrong.position_sigma_km[0]


def test_no_two_poses_are_alike():
    truth = Poses([(5, 5)], 800.0, 10.0)
    rng = np.random.default_rng(0)
    near = destination(np.repeat(truth.lat_lon, 6, 0), rng.uniform(0, 360, 6), np.full(6, 90.0))
    found = register(photographed(EARTH, truth)[0], EARTH, Poses(near, 800.0, 0.0))
    position, turn, _ = off(found, truth)
    assert position < 0.005
    assert turn < 0.5
    others = distance_km(found.poses.lat_lon[1:], truth.lat_lon) / 800
    turns = np.abs((found.poses.heading_deg[1:] - 10 + 180) % 360 - 180)
    assert ((others > 0.3) | (turns > 14)).all()


def test_candidates_and_a_picture_are_needed():
    picture = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(DataError, match="no candidate"):
        register(picture, EARTH, Poses(np.zeros((0, 2)), np.zeros(0), np.zeros(0)))
    one = Poses([(0, 0)], 500.0, 0.0)
    for shape in ((5, 5, 3), (30, 200, 3)):
        with pytest.raises(DataError, match="can't be registered"):
            register(np.zeros(shape, np.uint8), EARTH, one)
    assert len(register(picture, EARTH, one)) >= 1  # even colour: some pose, nothing for it


def test_only_headings_that_are_asked_about_are_tried_and_others_speak_against_them():
    truth = Poses([(10, 20)], 1200.0, 77.0)
    picture, given = photographed(EARTH, truth)[0], candidates(truth)
    turn = np.abs((np.arange(64) * 360 / 64 - 77 + 180) % 360 - 180)
    right = register(picture, EARTH, given, columns=turn < 20)
    assert right.candidates[0] == len(given) - 1
    assert right.poses.heading_deg[0] == pytest.approx(77, abs=0.3)
    wrong = register(picture, EARTH, given, columns=turn > 90)
    off = np.abs((wrong.poses.heading_deg - 77 + 180) % 360 - 180)
    assert (off > 60).all()
    there = register(picture, EARTH, given[[0, -1]], columns=turn > 90)
    there = there.features[there.candidates == 1]
    assert len(there)
    assert (there[:, FEATURES.index("heading lead")] < -0.1).all()
    assert (there[:, FEATURES.index("rough lead")] < 0.15).all()
    assert (right.features[0, FEATURES.index("heading lead")]) > 0.1
