"""Two tables of the same images: which is better, by how much, and how sure that is."""

import json
from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy import stats

from geowhy.cli.main import main
from geowhy.errors import DataError
from geowhy.evaluation.comparison import compare
from geowhy.evaluation.estimates import block_mean
from geowhy.evaluation.predictions import PredictionTable
from geowhy.geo.cells import ten_degree_cell
from geowhy.geo.sphere import destination, distance_km, uniform_on_sphere

COUNT = 200
ABOUT = {"split": "test", "protocol": "p", "gallery": "g", "images": "photos"}


def table(name, typical_km, seed, expected=COUNT):
    rng = np.random.default_rng(seed)
    truth = uniform_on_sphere(COUNT, np.random.default_rng(99))
    away_km = rng.exponential(typical_km, COUNT)
    return PredictionTable(
        {"model": name, **ABOUT, "expected": expected},
        tuple(f"image-{row}" for row in range(COUNT)),
        truth,
        destination(truth, rng.uniform(0, 360, COUNT), away_km),
        np.full(COUNT, 300.0),
        np.full(COUNT, 900.0),
        np.zeros(COUNT, bool),
        np.zeros(COUNT, bool),
        ((),) * COUNT,
        np.ones(COUNT),
        *(np.full(COUNT, np.nan),) * 2,
    )


WORSE, BETTER = table("worse", 900, 1), table("better", 500, 2)


def some(whole, rows):
    ids = tuple(whole.ids[row] for row in rows)
    return whole.placed(np.array(rows), ids, whole.truth[rows])


def by_name(report):
    return {found.name: found for found in (*report.shares, *report.values)}


def test_shares_are_compared_image_by_image():
    found = by_name(compare(WORSE, BETTER))["within 750 km"]
    right = [distance_km(each.truth, each.answer) <= 750 for each in (WORSE, BETTER)]
    alone = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert (found.first, found.second) == pytest.approx((right[0].mean(), right[1].mean()))
    assert (found.first_only, found.second_only) == alone
    assert found.p_value == pytest.approx(stats.binomtest(min(alone), sum(alone)).pvalue)
    blocks = ten_degree_cell(WORSE.truth)
    expected = block_mean(right[1].astype(float) - right[0], blocks)
    assert astuple(found.difference) == pytest.approx(astuple(expected), abs=1e-9)
    assert found.difference.low > 0


def test_numbers_are_compared_image_by_image():
    found = by_name(compare(WORSE, BETTER))
    errors = [distance_km(each.truth, each.answer) for each in (WORSE, BETTER)]
    median = found["median error, km"]
    assert median.first == pytest.approx(np.median(errors[0]))
    assert median.difference.value == pytest.approx(np.median(errors[1]) - np.median(errors[0]))
    assert median.difference.high < 0
    scores = [5000 * np.exp(-each / 1492.7) for each in errors]
    difference = np.mean(scores[1]) - np.mean(scores[0])
    assert found["GeoScore"].difference.value == pytest.approx(difference)
    assert {"right country", "right region", "mean error, km"} < set(found)


def test_turned_round_the_difference_changes_its_sign():
    one, other = by_name(compare(WORSE, BETTER)), by_name(compare(BETTER, WORSE))
    for name, found in one.items():
        turned = other[name].difference
        values = (-turned.value, -turned.high, -turned.low)
        difference = (found.difference.value, found.difference.low, found.difference.high)
        assert difference == pytest.approx(values, abs=1e-9)


def test_the_order_of_rows_does_not_matter():
    rows = np.random.default_rng(0).permutation(COUNT).tolist()
    one, other = by_name(compare(WORSE, BETTER)), by_name(compare(some(WORSE, rows), BETTER))
    for name, found in one.items():
        again = other[name].difference
        assert (again.low, again.high) == pytest.approx(
            (found.difference.low, found.difference.high)
        )


def test_what_one_lacks_counts_as_wrong_for_it_alone():
    lacking = replace(WORSE, answer=WORSE.answer.copy())
    lacking.answer[:20] = np.nan
    shorter = some(WORSE, list(range(20, COUNT)))
    for first in (lacking, shorter):
        found = compare(first, BETTER)
        assert (found.first_missing, found.second_missing, found.scored) == (20, 0, 180)
        share = by_name(found)["within 2,500 km"]
        assert share.scored == 180
        assert max(each.scored for each in by_name(found).values()) == 180
        right = distance_km(WORSE.truth, WORSE.answer)[20:] <= 2500
        assert share.first == pytest.approx(right.sum() / COUNT)
        assert "180 scored of 200 expected, missing wrong" in found.table()
        left_out = compare(first, BETTER, "left-out")
        share = by_name(left_out)["within 2,500 km"]
        assert share.first == pytest.approx(right.mean())
        assert share.second == pytest.approx(
            (distance_km(BETTER.truth, BETTER.answer)[20:] <= 2500).mean()
        )
        assert "180 scored of 200 expected, missing left out" in left_out.table()


def test_what_neither_lists_counts_as_wrong_for_both():
    found = compare(table("a", 900, 1, expected=250), table("b", 500, 2, expected=250))
    assert (found.expected, found.first_missing, found.second_missing) == (250, 50, 50)
    share = by_name(found)["within 750 km"]
    assert share.first == pytest.approx(by_name(compare(WORSE, BETTER))[share.name].first * 0.8)


def test_tables_of_other_images_are_refused():
    with pytest.raises(DataError, match="no image in common"):
        compare(WORSE, replace(BETTER, ids=tuple(map(str, range(COUNT)))))
    with pytest.raises(DataError, match="200 expected images and the other of 201"):
        compare(WORSE, table("b", 1, 1, expected=201))
    moved = BETTER.truth.copy()
    moved[7] += 1e-5
    with pytest.raises(DataError, match=r"image-7: is at .* as are 0 more"):
        compare(WORSE, replace(BETTER, truth=moved))


def test_a_command_compares_files(tmp_path, capsys):
    for name, each in {"worse": WORSE, "better": BETTER}.items():
        each.save(tmp_path / f"{name}.parquet")
    words = ["evaluate", "--from", str(tmp_path / "worse.parquet")]
    assert main([*words, "--against", str(tmp_path / "better.parquet")]) == 0
    assert capsys.readouterr().out == compare(WORSE, BETTER).table() + "\n"
    assert main([*words, "--against", str(tmp_path / "better.parquet"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["shares"][3]["name"] == "within 750 km"
    assert found["shares"][3]["difference"]["low"] > 0
    assert main([*words, "--missing", "left-out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["missing"] == "left-out"
    assert main([*words, "--split", "test"]) == 1
    assert "--against, --missing or --json" in capsys.readouterr().err
