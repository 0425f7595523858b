"""Bands of errors share out the views, and name what is largest and smallest in each."""

import json

import numpy as np
import pytest

from geowhy.evaluation.error_bands import LIMITS_KM, BandsReport, banded, measure_bands

NAMES = tuple("abcdef")


def test_bands_share_out_all_views():
    errors = np.array([*LIMITS_KM[:-1], 24.99, 199.9, 20_000.0])
    bands = banded(errors, np.zeros((8, 6)), NAMES, np.arange(8))
    assert [band.count for band in bands] == [2, 2, 1, 1, 2]
    assert bands[1].name == "25–200 km"
    assert bands[-1].name == "over 2,500 km"


def test_concepts_are_ordered_by_their_means_in_the_band():
    rng = np.random.default_rng(0)
    errors = np.repeat([10.0, 1000.0], 50)
    means = np.where(errors[:, None] < 25, [3, 2, 1, -1, -2, -3], [-3, -2, -1, 1, 2, 3])
    contributions = means + rng.normal(scale=0.1, size=(100, 6))
    near, *_, far, _ = banded(errors, contributions, NAMES, np.arange(100) // 5)
    assert [name for name, _ in near.strongest] == ["a", "b", "c"]
    assert [name for name, _ in near.weakest] == ["f", "e", "d"]
    assert [name for name, _ in far.strongest] == ["f", "e", "d"]
    value = near.strongest[0][1]
    assert value.low < value.value == pytest.approx(3, abs=0.1)
    assert value.value < value.high


def test_a_band_of_few_views_lists_nothing():
    bands = banded(np.full(9, 3.0), np.ones((9, 6)), NAMES, np.arange(9))
    assert bands[0].strongest == bands[0].weakest == ()
    table = BandsReport("tiny", 0, "the others", bands).table()
    assert "0–25 km: 9 views\n  too few to tell" in table


def test_the_test_views_of_a_model_are_all_there(trained):
    stages = []
    report = measure_bands(str(trained), stages.append)
    assert sum(band.count for band in report.bands) == 40
    assert stages
    said = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert [band["count"] for band in said["bands"]] == [band.count for band in report.bands]
    listed = {name for band in report.bands for name, _ in (*band.strongest, *band.weakest)}
    assert "hot" in listed
    assert f"against {report.reference}" in report.table()
