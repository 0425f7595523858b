"""Pictures drawn anew: bilinear, transparent outside, the same in any number of strips."""

import numpy as np
import pytest

from geowhy.overlay import warping
from geowhy.overlay.warping import warped

RAMP = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_the_same_geometry_gives_the_same_picture():
    drawn = warped(RAMP, (4, 6), lambda at: at)
    np.testing.assert_array_equal(drawn[..., :3], RAMP)
    assert (drawn[..., 3] == 255).all()


def test_between_pixels_colours_are_mixed_and_outside_is_transparent():
    drawn = warped(RAMP, (4, 6), lambda at: at + np.array([0.5, 0.0]))
    mixed = (RAMP[:, :-1].astype(float) + RAMP[:, 1:]) / 2
    assert np.abs(drawn[:, :-1, :3] - mixed).max() <= 0.5
    assert (drawn[:, -1, 3] == 255).all()  # the edge itself
    drawn = warped(RAMP, (4, 6), lambda at: at + np.array([0.6, 0.0]))
    assert (drawn[:, -1] == 0).all()


def test_what_has_no_source_is_transparent():
    drawn = warped(RAMP, (2, 2), lambda at: np.where(at[:, :1] < 1, at, np.nan))
    assert (drawn[:, 0, 3] == 255).all()
    assert (drawn[:, 1] == 0).all()


def test_alpha_is_kept():
    clear = np.dstack([RAMP, np.full((4, 6), 40, np.uint8)])
    assert (warped(clear, (4, 6), lambda at: at) == clear).all()


@pytest.mark.parametrize("strip", [1, 7, 13])
def test_strips_do_not_show(monkeypatch, strip):
    whole = warped(RAMP, (5, 7), lambda at: at * 0.8)
    monkeypatch.setattr(warping, "STRIP_PIXELS", strip)
    np.testing.assert_array_equal(warped(RAMP, (5, 7), lambda at: at * 0.8), whole)
