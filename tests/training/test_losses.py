"""The losses say what the paper's equations say, the literal one including its flaw."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.geo.sphere import distance_km, lat_lon_to_unit
from geowhy.training.dataset import soft_targets
from geowhy.training.objectives.concept import (
    cauchy_schwarz_divergence,
    grounding_loss,
    literal_divergence,
    median_bandwidth,
)
from geowhy.training.objectives.contrastive import contrastive_loss


def batches(seed, count=12, size=5, spread=1.0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, size, generator=generator, dtype=torch.float64)
    y = spread * torch.randn(count, size, generator=generator, dtype=torch.float64) + 0.3
    return x, y


@given(st.integers(0, 10_000), st.floats(0.2, 5.0))
@settings(max_examples=50, deadline=None)
def test_the_literal_divergence_collapses_to_the_means(seed, sigma):
    x, y = batches(seed)
    collapsed = (x.mean(0) - y.mean(0)).square().sum() / sigma**2
    assert literal_divergence(
        x, y, torch.tensor(sigma, dtype=torch.float64)
    ).item() == pytest.approx(collapsed.item(), rel=1e-9, abs=1e-12)


def test_only_the_cauchy_schwarz_divergence_sees_a_different_spread():
    x, _ = batches(0)
    x = x - x.mean(0)
    wider, sigma = 3 * x, torch.tensor(1.0)
    assert literal_divergence(x, wider, sigma).item() == pytest.approx(0, abs=1e-12)
    assert cauchy_schwarz_divergence(x, wider, sigma).item() > 0.1


@given(st.integers(0, 10_000), st.floats(0.1, 3.0))
@settings(max_examples=50, deadline=None)
def test_the_cauchy_schwarz_divergence_is_a_divergence(seed, spread):
    x, y = batches(seed, spread=spread)
    sigma = median_bandwidth(x, y)
    assert cauchy_schwarz_divergence(x, x, sigma).item() == pytest.approx(0, abs=1e-9)
    assert cauchy_schwarz_divergence(x, y, sigma).item() >= -1e-9
    assert cauchy_schwarz_divergence(x, y, sigma).item() == pytest.approx(
        cauchy_schwarz_divergence(y, x, sigma).item()
    )


def test_sharp_targets_give_plain_infonce():
    logits = torch.randn(4, 9)
    places = torch.nn.functional.normalize(torch.randn(9, 3), dim=1)
    targets = soft_targets(places[:4], places, 0.0)
    expected = torch.nn.functional.cross_entropy(logits, torch.arange(4))
    assert contrastive_loss(logits, targets).item() == pytest.approx(expected.item(), rel=1e-6)


def test_soft_targets_are_gaussian_in_great_circle_distance():
    lat_lon = np.array([[10.0, 179.0], [10.0, -179.0], [14.0, 179.0], [-60.0, 0.0]])
    units = torch.tensor(lat_lon_to_unit(lat_lon))
    targets = soft_targets(units[:1], units, 300.0)[0].numpy()
    weights = np.exp(-((distance_km(lat_lon[0], lat_lon) / 300.0) ** 2) / 2)
    assert targets == pytest.approx(weights / weights.sum(), abs=1e-6)


def test_grounding_is_the_squared_error_of_scores():
    truth, off = batches(3)
    assert grounding_loss(truth, truth).item() == 0
    expected = (off - truth).square().mean().item()
    assert grounding_loss(off, truth).item() == pytest.approx(expected)


def test_the_bandwidth_is_the_median_distance_whatever_a_stray_score_does():
    x, y = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[4.0], [7.0]])
    stray = torch.tensor([[4.0], [700.0]])
    assert median_bandwidth(x, y).item() == 3  # of 1, 1, 2, 2, 3, 3, 4, 5, 6, 7: the lower middle
    assert median_bandwidth(x, stray).item() == 3
    assert median_bandwidth(x[:1], x[:1]).item() > 0
