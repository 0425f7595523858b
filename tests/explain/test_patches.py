import numpy as np
import pytest

from geowhy.explain.regions import patch_maps
from geowhy.model.geomodel import GeoModel
from geowhy.model.preprocessing import Preprocessing

FIELDS = 8


class Blocks:
    """A backbone whose patches are the mean colours of blocks."""

    has_patches = True

    def __init__(self, crop):
        self.preprocessing = Preprocessing(size=64, mean=0.0, std=255.0, crop=crop)

    def patches(self, pixels):
        square = self.preprocessing(pixels)
        blocks = square.reshape(len(pixels), 3, FIELDS, 8, FIELDS, 8).mean((3, 5))
        return blocks.transpose(0, 2, 3, 1)


@pytest.fixture(params=["before", "after"])
def blocks(request):
    return GeoModel("blocks", Blocks(request.param), None, None, None)


def red_and_blue(features):
    return features[:, [0, 2]].astype(np.float64)


def test_a_square_picture_has_the_scores_of_its_patches(blocks):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    found = patch_maps(blocks, pixels, red_and_blue)
    assert found.shape == (FIELDS, FIELDS, 2)
    np.testing.assert_allclose(found, blocks.backbone.patches([pixels])[0][..., [0, 2]], atol=1e-9)


@pytest.mark.parametrize("shape", [(160, 320), (320, 160), (200, 333)])
def test_evidence_lies_where_it_is_in_the_whole_picture(blocks, shape):
    height, width = shape
    pixels = np.zeros((*shape, 3), np.uint8)
    row, column = 6, 3  # a field of the whole picture, in the part that is seen
    if height > width:
        row, column = column, row
    pixels[
        row * height // 8 : (row + 1) * height // 8,
        column * width // 8 : (column + 1) * width // 8,
        0,
    ] = 255
    red = patch_maps(blocks, pixels, red_and_blue)[..., 0]
    assert np.unravel_index(red.argmax(), red.shape) == (row, column)
    assert red.sum() == pytest.approx(1, abs=0.05)
    far = [abs(r - row) > 1 or abs(c - column) > 1 for r in range(FIELDS) for c in range(FIELDS)]
    assert red.ravel()[far].max() < 0.01


def test_what_the_backbone_does_not_see_counts_nothing(blocks):
    white = np.full((160, 320, 3), 255, np.uint8)
    found = patch_maps(blocks, white, red_and_blue)[..., 0]
    assert (found[:, [0, 1, 6, 7]] == 0).all()
    np.testing.assert_allclose(found[:, 2:6], 1)


def test_scores_come_row_by_row(blocks):
    def numbered(features):
        assert features.shape == (FIELDS**2, 3)
        return np.arange(FIELDS**2, dtype=float)[:, None]

    found = patch_maps(blocks, np.zeros((50, 50, 3), np.uint8), numbered)
    np.testing.assert_allclose(found[..., 0].ravel(), np.arange(FIELDS**2), atol=1e-9)
