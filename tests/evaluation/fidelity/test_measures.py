"""The measures of faithfulness measure what they say: on functions with known answers."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from geowhy.evaluation.estimates import block_mean, rank_correlation
from geowhy.evaluation.fidelity.consistency import CHANGES
from geowhy.evaluation.fidelity.deletion import lime, shap
from geowhy.evaluation.fidelity.planted import COLOUR, SIDE, painted
from geowhy.geo.cells import ten_degree_cell

TRUE = np.array([3.0, -2.0, 0.0, 1.0, 0.5, -0.5, 4.0, 0.0])


def linear(masks):
    return masks @ TRUE + 7


@pytest.mark.parametrize("surrogate", [lime, shap])
def test_surrogates_find_a_linear_model_when_they_may_ask_often(surrogate):
    found = surrogate(linear, len(TRUE), 512, np.random.default_rng(0))
    assert found == pytest.approx(TRUE, abs=0.1)


@pytest.mark.parametrize("surrogate", [lime, shap])
def test_surrogates_ask_no_more_than_they_may(surrogate):
    asked = []

    def counting(masks):
        asked.append(len(masks))
        assert set(np.unique(masks)) <= {0.0, 1.0}
        return linear(masks)

    surrogate(counting, len(TRUE), 100, np.random.default_rng(0))
    assert sum(asked) == 100


def test_rank_correlation_is_spearmans_with_ties():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 6, (2, 30)).astype(float)
        assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert rank_correlation(np.ones(5), np.arange(5.0)) == 0.0


def test_a_mean_over_blocks_has_an_interval_as_wide_as_blocks_differ():
    centres = np.repeat([[5.0, 5.0], [5.0, 25.0], [5.0, 45.0], [45.0, 5.0]], 50, axis=0)
    blocks = ten_degree_cell(centres)
    by_block = np.repeat([0.0, 0.0, 1.0, 1.0], 50)
    within = np.tile([0.0, 1.0], 100)
    wide, narrow = block_mean(by_block, blocks), block_mean(within, blocks)
    assert wide.value == narrow.value == 0.5
    assert wide.high - wide.low > 0.5
    assert narrow.high - narrow.low < 0.01
    assert block_mean(np.append(by_block, np.nan), np.append(blocks, 0)).value == 0.5


@pytest.mark.parametrize("name", CHANGES)
def test_changes_of_a_picture_are_small(name):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.stack([np.add.outer(ramp // 2, ramp // 2)] * 3, axis=2)
    changed = CHANGES[name](picture)
    assert changed.dtype == np.uint8
    assert changed.shape[0] >= 56
    assert not np.array_equal(changed, picture)
    assert abs(float(changed.mean()) - float(picture.mean())) < 6


def test_the_cue_is_one_square_somewhere_in_the_view():
    picture = np.zeros((64, 64, 3), np.uint8)
    seen = set()
    for seed in range(10):
        cue = (painted(picture, np.random.default_rng(seed)) == COLOUR).all(axis=2)
        rows, columns = np.flatnonzero(cue.any(axis=1)), np.flatnonzero(cue.any(axis=0))
        assert cue.sum() == len(rows) * len(columns) == round(64 * SIDE) ** 2
        seen.add((rows[0], columns[0]))
    assert len(seen) > 5
    assert not picture.any()
