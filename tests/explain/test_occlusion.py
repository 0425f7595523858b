"""Occlusion finds what a score depends on, and where."""

import numpy as np
import pytest

from geowhy.explain.regions import CORNERS, occluded, occlusion_maps


@pytest.fixture
def picture():
    """Grey noise with one bright field in the lower left of a wide picture."""
    pixels = np.random.default_rng(0).integers(90, 110, (80, 160, 3)).astype(np.uint8)
    pixels[62:68, 62:78] = 255
    return pixels


def brightest(pictures):
    return np.array([[float(p.max() >= 255), float(p.mean())] for p in pictures])


def test_the_field_that_a_score_depends_on_is_found(picture):
    fields = occlusion_maps(picture, brightest)
    assert fields.shape == (8, 8, 2)
    assert np.unravel_index(fields[:, :, 0].argmax(), (8, 8)) == (6, 3)
    # Windows of two by two fields hide it from any side, and nothing farther off does.
    assert fields[:5, :, 0].max() == 0
    assert fields[:, 5:, 0].max() == fields[:, :2, 0].max() == 0


def test_every_window_hides_its_own_fields_and_nothing_else(picture):
    for (row, column), hidden in zip(CORNERS, occluded(picture), strict=True):
        differs = (hidden != picture).any(axis=2)
        inside = np.zeros_like(differs)
        inside[row * 10 : (row + 2) * 10, column * 20 : (column + 2) * 20] = True
        assert differs[inside].mean() > 0.5
        assert not differs[~inside].any()


def test_a_field_loses_the_mean_of_the_windows_that_cover_it(picture):
    def score(pictures):
        """One less for the picture whose first window is hidden."""
        hidden = [(p[:20, :40] != picture[:20, :40]).mean() > 0.5 for p in pictures]
        return -np.array(hidden, float)[:, None]

    expected = np.zeros((8, 8))
    expected[:2, :2] = [[1, 1 / 2], [1 / 2, 1 / 4]]
    assert (occlusion_maps(picture, score)[:, :, 0] == expected).all()


def test_progress_reaches_the_end(picture):
    told = []
    occlusion_maps(picture, brightest, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (49, 49)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_a_picture_smaller_than_the_grid_still_has_a_map():
    tiny = np.full((5, 3, 3), 100, np.uint8)
    assert np.isfinite(occlusion_maps(tiny, brightest)).all()
