"""Pictures that show no place: what they are, and that a small model's answers are counted."""

import json

import numpy as np
import pytest

from geowhy.evaluation.orbit.negatives import ROW, _are_right, measure_negatives, negative_pictures
from geowhy.evaluation.orbit.queries import cut_queries, drawn_poses, sea_poses
from geowhy.geo.atlas import Atlas
from geowhy.geo.pose import Poses, picture_plane
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import reference_world
from geowhy.locator import Locator


@pytest.fixture(scope="module")
def reference():
    return WorldPyramid(reference_world())


def test_open_sea_shows_no_land():
    poses = sea_poses(ROW, 40, 0)
    points = poses.ground(picture_plane((30, 30)).reshape(-1, 2)).reshape(-1, 2)
    assert (Atlas.load().layer("land").at(points) == 1).mean() < 1e-3
    assert poses.width_km.max() > 1_000


def test_a_mirrored_picture_is_mirrored(reference):
    poses = drawn_poses(ROW, 2, 0)
    mirrored = negative_pictures(reference, "mirrored", poses, 0, [0, 1])
    assert np.array_equal(mirrored[:, :, ::-1], cut_queries(reference, poses, "plain", 0, [0, 1]))
    sea = negative_pictures(reference, "open sea", poses, 0, [0, 1])
    assert np.array_equal(sea, mirrored[:, :, ::-1])


def test_noise_has_colours_and_blotches_and_is_always_the_same(reference):
    poses = drawn_poses(ROW, 2, 0)
    first, second = negative_pictures(reference, "noise", poses, 0, [0, 1])
    assert np.array_equal(negative_pictures(reference, "noise", poses, 0, [1])[0], second)
    assert not np.array_equal(first, second)
    for picture in (first, second):
        assert 10 < picture.std() < 90
        assert np.corrcoef(picture[:, 3:].ravel(), picture[:, :-3].ravel())[0, 1] > 0.8
        assert picture.std(axis=2).mean() > 3


def test_a_small_model_is_counted(tiny_orbit, reference):
    told = []
    report = measure_negatives(str(tiny_orbit), "bmng", 3, 1, lambda *done: told.append(done))
    assert told == [(0, 9), (3, 9), (6, 9)]
    assert [row.kind for row in report.rows] == ["mirrored", "open sea", "noise"]
    engine = Locator.from_pretrained(tiny_orbit).engine
    for row, poses in zip(report.rows, (drawn_poses, sea_poses, drawn_poses), strict=True):
        pictures = negative_pictures(reference, row.kind, poses(ROW, 3, 1), 1, [0, 1, 2])
        said = engine.decode(list(pictures))
        verified = sum(each.estimate.verified for each in said) / 3
        answered = sum(each.abstention is None for each in said) / 3
        assert (row.verified.value, row.answered.value) == (verified, answered)
        assert row.answered.high > 0.5  # three pictures tell little
        assert row.wrong.value <= row.verified.value
    assert 0 < sum(row.answered.value for row in report.rows) < 3
    assert [line.split()[0] for line in report.table().splitlines()[5:]] == [
        "mirrored", "open", "noise",
    ]  # fmt: skip
    assert json.loads(report.to_json())["rows"][0]["pictures"] == 3


def test_what_is_verified_where_it_is_of_is_not_wrong():
    truth = Poses([(10.0, 20.0), (10.0, 20.0), (-60.0, 179.9)], [400.0, 100.0, 400.0], 0.0)
    answers = np.array([(10.0, 21.0), (10.0, 21.0), (-60.0, -179.9)])
    assert _are_right(answers, truth).tolist() == [True, False, True]
