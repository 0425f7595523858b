import numpy as np
import pytest
import torch

from geowhy.errors import ConfigError
from geowhy.training.aligner import TorchAligner, fit_whitening
from geowhy.training.config import AlignmentConfig
from geowhy.training.dataset import turned

GRID = 4
LAYOUT = 3 * GRID**2


@pytest.fixture(scope="module")
def features():
    """Ten features of a view, then its layout; each colour has its own mean and spread."""
    rng = np.random.default_rng(0)
    summary = rng.normal(size=(500, 10)) @ rng.normal(size=(10, 10))
    colours = rng.normal(size=(500, 3, GRID**2)) * [[[0.5], [2], [1]]] + [[[3], [0], [-1]]]
    return np.concatenate([summary, colours.reshape(500, -1)], axis=1).astype(np.float32)


def test_summary_is_projected_and_layout_follows(features):
    whitened = fit_whitening(features, 6, GRID)(features)
    assert whitened.shape == (500, 6 + LAYOUT)
    assert np.square(whitened[:, :6]).mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(whitened[:, 6:].reshape(500, 3, -1).mean((0, 2)), 0, atol=0.01)
    np.testing.assert_allclose(whitened[:, 6:].reshape(500, 3, -1).std((0, 2)), 1, atol=0.05)


@pytest.mark.parametrize("symmetry", range(8))
def test_a_mirrored_view_is_a_mirrored_view_after_whitening(features, symmetry):
    whitening = fit_whitening(features, 6, GRID)
    mirrored = turned(torch.from_numpy(features), 10, 3, GRID, symmetry).numpy()
    expected = turned(torch.from_numpy(whitening(features)), 6, 3, GRID, symmetry).numpy()
    np.testing.assert_allclose(whitening(mirrored), expected, atol=1e-5)


def test_more_components_than_statistics_are_refused(features):
    with pytest.raises(ConfigError, match="only 10 statistics"):
        fit_whitening(features, 11, GRID)


def aligner(features, bank, **changes):
    whitening = fit_whitening(features, 6, GRID)
    config = AlignmentConfig(whitened=6, hidden=16, concept_hidden=8, dropout=0, **changes)
    torch.manual_seed(0)  # with some weights every image looks alike
    module = TorchAligner(config, whitening, bank, np.zeros(5, np.float32))
    return module, torch.from_numpy(whitening(features[:200]))


def test_summary_dropout_leaves_the_layout_alone(features, make_bank):
    module, whitened = aligner(features, make_bank(np.eye(5, 3)), summary_dropout=0.5)
    blind = torch.cat([torch.zeros(200, 6), whitened[:, 6:]], dim=1)
    with torch.no_grad():
        found = module.train().image_side(whitened).concepts
        seeing, blind_side = (module.eval().image_side(x).concepts for x in (whitened, blind))
    is_seeing = torch.isclose(found, seeing, atol=1e-4).all(dim=1)
    is_blind = torch.isclose(found, blind_side, atol=1e-4).all(dim=1)
    assert (is_seeing ^ is_blind).all()
    assert 60 < is_blind.sum() < 140


def test_whitening_goes_half_way_so_that_deviations_become_their_square_roots():
    rng = np.random.default_rng(1)
    common = rng.normal(size=(4000, 1)) * [[1, 1, 1, 1]] + rng.normal(size=(4000, 4)) * 0.4
    standard = (common - common.mean(0)) / (common.std(0) + 1e-3)
    before = np.linalg.eigvalsh(standard.T @ standard / len(standard))[::-1]
    whitened = fit_whitening(common.astype(np.float32), 4, 0)(common.astype(np.float32))
    after = whitened.std(axis=0)
    deviations = np.sqrt(before)
    assert deviations[0] / deviations[3] > 4
    assert after / after[0] == pytest.approx(np.sqrt(deviations / deviations[0]), rel=0.02)
