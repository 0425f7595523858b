"""Splits hold out whole cells, and training never sees a pixel of what is evaluated."""

import numpy as np
import pytest

from geowhy.errors import ConfigError, DataError
from geowhy.geo.atlas import Atlas
from geowhy.geo.cells import ten_degree_cell
from geowhy.images.overhead import WorldImage, footprint
from geowhy.training.config import SplitConfig, ViewsConfig
from geowhy.training.views import ViewManifest, sample_views, split_views, unseen

WORLD = WorldImage(np.zeros((2700, 5400, 3), np.uint8))
SPLIT = SplitConfig(test_views=60, validation_views=30)


@pytest.fixture(scope="module")
def pool():
    return sample_views(ViewsConfig(count=1500, size=16, km_per_pixel=20.0), Atlas.load())


@pytest.fixture(scope="module")
def manifest(pool):
    return split_views(pool, SPLIT, WORLD)


def pixels(manifest, split):
    rows = manifest.rows(split)
    return np.unique(footprint(WORLD, manifest.centres[rows], manifest.km_per_pixel, manifest.size))


def test_views_are_on_land_north_of_60_south(pool):
    assert Atlas.load().is_land(pool.centres).all()
    assert pool.centres[:, 0].min() > -60


@pytest.mark.parametrize("held_out", ["test", "validation"])
def test_no_training_view_shares_a_pixel_with_a_held_out_view(manifest, held_out):
    assert len(manifest.rows("train")) > 300
    assert not np.intersect1d(pixels(manifest, "train"), pixels(manifest, held_out)).size


def test_a_refit_holds_out_the_test_views_alone(pool, manifest):
    assert np.array_equal(split_views(pool, SPLIT, WORLD, final=True).split, manifest.split)
    final = split_views(pool, SPLIT.model_copy(update={"refit": True}), WORLD, final=True)
    assert np.array_equal(final.rows("test"), manifest.rows("test"))
    assert not len(final.rows("validation"))
    assert set(manifest.rows("train")) < set(final.rows("train"))
    assert np.intersect1d(manifest.rows("validation"), final.rows("train")).size > 10
    assert not np.intersect1d(pixels(final, "train"), pixels(final, "test")).size


def test_without_the_margin_they_do_share_pixels(pool):
    close = split_views(pool, SPLIT.model_copy(update={"margin": "none"}), WORLD)
    assert np.intersect1d(pixels(close, "train"), pixels(close, "test")).size


def test_only_views_that_share_a_pixel_are_dropped(manifest):
    evaluated = np.union1d(pixels(manifest, "test"), pixels(manifest, "validation"))
    for row in manifest.rows("margin")[:50]:
        own = footprint(WORLD, manifest.centres[[row]], manifest.km_per_pixel, manifest.size)
        assert np.intersect1d(own, evaluated).size


def test_cells_belong_to_one_split_and_test_has_a_fifth_of_them(manifest):
    cells = ten_degree_cell(manifest.centres)
    of = {name: set(cells[manifest.rows(name)]) for name in ("train", "validation", "test")}
    assert not of["train"] & of["test"]
    assert not of["train"] & of["validation"]
    assert not of["validation"] & of["test"]
    # Cells with a single view may go unseen, hence not exactly a fifth.
    assert len(of["test"]) / len(set(cells)) == pytest.approx(0.2, abs=0.1)


def test_another_seed_holds_out_other_cells(pool, manifest):
    other = split_views(pool, SPLIT.model_copy(update={"seed": 1}), WORLD)
    cells = ten_degree_cell(pool.centres)
    shared = set(cells[manifest.rows("test")]) & set(cells[other.rows("test")])
    assert len(shared) < 0.5 * len(set(cells[other.rows("test")]))


def test_a_pool_that_is_too_small_is_an_error(pool):
    with pytest.raises(ConfigError, match=r"split\.test_views"):
        split_views(pool, SPLIT.model_copy(update={"test_views": 1500}), WORLD)


def test_a_manifest_survives_the_disk(manifest, tmp_path):
    manifest.save(tmp_path / "views.parquet")
    again = ViewManifest.load(tmp_path / "views.parquet")
    assert np.array_equal(again.centres, manifest.centres)
    assert np.array_equal(again.split, manifest.split)
    assert (again.size, again.km_per_pixel) == (manifest.size, manifest.km_per_pixel)


def test_a_file_that_is_no_manifest_is_an_error(tmp_path):
    (tmp_path / "views.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="not a manifest"):
        ViewManifest.load(tmp_path / "views.parquet")


def test_unseen_views_are_those_that_share_no_pixel_with_training(pool):
    close = split_views(pool, SPLIT.model_copy(update={"margin": "none"}), WORLD)
    fair = unseen(close, "test", WORLD)
    trained_on = np.zeros(WORLD.pixels.shape[0] * WORLD.pixels.shape[1], bool)
    trained_on[pixels(close, "train")] = True
    for row, is_fair in zip(close.rows("test"), fair, strict=True):
        own = footprint(WORLD, close.centres[[row]], close.km_per_pixel, close.size)
        assert is_fair != trained_on[own].any()
    assert 0 < fair.sum() < len(fair)


def test_with_the_margin_every_view_is_unseen(manifest):
    assert unseen(manifest, "test", WORLD).all()
