"""The fused search finds what a table of all scores would have."""

import numpy as np
import pytest

from geowhy.heads import quantized
from geowhy.heads.quantized import CodedQueries, CodedRows, RetrievalGallery, nearest_places

PLACES, CELLS, SIZE = 500, 7, 64
EVERYWHERE = slice(None)


def gallery_of(units, cells, prior=None):
    return RetrievalGallery(units, CodedRows.of(units), prior, cells, CELLS)


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    units = rng.normal(size=(PLACES, SIZE)).astype(np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    queries = (20 * units[:3] + rng.normal(size=(3, SIZE))).astype(np.float32)
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
    monkeypatch.setattr(quantized, "BLOCK", block)
    queries, units, cells = scene
    prior = np.linspace(-3, 0, PLACES).astype(np.float32) if with_prior else None
    answers = nearest_places(queries, gallery_of(units, cells, prior), 5)
    for found, expected in zip(
        answers, table(queries, units, 0 if prior is None else prior), strict=True
    ):
        assert found.rows.tolist() == np.argsort(-expected)[:5].tolist()
        assert found.probability == pytest.approx(np.sort(expected)[:-6:-1], rel=1e-3)
        assert found.cell_mass == pytest.approx(np.bincount(cells, expected, CELLS), rel=0.03)
        assert found.cell_mass.sum() == pytest.approx(1, rel=1e-6)


def test_places_closer_than_codes_can_tell_are_told_by_their_float32_rows(scene):
    queries, units, cells = scene
    units = units.copy()
    # Two hundred copies of the best place, each a little worse than the next.
    units[100:300] = units[0] * (1 - np.linspace(2e-4, 1e-5, 200, dtype=np.float32))[:, None]
    found = nearest_places(queries[:1], gallery_of(units, cells), 5)[0]
    assert found.rows.tolist() == [0, 299, 298, 297, 296]


def test_equal_scores_keep_the_order_of_the_gallery(monkeypatch):
    monkeypatch.setattr(quantized, "BLOCK", 2)
    units = np.full((60, 3), 3**-0.5, np.float32)
    found = nearest_places(7 * units[:1], gallery_of(units, np.zeros(60, np.int32)), 3)
    assert found[0].rows.tolist() == [0, 1, 2]


def test_no_more_places_than_there_are(scene):
    queries, units, cells = scene
    for found in nearest_places(queries, gallery_of(units[:4], cells[:4]), 9):
        assert sorted(found.rows) == [0, 1, 2, 3]
        assert found.probability.sum() == pytest.approx(1, rel=1e-5)


def test_scores_far_beyond_what_an_exponential_holds(scene):
    queries, units, cells = scene
    for found in nearest_places(1000 * queries, gallery_of(units, cells), 2):
        assert np.isfinite(found.probability).all()
        assert found.cell_mass.sum() == pytest.approx(1)


@pytest.mark.parametrize("spread", [1e-6, 1.0, 1e6])
def test_scores_of_codes_are_within_their_bounds(scene, spread):
    queries, units, _ = scene
    queries = (spread * queries).astype(np.float32)
    coded, asked = CodedRows.of(units), CodedQueries.of(queries)
    off = np.abs(coded.scores(asked, EVERYWHERE) - queries.astype(float) @ units.T.astype(float))
    bounds = coded.bounds(asked, EVERYWHERE)
    assert (off <= bounds).all()
    assert (bounds < 0.02 * np.linalg.norm(queries, axis=1, keepdims=True)).all()


def test_extreme_codes_do_not_overflow():
    units = np.full((3, 512), 512**-0.5, np.float32) * np.array([[1], [-1], [1]], np.float32)
    queries = 40 * units[:2]
    scores = CodedRows.of(units).scores(CodedQueries.of(queries), EVERYWHERE)
    assert scores == pytest.approx(np.array([[40, -40, 40], [-40, 40, -40]]), rel=1e-4)


def test_a_row_of_zeros_has_no_score():
    units = np.zeros((2, 8), np.float32)
    scores = CodedRows.of(units).scores(CodedQueries.of(np.ones((1, 8), np.float32)), EVERYWHERE)
    assert scores.tolist() == [[0, 0]]


def test_whole_numbers_are_their_own_codes():
    rng = np.random.default_rng(0)
    codes = rng.integers(-127, 128, (100, 16), np.int8)
    queries = rng.normal(size=(3, 16)).astype(np.float32)
    rows = CodedRows.exact(codes)
    found = rows.all_scores(CodedQueries.of(queries))
    assert found == pytest.approx(queries @ codes.T.astype(np.float32), abs=0.05 * 16**0.5)
    assert (rows.error == 0).all()
