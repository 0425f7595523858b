"""The fused search finds what a table of all scores would have."""

import numpy as np
import pytest

from geowhy.inference import nearest
from geowhy.inference.nearest import nearest_places

PLACES, CELLS = 500, 7


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    units = rng.normal(size=(PLACES, 8)).astype(np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    queries = (20 * units[:3] + rng.normal(size=(3, 8))).astype(np.float32)
    return queries, units, rng.integers(0, CELLS, PLACES).astype(np.int32)


def table(queries, units, prior):
    logits = (queries.astype(float) @ units.T.astype(float)) + prior
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("block", [1, 7, 128, PLACES, 10 * PLACES])
@pytest.mark.parametrize("with_prior", [False, True])
def test_the_same_as_a_table_of_all_scores_whatever_the_blocks(
    scene, block, with_prior, monkeypatch
):
    monkeypatch.setattr(nearest, "BLOCK", block)
    queries, units, cells = scene
    prior = np.linspace(-3, 0, PLACES).astype(np.float32) if with_prior else None
    found = nearest_places(queries, units, prior, cells, CELLS, 5)
    expected = table(queries, units, 0 if prior is None else prior)
    assert np.array_equal(found.rows, np.argsort(-expected, axis=1)[:, :5])
    assert found.probability == pytest.approx(np.sort(expected)[:, :-6:-1], rel=1e-4)
    for mass, row in zip(found.cell_mass, expected, strict=True):
        assert mass == pytest.approx(np.bincount(cells, row, CELLS), rel=1e-4)


def test_equal_scores_keep_the_order_of_the_gallery(monkeypatch):
    monkeypatch.setattr(nearest, "BLOCK", 2)
    units = np.ones((6, 2), np.float32)
    found = nearest_places(units[:1], units, None, np.zeros(6, np.int32), 1, 3)
    assert found.rows.tolist() == [[0, 1, 2]]


def test_no_more_places_than_there_are(scene):
    queries, units, cells = scene
    found = nearest_places(queries, units[:4], None, cells[:4], CELLS, 9)
    assert found.rows.shape == (3, 4)
    assert found.probability.sum(axis=1) == pytest.approx(1, rel=1e-5)


def test_scores_far_beyond_what_an_exponential_holds(scene):
    queries, units, cells = scene
    found = nearest_places(1000 * queries, units, None, cells, CELLS, 2)
    assert np.isfinite(found.probability).all()
    assert found.cell_mass.sum(axis=1) == pytest.approx(1)
