"""Polar maps roll when the picture turns, and correlation finds by how much."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.geo.pose import picture_plane
from geowhy.orbit.polar import circular_correlation, polar_points, sample

RADII = np.linspace(0.1, 0.4, 5)


def painted(function, shape=(129, 129)):
    """A map that is a function of x and y of the plane."""
    plane = picture_plane(shape)
    return function(plane[..., 0], plane[..., 1]).astype(np.float32)


def test_the_polar_map_of_rings_is_constant():
    rings = painted(lambda x, y: np.cos(9 * np.hypot(x, y)))
    values, inside = sample(rings, polar_points(RADII, 32).reshape(-1, 2))
    polar = values.reshape(len(RADII), 32)
    assert inside.all()
    assert np.ptp(polar, axis=1) == pytest.approx(0, abs=2e-3)
    assert polar[:, 0] == pytest.approx(np.cos(9 * RADII), abs=2e-3)


def test_columns_run_clockwise_from_up():
    points = polar_points([1.0], 4)[0]
    assert points == pytest.approx(np.array([(0, 1), (1, 0), (0, -1), (-1, 0)]), abs=1e-12)
    assert polar_points([1.0], 4, (2.0, 3.0))[0, 0] == pytest.approx([2, 4])


def test_a_plane_is_sampled_exactly_between_pixels():
    slope = painted(lambda x, y: 3 * x - 2 * y + 1, (20, 31))
    points = np.array([(0.0, 0.0), (0.31, -0.22), (-0.45, 0.3)])
    values, inside = sample(slope, points)
    assert inside.all()
    assert values == pytest.approx(3 * points[:, 0] - 2 * points[:, 1] + 1, abs=1e-5)


def test_beyond_the_rim_nothing_is_known():
    ones = np.ones((2, 10, 20), np.float32)
    points = np.array([(0, 0), (0.48, 0), (0, 0.23), (0, 0.3), (-0.51, 0)])
    values, inside = sample(ones, points)
    assert inside.tolist() == [True, False, False, False, False]
    assert values.tolist() == [[1, 0, 0, 0, 0]] * 2
    rim, rim_inside = sample(ones, np.array([(0.475, 0.225), (-0.475, -0.225)]))
    assert rim_inside.all()
    assert rim == pytest.approx(1)


@given(st.integers(0, 2**32 - 1), st.sampled_from([8, 9]))
@settings(max_examples=15, deadline=None)
def test_correlation_is_the_direct_double_loop(seed, columns):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(3, 4, columns)), rng.normal(size=(2, 4, columns))
    found = circular_correlation(first, second)
    for n in range(3):
        for m in range(2):
            for turn in range(columns):
                direct = sum(
                    first[n, :, (a + turn) % columns] @ second[m, :, a] for a in range(columns)
                )
                assert found[n, m, turn] == pytest.approx(direct, abs=1e-6)


@given(st.integers(0, 63), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_rolling_a_map_moves_the_peak_as_far(columns, seed):
    polar = np.random.default_rng(seed).normal(size=(6, 64)).astype(np.float32)
    turned = np.roll(polar, columns, axis=1)
    assert circular_correlation(turned[None], polar[None])[0, 0].argmax() == columns


def test_a_turned_picture_rolls_its_map():
    """The picture turned clockwise by 90° shows at its right what was at its top."""
    picture = painted(lambda x, y: np.sin(7 * x + 2) * np.cos(5 * y + 1) + x)
    turned = np.rot90(picture, -1)
    points = polar_points(RADII, 64).reshape(-1, 2)
    maps = [sample(p, points)[0].reshape(-1, 64) for p in (turned, picture)]
    assert circular_correlation(maps[0][None], maps[1][None])[0, 0].argmax() == 16
