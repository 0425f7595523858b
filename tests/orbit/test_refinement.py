"""Steps lead from a rough pose to the right one, and say how sure and how agreed they are."""

from dataclasses import replace

import numpy as np
import pytest

from geowhy.errors import DataError
from geowhy.geo.pose import Poses, perspective
from geowhy.geo.sphere import destination, distance_km
from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.refinement import MOTIONS, agreement, refine, stepped, tilt_of
from geowhy.orbit.structure import edge_structure

from .earth import blotched, photographed

EARTH = WorldPyramid(blotched(5))
TRUTH = Poses([(50, 10)], 1000.0, 130.0)
EVERY = len(MOTIONS)


def structure(poses, size=64):
    pictures = np.moveaxis(photographed(EARTH, poses, (size, size)), -1, 0).astype(np.float32)
    maps = edge_structure(pictures)[:, 0]
    maps[:, :2] = maps[:, -2:] = maps[:, :, :2] = maps[:, :, -2:] = 0
    return maps


def near(truth=TRUTH):
    return Poses(
        destination(truth.lat_lon, [200.0], [35.0]),
        truth.width_km * 1.04,
        truth.heading_deg + 4,
    )


def test_steps_lead_to_the_right_pose():
    found = refine(structure(TRUTH), near(), EARTH, (1,), 4, steps=8)
    assert distance_km(found.lat_lon, TRUTH.lat_lon)[0] < 1000 * 0.2 / 64
    assert found.heading_deg == pytest.approx(TRUTH.heading_deg, abs=0.2)
    assert found.width_km == pytest.approx(TRUTH.width_km, rel=0.004)
    before, after = (
        agreement(structure(TRUTH), poses, EARTH, (1,), 4).scores[0] for poses in (near(), found)
    )
    assert after > 0.9 > before


def test_each_pose_goes_its_own_way():
    wrong = Poses([(-20, 70)], 1000.0, 10.0)
    both = refine(structure(TRUTH), Poses.joined([wrong, near()]), EARTH, (1,), 4, steps=5)
    alone = refine(structure(TRUTH), near(), EARTH, (1,), 4, steps=5)
    assert distance_km(both.lat_lon[1:], alone.lat_lon)[0] < 0.5


def test_tilt_is_found_with_every_motion_and_not_with_four():
    truth = Poses(TRUTH.lat_lon, 1000.0, 130.0, perspective(25, 60, 30))
    seen = structure(truth)
    found = refine(seen, near(), EARTH, (1,), EVERY, steps=12)
    assert tilt_of(found) == pytest.approx(tilt_of(truth), abs=0.01)
    assert tilt_of(refine(seen, near(), EARTH, (1,), 4, steps=12)) == pytest.approx(0, abs=0.02)


def test_a_right_pose_feels_no_pull_and_others_feel_it_back():
    seen = structure(TRUTH)
    away = TRUTH.moved(np.array([[0.02, 0.0]]))  # to the right, so it should go left
    for pose, expected in ((TRUTH, 0.0), (away, -0.02)):
        agreed = agreement(seen, pose, EARTH, (1,), EVERY)
        step = np.linalg.solve(agreed.information[0], agreed.pull[0])
        assert step[0] == pytest.approx(expected, abs=0.005)
        assert step[1] == pytest.approx(0, abs=0.005)


def test_the_information_is_that_of_the_motions():
    """Against products of differences, each motion made by hand."""
    agreed = agreement(structure(TRUTH), TRUTH, EARTH, (1,), 4)
    matrix = agreed.information[0]
    assert matrix == pytest.approx(matrix.T, rel=1e-4)
    assert np.linalg.eigvalsh(matrix).min() > 0
    step = 0.004
    corners = np.array([(-1, 1), (1, 1), (1, -1), (-1, -1)]) / 2
    motions = [np.full((4, 2), (1, 0)), np.full((4, 2), (0, 1)), corners]
    motions.append(np.stack([corners[:, 1], -corners[:, 0]], -1))
    changed = []
    for motion in motions:
        sides = [structure(TRUTH.moved(s * step * motion[None])) for s in (1, -1)]
        changed.append(((sides[0] - sides[1]) / (2 * step)).ravel())
    by_hand = np.stack(changed) @ np.stack(changed).T
    scale = matrix[0, 0] / by_hand[0, 0]
    assert np.diag(matrix) == pytest.approx(np.diag(by_hand) * scale, rel=0.25)
    assert np.sign(matrix[0, 3]) == np.sign(by_hand[0, 3])


def test_parts_agree_where_the_picture_is_right():
    seen = structure(TRUTH)
    half = np.zeros((2, 64, 64), np.float32)
    half[0, :, :32] = half[1, :, 32:] = 1
    mixed = seen.copy()
    mixed[..., 32:] = structure(Poses([(-20, 70)], 1000.0, 10.0))[..., 32:]
    likeness, steps = agreement(mixed, TRUTH, EARTH, (1,), 4).parts(half)
    assert likeness[0, 0] > 0.8 > 0.3 > likeness[0, 1]
    assert np.hypot(*steps[0, 0]) < 0.01
    away = TRUTH.moved(np.array([[-0.01, 0.015]]))
    _, steps = agreement(seen, away, EARTH, (1,), 4).parts(half)
    assert steps[0, :, 0] == pytest.approx(0.01, abs=0.004)
    assert steps[0, :, 1] == pytest.approx(-0.015, abs=0.006)


def test_no_step_leads_to_a_picture_of_the_horizon():
    seen = structure(Poses(TRUTH.lat_lon, 1000.0, 130.0))
    steep = np.eye(3)
    steep[2, :2] = -0.95
    poses = Poses(TRUTH.lat_lon, 1000.0, 130.0, steep)
    agreed = agreement(seen, poses, EARTH, (1,), EVERY)
    pulled = replace(agreed, pull=np.full((1, EVERY), 1e6))
    found, _ = stepped(pulled, poses)
    assert np.abs(tilt_of(found)).max() < 0.9
    with pytest.raises(DataError, match="horizon"):
        Poses(TRUTH.lat_lon, 1000.0, 130.0, steep + np.array([[0], [0], [-0.3]]) * [1, 1, 0])
