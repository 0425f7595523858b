"""The map reader: one network in two forms, rows that measure distances, and a true lesson."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from geowhy.errors import ModelFormatError
from geowhy.model.map_reader import (
    COLUMNS_PER_MAP,
    FREQUENCIES,
    LEVEL_WEIGHT,
    MAP_WEIGHTS,
    PICTURE_COLUMNS,
    PICTURE_GRID,
    MapReader,
    patterns,
    without_picture,
)
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES, SURROUNDINGS_SIZE
from geowhy.training.config import ReaderConfig
from geowhy.training.reader_torch import TorchMapReader, train_reader

SUMMARY = 5
CONFIG = ReaderConfig(steps=150, batch=32, hidden=16, dropout=0.0)


def views(count, seed=0):
    """Features whose picture is blue where no map has anything, and what the atlas says."""
    rng = np.random.default_rng(seed)
    land = (rng.random((count, MAP_GRID, MAP_GRID)) > 0.5).astype(np.float32)
    fine = land.repeat(PICTURE_GRID // MAP_GRID, 1).repeat(PICTURE_GRID // MAP_GRID, 2)
    picture = np.stack([fine, fine, 1 - fine], axis=1).reshape(count, PICTURE_COLUMNS)
    noise = rng.normal(size=(count, SUMMARY)).astype(np.float32)
    surroundings = rng.random((count, SURROUNDINGS_SIZE)).astype(np.float32)
    surroundings[:, : len(MAP_NAMES) * MAP_GRID**2] = np.tile(
        land.reshape(count, -1), len(MAP_NAMES)
    )
    return np.concatenate([noise, picture], axis=1, dtype=np.float32), noise, surroundings


@pytest.fixture(scope="module")
def reader():
    features, summary, surroundings = views(200)
    torch_reader = train_reader(features, summary, surroundings, CONFIG, 0, lambda d, t: None)
    return torch_reader, MapReader(torch_reader.to_tensors())


def test_numpy_and_torch_read_the_same(reader):
    torch_reader, numpy_reader = reader
    features, summary, _ = views(7, seed=1)
    pictures = torch.from_numpy(features[:, -PICTURE_COLUMNS:])
    with torch.no_grad():
        expected = torch_reader(
            pictures.reshape(-1, 3, PICTURE_GRID, PICTURE_GRID), torch.from_numpy(summary)
        )
    assert numpy_reader.read(features, summary) == pytest.approx(expected.numpy(), abs=1e-5)


def test_it_learns_to_tell_land_from_water_on_views_never_shown(reader):
    features, summary, surroundings = views(50, seed=2)
    read = reader[1].read(features, summary)[:, 0].ravel()
    truth = surroundings[:, : MAP_GRID**2].ravel()
    assert np.corrcoef(read, truth)[0, 1] > 0.9


def test_a_coast_is_recognised_among_many(reader):
    features, summary, surroundings = views(300, seed=3)
    scores = reader[1].image_rows(features, summary) @ reader[1].place_rows(surroundings).T
    assert (scores.argmax(axis=1) == np.arange(300)).mean() > 0.9


def test_the_product_of_rows_is_the_negated_squared_distance_of_patterns(reader):
    features, summary, surroundings = views(6, seed=4)
    weighing = reader[1].weighing(3.0)
    q = patterns(weighing.read(features, summary))
    rows = weighing.place_rows(surroundings).reshape(6, len(MAP_WEIGHTS), COLUMNS_PER_MAP)
    g = rows[..., :-1]
    squared = ((q[:, None] - g[None]) ** 2).sum(axis=(2, 3))
    expected = 3.0 * ((q**2).sum(axis=(1, 2))[:, None] - squared)
    found = weighing.image_rows(features, summary) @ weighing.place_rows(surroundings).T
    assert found == pytest.approx(expected, abs=1e-3)


def test_patterns_are_the_low_frequencies_of_a_cosine_transform():
    maps = np.random.default_rng(5).normal(size=(2, len(MAP_NAMES), MAP_GRID, MAP_GRID))
    chosen = maps[:, [MAP_NAMES.index(name) for name in MAP_WEIGHTS]]
    waves = dctn(chosen, axes=(2, 3), norm="ortho")[..., :FREQUENCIES, :FREQUENCIES]
    waves[..., 0, 0] *= np.sqrt(LEVEL_WEIGHT)
    weights = np.sqrt(list(MAP_WEIGHTS.values())) / MAP_GRID
    expected = waves.reshape(2, len(MAP_WEIGHTS), -1) * weights[:, None]
    assert patterns(maps.astype(np.float32)) == pytest.approx(expected, abs=1e-5)


def test_the_same_seed_gives_the_same_reader():
    features, summary, surroundings = views(40)
    config = CONFIG.model_copy(update={"steps": 3, "dropout": 0.3})
    one, other = (
        train_reader(features, summary, surroundings, config, 1, lambda d, t: None).state_dict()
        for _ in range(2)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_missing_tensor_is_named():
    tensors = TorchMapReader(SUMMARY, CONFIG).to_tensors()
    del tensors["around.bias"]
    with pytest.raises(ModelFormatError, match=r"around\.bias"):
        MapReader(tensors)


def test_the_picture_is_set_apart_from_what_tells_of_the_whole_view():
    features, summary, _ = views(3)
    assert without_picture(features) == pytest.approx(summary)
