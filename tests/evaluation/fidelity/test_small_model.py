"""Faithfulness of a small model that was truly trained."""

import json
from dataclasses import replace

import numpy as np
import pytest

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import ModelNotFoundError
from geowhy.evaluation.estimates import Estimate, rank_correlation
from geowhy.evaluation.fidelity import consistency, deletion, report
from geowhy.evaluation.fidelity.consistency import measure_sanity, measure_stability
from geowhy.evaluation.fidelity.deletion import OURS, RANDOM, measure_deletion
from geowhy.evaluation.fidelity.planted import PlantedReport
from geowhy.evaluation.fidelity.truth import measure_pointing, measure_truth
from geowhy.evaluation.fidelity.views import AnsweredViews
from geowhy.evaluation.protocol import training_config
from geowhy.explain import concept_probability as statements
from geowhy.locator import Locator


@pytest.fixture(scope="module")
def locator(trained):
    return Locator.from_pretrained(trained)


@pytest.fixture(scope="module")
def views(locator, trained):
    return AnsweredViews.draw(locator, training_config(str(trained)), 30, seed=0)


@pytest.fixture
def small_words(monkeypatch, small_vocabulary):
    """The vocabulary that the small model was trained on."""
    vocabulary = Vocabulary.load(small_vocabulary)
    monkeypatch.setattr(statements.Vocabulary, "load", lambda: vocabulary)
    return vocabulary


def nobody(*_):
    pass


def test_deletion_in_the_stated_order_is_faster_than_at_random(locator, views, monkeypatch):
    monkeypatch.setattr(deletion, "BUDGETS", (16,))
    found = measure_deletion(locator, views, 0, nobody)
    assert found.concepts == len(locator.engine.attribution.names)
    assert found.area(OURS).value < found.area(RANDOM).value
    for curves in found.curves:
        assert curves.counts[0] == 0
        assert curves.counts[-1] == found.concepts
        # All there and all gone are the same whatever the order.
        assert curves.deletion[0] == pytest.approx(curves.insertion[-1])
        assert curves.deletion[-1] == pytest.approx(curves.insertion[0])
        assert curves.deletion[0] == pytest.approx(found.curves[0].deletion[0])


def test_a_broken_model_has_other_explanations(locator, views):
    found = measure_sanity(locator, views, 0)
    assert abs(found.shuffled_weights.value) < 0.6
    assert abs(found.shuffled_bank.value) < 0.6


def test_what_the_model_sees_in_its_own_explanations_is_itself(locator, views):
    """The same measure between the true model and itself is 1: it is the breaking that counts."""
    true = consistency._of_concepts(locator.engine, views.answers)
    again = consistency._of_concepts(locator.engine, locator.engine.decode(list(views.pixels)))
    found = [rank_correlation(a, b) for a, b in zip(true, again, strict=True)]
    assert found == pytest.approx(np.ones(len(true)))


def test_truth_is_a_share_and_follows_the_atlas(locator, views, small_words):
    found = measure_truth(locator, views)
    for by_count in (found.stated, found.listed, found.most_frequent):
        assert all(0 <= e.low <= e.value <= e.high <= 1 for e in by_count.values())
    assert found.stated[5].value > found.random.value


def test_the_same_picture_is_the_same_claim(locator, views, monkeypatch):
    monkeypatch.setattr(consistency, "CHANGES", {"none": lambda pixels: pixels})
    found = measure_stability(locator, views)
    assert found.same_claim["none"].value == pytest.approx(1)
    assert found.own_answer["none"].value == pytest.approx(1)


def test_the_pointing_game_is_played_on_views_that_are_known(locator, views):
    told = []
    known = replace(
        views,
        answers=tuple(
            replace(a, estimate=_at(a.estimate, centre))
            for a, centre in zip(views.answers, views.centres, strict=True)
        ),
    )
    found = measure_pointing(locator, known, 4, lambda done, total: told.append(done))
    assert found.composites == 4
    assert told == [1, 2, 3, 4]
    assert 0 <= found.strongest.value <= 1
    assert 0 <= found.evidence.value <= 1


def _at(estimate, centre):
    first = replace(estimate.modes[0], lat_lon=tuple(centre.tolist()))
    return replace(estimate, modes=(first, *estimate.modes[1:]))


def test_the_report_says_all_of_it(locator, trained, monkeypatch, small_words):
    for name in ("TRUTH_VIEWS", "DELETION_VIEWS", "SANITY_VIEWS", "STABILITY_VIEWS"):
        monkeypatch.setattr(report, name, 8)
    monkeypatch.setattr(deletion, "BUDGETS", (8,))
    pointing = report.PointingReport(2, Estimate(1, 1, 1), Estimate(0.75, 0.5, 1))
    planted = PlantedReport(8, 4, *[Estimate(0.5, 0.25, 0.75)] * 3)
    monkeypatch.setattr(report, "measure_pointing", lambda *_: pointing)
    monkeypatch.setattr(report, "measure_planted_cue", lambda *_: planted)
    said = []
    found = report.measure_fidelity(str(trained), 3, said.append)
    table = found.table()
    for words in ("Deletion", "Truth", "Sanity", "Stability", "Planted", "Pointing", "seed 3"):
        assert words in table
    assert json.loads(found.to_json())["planted"]["asked"] == 4
    assert said


def test_what_is_missing_is_said_before_anything_is_measured(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("GEOWHY_HOME", str(tmp_path))
    said = []
    with pytest.raises(ModelNotFoundError, match="geowhy models get efficientnet"):
        report.measure_fidelity(str(trained), 3, said.append)
    assert not said
