"""Numbers that come of answers, on answers whose errors are known."""

import json

import numpy as np
import pytest

from geowhy.evaluation.orbit.answers import SEARCHED, PoseAnswer, PoseMetrics, first_right
from geowhy.geo.pose import Pose
from geowhy.types import LatLon

from .answering import answer


def test_metrics():
    found = PoseMetrics.of(
        [
            answer(45.0, 10.0, off=0.02, turn=15.0, wider=1.01, rank=0),
            answer(-20.0, 130.0, off=0.34, turn=20.0, wider=0.97, rank=3),
            answer(-21.0, 131.0, off=0.36, turn=-2.0, wider=1.2),
            answer(0.0, 179.9, off=8.0, verified=False, abstained=True, radius_90_km=1.0),
        ]
    )
    assert (found.pictures, found.blocks) == (4, 4)
    assert found.right.value == 0.5
    assert (found.first_searched.value, found.among_searched.value) == (0.25, 0.5)
    assert (found.refused.value, found.verified.value) == (0.25, 0.75)
    assert found.right_if_verified.value == pytest.approx(2 / 3)
    assert found.position_if_verified.value == pytest.approx(0.34)
    assert found.heading_deg_if_verified.value == pytest.approx(15.0)
    assert found.width_if_verified.value == pytest.approx(0.03)
    assert (found.coverage_50.value, found.coverage_90.value) == (pytest.approx(1 / 3), 1.0)
    assert found.right.low < 0.5 < found.right.high


def test_nothing_verified_is_no_number():
    found = PoseMetrics.of([answer(verified=False)])
    assert np.isnan([found.right_if_verified.value, found.position_if_verified.value]).all()
    assert found.right.value == 1.0


def test_the_first_right_place():
    truth = Pose(LatLon(60.0, 179.9), 1_000.0, 0.0)
    places = np.array([[60.0, 170.0], [60.0, -174.0], [60.1, -179.9], [60.0, 179.9]])
    assert first_right(places, truth) == 1
    assert first_right(places[:1], truth) == SEARCHED


def test_an_answer_survives_json():
    tilted = np.array([[1.0, 0.1, 0.0], [0.1, 1.0, 0.0], [0.0, 0.2, 1.0]])
    said = PoseAnswer(
        Pose(LatLon(1.5, -2.5), 400.0, 12.0, tilted), Pose(LatLon(0.1, 0.2), 410.0, 3.0), 5.0, 9.0,
        True, False, 7, ("arid climate", "forest"),
    )  # fmt: skip
    back = PoseAnswer.from_json(json.loads(json.dumps(said.to_json())))
    assert np.array_equal(back.truth.homography, tilted)
    assert back.to_json() == said.to_json()
    assert back.stated == said.stated
    with pytest.raises(KeyError):
        PoseAnswer.from_json({"truth": {}})
