"""Records of answers: the same model gives the same, and what differs is named."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "record_answers.py"


@pytest.fixture(scope="module")
def script():
    if not SCRIPT.is_file():
        pytest.skip("scripts are only in a checkout")
    spec = importlib.util.spec_from_file_location("record_answers", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_demo_pictures_are_recorded_whole_and_again_the_same(script):
    first = script.recorded(views=0, photos=None)
    assert first["demo/position"].shape == (8, 2)
    assert first["demo/radius_km"].shape == (8, 2)
    assert first["demo/candidate_probability"].shape == (8, script.TOP_K)
    assert first["demo/long_contribution"].shape == (8, len(first["demo/concept"]))
    assert script.differences(first, script.recorded(views=0, photos=None)) == []


def test_what_differs_is_named_with_both_values_and_what_is_within_tolerance_is_not(script):
    older = {"a": np.array([1.0, 2000.0, np.nan]), "b": np.array(["x", "y"]), "c": np.zeros(1)}
    newer = {"a": np.array([1.0001, 2000.1, np.nan]), "b": np.array(["x", "z"]), "d": np.zeros(1)}
    found = script.differences(older, newer)
    assert found[:2] == ["c: only in the older record", "d: only in the newer record"]
    assert found[2:] == ["b: 1 of 2 values differ in 1 rows", "  b[1]: was y, is z"]
    newer["a"][1] = 2001
    assert "  a[1]: was 2000.0, is 2001.0" in script.differences(older, newer)
    assert "a: was (3,), is (2,)" in script.differences(older, {"a": np.zeros(2)})
