"""Rules of whole places: the protocol holds, and the report adds up."""

import json
from functools import partial

import numpy as np
import pytest

from geowhy.cli.rules import find_country
from geowhy.errors import ConfigError, DataError
from geowhy.evaluation import rules as fitting
from geowhy.evaluation.estimates import Estimate
from geowhy.evaluation.rule_report import (
    ClassifierScore,
    Comparison,
    RulesReport,
    Scored,
    contrast_countries,
    measure_rules,
)
from geowhy.evaluation.rules import BOTTLENECK, MOST_CONCEPTS, RuleViews, Task, fit_sparse
from geowhy.geo.atlas import Atlas
from geowhy.geo.cells import ten_degree_cell

LEAST = 8  # views of a class: there are a few hundred in all
FEW = 3  # concepts a class, of eight


@pytest.fixture(scope="module")
def views(trained):
    return RuleViews.open(str(trained), 0, lambda stage: None)


@pytest.fixture(scope="module")
def report(views):
    patch = pytest.MonkeyPatch()
    patch.setattr(fitting, "FEWEST_VIEWS", LEAST)
    patch.setattr(fitting, "STRENGTHS", (1e-3, 1e-2))  # six take three times as long
    read, _ = fitting.CLASSIFIERS[BOTTLENECK]
    few = (read, partial(fit_sparse, most=FEW))
    patch.setitem(fitting.CLASSIFIERS, BOTTLENECK, few)
    yield measure_rules(views, True, lambda stage: None)
    patch.undo()


def test_no_view_serves_twice_and_test_cells_are_apart(views):
    rows = [views.fitted, views.near, views.manifest.rows("test")]
    assert min(map(len, rows)) > 0
    assert len(np.unique(np.concatenate(rows))) == sum(map(len, rows))
    test, fitted, near = (
        set(ten_degree_cell(views.manifest.centres[each]).tolist())
        for each in (views.manifest.rows("test"), views.fitted, views.near)
    )
    assert not test & (fitted | near)
    assert near & fitted


def test_views_are_read_as_the_model_reads_them(views):
    rows = views.manifest.rows("test")[[3, 1]]
    read = views.read(rows)
    embedding, concepts = views.model.aligner.outputs(views.store.read(rows))
    np.testing.assert_array_equal(read.concepts, concepts)
    np.testing.assert_array_equal(read.centres, views.manifest.centres[rows])
    assert read.only(np.array([False, True])).embedding.shape == (1, embedding.shape[1])


def test_the_sample_goes_by_its_seed_alone(views, trained):
    again = RuleViews.open(str(trained), 0, lambda stage: None)
    np.testing.assert_array_equal(again.fitted, views.fitted)
    assert again.store.shards == views.store.shards
    other = RuleViews.open(str(trained), 1, lambda stage: None)
    assert set(other.manifest.centres[other.fitted, 0]) != set(
        views.manifest.centres[views.fitted, 0]
    )


def test_every_view_is_scored_or_left_out(report, views):
    assert [task.task for task in report.tasks] == ["countries", "H3 cells of resolution 0"]
    for task in report.tasks:
        counts = {s.views: s.scored + s.left_out for s in task.scored}
        assert counts == {
            "held-out 10° cells": len(views.manifest.rows("test")),
            "cells of the training": len(views.near),
        }
        assert task.fitted <= len(views.fitted)
        assert task.classes >= 2


def test_counts_of_weights_are_those_of_the_classifiers(report, views):
    for task in report.tasks:
        sizes = {c.name: c for c in task.classifiers}
        concepts = len(views.model.bank.names)
        assert sizes[BOTTLENECK].most_a_class == FEW < concepts
        assert sizes["dense, all concepts"].weights == task.classes * concepts
        for each in task.classifiers:
            assert each.weights == pytest.approx(each.mean_a_class * task.classes)


def test_the_gap_is_the_difference_of_accuracies(report):
    for scored in (s for task in report.tasks for s in task.scored):
        for name, gap in scored.gap.items():
            difference = scored.accuracy[BOTTLENECK].value - scored.accuracy[name].value
            assert gap.value == pytest.approx(difference)
        assert scored.accuracy[scored.best_dense].value == max(
            scored.accuracy[name].value for name in scored.gap
        )


def test_json_holds_everything(report):
    said = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert (
        said["tasks"][0]["scored"][0]["accuracy"].keys()
        == said["tasks"][1]["scored"][0]["balanced"].keys()
    )


def made_report(accuracy):
    estimate = Estimate(accuracy, accuracy - 0.05, accuracy + 0.05)
    gap = Estimate(accuracy - 0.5, -0.1, 0.1)
    dense = Estimate(0.5, 0.4, 0.6)
    names = {BOTTLENECK: estimate, "dense": dense}
    scored = Scored(
        "somewhere", 10, 2, 3, 4, 0.2, names, {BOTTLENECK: 0.3, "dense": 0.4}, {"dense": gap}
    )
    sizes = (ClassifierScore(BOTTLENECK, 12, 4.0, 5, 0.001),)
    task = Comparison("countries", 3, 100, sizes, (scored,))
    return RulesReport("tiny", 0, 3, 100, 8, "others of them", (task,))


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.48, "  within"), (0.46, "  not within")])
def test_the_table_says_whether_the_bottleneck_keeps_up(accuracy, verdict):
    table = made_report(accuracy).table()
    assert f"\n{verdict} 3 points of the best dense one (dense)" in table
    assert "on 100 training views, seed 3" in table
    assert "10 views of 3 classes in 4 blocks; 2 left out" in table


def test_a_picture_takes_countries_with_enough_views(views, monkeypatch):
    atlas, fitted = Atlas.load(), views.read(views.fitted)
    by_code = {country.code: country for country in atlas.countries}
    monkeypatch.setattr(fitting, "FEWEST_VIEWS", 10_000)
    with pytest.raises(ConfigError, match="more views"):
        contrast_countries(views, by_code["RU"], by_code["CA"], lambda stage: None)
    monkeypatch.setattr(fitting, "FEWEST_VIEWS", LEAST)
    task = Task.countries(atlas, fitted)
    codes = [atlas.layer("country").info.labels[number] for number in task.classes]
    first, second = (by_code[code] for code in codes[:2])
    contrast, note = contrast_countries(views, first, second, lambda stage: None)
    assert f"{len(codes)} countries, seed 0" in note
    # The mean margin on the views of the first, by what the classifier says of each.
    classifier, _ = task.fit(BOTTLENECK, fitted)
    assert classifier.used.max() <= MOST_CONCEPTS
    kept, labels = task.labelled(fitted)
    logits = classifier.standardised(kept.concepts) @ classifier.weights.T + classifier.biases
    own = logits[labels == 0]
    assert contrast.margins[0] == pytest.approx((own[:, 0] - own[:, 1]).mean(), rel=1e-3)
    with pytest.raises(DataError, match="Malta: too few"):
        contrast_countries(views, first, by_code["MT"], lambda stage: None)


@pytest.mark.parametrize(
    ("asked", "code"), [("fr", "FR"), ("FRANCE", "FR"), (" usa ", "US"), ("Türkiye", "TR")]
)
def test_countries_are_found_by_name_and_code(asked, code):
    assert find_country(asked, Atlas.load()).code == code


def test_an_unknown_country_gets_close_names():
    with pytest.raises(DataError, match="did you mean France"):
        find_country("Frnace", Atlas.load())
    with pytest.raises(DataError, match="ISO code"):
        find_country("qqqqqqqq", Atlas.load())
