"""Structure tells directions of edges, whatever the colours on either side."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.geo.pose import picture_plane
from geowhy.orbit.structure import edge_structure, smooth, turned

PLANE = picture_plane((40, 40))


def wave(angle):
    """A picture ``[3, 1, H, W]`` whose brightness changes along a direction, from right to up."""
    across = PLANE[..., 0] * np.cos(angle) + PLANE[..., 1] * np.sin(angle)
    return np.broadcast_to(128 + 100 * np.sin(12 * across), (3, 1, 40, 40)).astype(np.float32)


def blots(seed):
    return np.random.default_rng(seed).uniform(0, 255, (3, 1, 40, 40)).astype(np.float32)


@given(st.floats(0, np.pi))
@settings(max_examples=20, deadline=None)
def test_channels_are_multiples_of_the_direction(angle):
    middle = edge_structure(wave(angle))[:, 0, 20, 20]
    assert middle[:2] / np.hypot(*middle[:2]) == pytest.approx(
        [np.cos(2 * angle), np.sin(2 * angle)], abs=0.05
    )
    assert middle[2:] / np.hypot(*middle[2:]) == pytest.approx(
        [np.cos(4 * angle), np.sin(4 * angle)], abs=0.1
    )


def test_neither_sign_nor_order_of_colours_matters():
    picture = blots(1)
    structure = edge_structure(picture)
    assert edge_structure(255 - picture) == pytest.approx(structure, abs=1e-5)
    assert edge_structure(picture[::-1]) == pytest.approx(structure, abs=1e-5)


def test_little_contrast_counts_as_much_but_none_counts_nothing():
    picture = blots(2)
    structure = edge_structure(picture)
    faint = edge_structure(100 + picture / 4)
    assert np.corrcoef(faint.ravel(), structure.ravel())[0, 1] > 0.999
    assert np.abs(faint).mean() > 0.9 * np.abs(structure).mean()
    assert np.abs(edge_structure(np.full((3, 1, 40, 40), 77.0, np.float32))).max() == 0


def test_a_turned_picture_has_turned_structure():
    structure = edge_structure(blots(3))[:, 0]
    of_turned = edge_structure(np.rot90(blots(3), 1, (2, 3)))[:, 0]  # counterclockwise
    expected = turned(np.rot90(structure, 1, (1, 2)), -np.pi / 2)
    assert of_turned == pytest.approx(expected, abs=1e-5)
    assert turned(turned(structure, 0.7), -0.7) == pytest.approx(structure, abs=1e-5)


def test_smoothing_adds_its_variance_and_keeps_the_sum():
    point = np.zeros((1, 41, 41), np.float32)
    point[0, 20, 20] = 1
    spread = smooth(point, (1, 2))[0]
    offset = np.arange(41) - 20
    assert spread.sum() == pytest.approx(1)
    assert spread.sum(0) @ offset**2 == pytest.approx((1 + 4) / 2)
    assert smooth(np.ones((2, 9, 9), np.float32), (1, 2, 4)) == pytest.approx(1)
