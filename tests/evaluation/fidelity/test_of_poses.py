"""Faithfulness of a small model of pictures from above, on the packaged reference."""

import json

import numpy as np
import pytest

from geowhy.errors import ConfigError
from geowhy.evaluation.fidelity import consistency, deletion, of_poses, report
from geowhy.evaluation.fidelity.consistency import measure_sanity, measure_stability
from geowhy.evaluation.fidelity.deletion import OURS, RANDOM, measure_deletion
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.evaluation.orbit.queries import QueryRow, cut_queries, drawn_poses
from geowhy.images.pyramid import WorldPyramid
from geowhy.images.worlds import reference_world
from geowhy.locator import Locator

WIDTHS_KM = (2_000.0, 2_400.0)


@pytest.fixture(scope="module")
def locator(tiny_orbit):
    return Locator.from_pretrained(tiny_orbit)


@pytest.fixture(scope="module")
def views(locator):
    poses = drawn_poses(QueryRow(WIDTHS_KM), 16, 0)
    pixels = cut_queries(WorldPyramid(reference_world()), poses, "plain", 0, range(16))
    answers = locator.engine.decode(list(pixels))
    known = np.array([answer.abstention is None for answer in answers])
    assert known.sum() > 4
    kept = tuple(answer for answer, is_known in zip(answers, known, strict=True) if is_known)
    return AnsweredViews(poses.lat_lon[known], pixels[known], kept)


def test_with_all_evidence_the_answer_is_as_probable_as_stated(locator, views):
    count = len(locator.engine.attribution.names)
    for answer in views.answers:
        (log_odds,) = deletion._model(locator.engine, answer)(np.ones((1, count), np.float32))
        posterior = locator.engine.posterior(answer.side)
        assert 1 / (1 + np.exp(-log_odds)) >= posterior.probability[0] - 1e-3
        assert np.exp(-log_odds) >= posterior.elsewhere * 0.99


def test_without_evidence_no_pose_is_better_than_another(locator, views):
    count, answer = len(locator.engine.attribution.names), views.answers[0]
    (log_odds,) = deletion._model(locator.engine, answer)(np.zeros((1, count), np.float32))
    assert log_odds < 0


def test_deletion_in_the_stated_order_is_faster_than_at_random(locator, views, monkeypatch):
    monkeypatch.setattr(deletion, "BUDGETS", (16,))
    found = measure_deletion(locator, views, 0, lambda done, total: None)
    assert found.concepts == len(locator.engine.attribution.names)
    assert found.area(OURS).value < found.area(RANDOM).value


def test_a_broken_model_has_other_explanations_of_the_same_claims(locator, views, monkeypatch):
    found = measure_sanity(locator, views, 0)
    assert found.shuffled_weights.value < 0.9  # it learnt little
    assert abs(found.shuffled_bank.value) < 0.6
    monkeypatch.setattr(consistency, "_broken", lambda aligner, seed: (aligner, aligner))
    itself = measure_sanity(locator, views, 0)
    assert itself.shuffled_weights.value == pytest.approx(1)


def test_the_same_picture_is_the_same_claim(locator, views, monkeypatch):
    monkeypatch.setattr(consistency, "CHANGES", {"none": lambda pixels: pixels})
    found = measure_stability(locator, views.first(4))
    assert found.same_claim["none"].value == pytest.approx(1)
    assert found.own_answer["none"].value == pytest.approx(1)


def test_the_report_says_all_of_it(tiny_orbit, monkeypatch):
    monkeypatch.setattr(deletion, "BUDGETS", (8,))
    monkeypatch.setattr(of_poses, "WORLD", "bmng")
    monkeypatch.setattr(of_poses, "WIDTHS_KM", WIDTHS_KM)
    monkeypatch.setattr(of_poses, "PICTURES", 10)
    said = []
    found = report.measure_fidelity(str(tiny_orbit), 3, said.append)
    table = found.table()
    for words in ("Deletion", "Truth", "Sanity", "Stability", "seed 3", "of 10 are answered"):
        assert words in table
    assert json.loads(found.to_json())["answered"] == found.truth.pictures
    assert said


def test_who_answers_nothing_has_nothing_to_explain(locator, monkeypatch):
    monkeypatch.setattr(of_poses, "PICTURES", 2)
    monkeypatch.setattr(of_poses, "WORLD", "bmng")
    monkeypatch.setattr(
        of_poses,
        "cut_queries",
        lambda world, poses, *_: np.zeros((len(poses), 160, 160, 3), np.uint8),
    )
    with pytest.raises(ConfigError, match="answers none of the pictures"):
        of_poses.measure_pose_fidelity(locator, 0, lambda step: None)
