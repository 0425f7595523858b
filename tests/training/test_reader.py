"""The map reader: one network, trained and exported, and a true lesson."""

import numpy as np
import pytest
import torch

from geowhy.errors import ConfigError, ModelFormatError
from geowhy.geo.sphere import distance_matrix_km, lat_lon_to_unit
from geowhy.model.maps import (
    PICTURE_COLUMNS,
    PICTURE_GRID,
    MapReader,
    patterns,
)
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES, SURROUNDINGS_SIZE
from geowhy.training import reader_torch
from geowhy.training.config import ReaderConfig
from geowhy.training.dataset import Places
from geowhy.training.reader_torch import (
    ReadingLesson,
    TorchMapReader,
    _clear_of,
    fit_matcher,
    train_reader,
)
from geowhy.training.regression import tensors_of

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


def lesson(count):
    features, summary, surroundings = views(count)
    return ReadingLesson(features, summary, surroundings, surroundings[:150])


@pytest.fixture(scope="module")
def reader():
    torch_reader = train_reader(lesson(200), np.arange(200), CONFIG, 0)
    return torch_reader, MapReader(tensors_of(torch_reader))


def test_the_exported_network_reads_what_the_trained_one_reads(reader):
    torch_reader, map_reader = reader
    features, summary, _ = views(7, seed=1)
    pictures = torch.from_numpy(features[:, -PICTURE_COLUMNS:])
    with torch.no_grad():
        expected = torch_reader(
            pictures.reshape(-1, 3, PICTURE_GRID, PICTURE_GRID), torch.from_numpy(summary)
        )
    assert map_reader.read(features, summary) == pytest.approx(expected.numpy(), abs=1e-5)


def test_it_learns_to_tell_land_from_water_on_views_never_shown(reader):
    features, summary, surroundings = views(50, seed=2)
    read = reader[1].read(features, summary)[:, 0].ravel()
    truth = surroundings[:, : MAP_GRID**2].ravel()
    assert np.corrcoef(read, truth)[0, 1] > 0.9


def test_a_reader_learns_from_the_views_that_it_is_taught_alone():
    whole = lesson(60)
    spoilt = ReadingLesson(
        whole.features, whole.summary, whole.surroundings.copy(), whole.land.copy()
    )
    spoilt.surroundings[30:] = 0.0
    config = CONFIG.model_copy(update={"steps": 5})
    one, other = (
        train_reader(each, np.arange(30), config, 0).state_dict() for each in (whole, spoilt)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_errors_are_measured_far_from_what_was_taught():
    rng = np.random.default_rng(0)
    lat = np.rad2deg(np.arcsin(rng.uniform(-1, 1, 2000)))
    units = lat_lon_to_unit(np.stack([lat, rng.uniform(-180, 180, 2000)], axis=1))
    clear = _clear_of(np.arange(40), units.astype(np.float32), 700.0)
    distances = 6371.0088 * np.arccos(np.clip(units @ units[:40].T, -1, 1)).min(axis=1)
    assert 200 < len(clear) < 1900
    assert set(clear) == set(np.flatnonzero(distances >= 700.0))


def test_a_coast_is_recognised_among_many(reader):
    features, summary, surroundings = views(300, seed=3)
    lat_lon = np.random.default_rng(0).uniform(-50, 50, (300, 2))
    nothing = np.empty((300, 0), np.float32)
    places = Places.of(lat_lon, surroundings, nothing, nothing, "cpu")
    whole = ReadingLesson(features, summary, surroundings, surroundings)
    reports = []
    matcher = fit_matcher(
        whole, places, places, 100.0, CONFIG, 0, lambda *done: reports.append(done)
    )
    other_features, other_summary, other_surroundings = views(200, seed=4)
    seen = matcher.images(reader[1].read(other_features, other_summary))
    there = matcher.places(matcher.coordinates(reader[1].mapped(other_surroundings)))
    scores = seen.pulls @ there.coordinates.T - there.norms.sum(axis=1)
    assert (scores.argmax(axis=1) == np.arange(200)).mean() > 0.9
    assert reports == [(1, 2), (2, 2)]


def test_errors_are_of_views_that_the_reader_was_not_taught(monkeypatch):
    features, summary, surroundings = views(120)
    lat_lon = np.random.default_rng(1).uniform(-50, 50, (120, 2))
    nothing = np.empty((120, 0), np.float32)
    places = Places.of(lat_lon, surroundings, nothing, nothing, "cpu")
    whole = ReadingLesson(features, summary, surroundings, surroundings)
    taught, read = [], []
    train, reading = reader_torch.train_reader, MapReader.read

    def noted_train(lesson, rows, config, seed):
        taught.append(lat_lon[rows])
        return train(lesson, rows, config.model_copy(update={"steps": 1}), seed)

    def noted_read(self, some, summary_of_some):
        read.append(lat_lon[[int(np.flatnonzero((features == row).all(1))[0]) for row in some]])
        return reading(self, some, summary_of_some)

    monkeypatch.setattr(reader_torch, "train_reader", noted_train)
    monkeypatch.setattr(MapReader, "read", noted_read)
    fit_matcher(whole, places, places, 400.0, CONFIG, 0, lambda done, total: None)
    assert len(taught) == len(read) == 2
    for known, asked in zip(taught, read, strict=True):
        assert distance_matrix_km(asked, known).min() >= 399.0


def test_too_few_views_to_hold_some_out_are_an_error():
    features, summary, surroundings = views(20)
    nothing = np.empty((20, 0), np.float32)
    places = Places.of(np.full((20, 2), 5.0), surroundings, nothing, nothing, "cpu")
    whole = ReadingLesson(features, summary, surroundings, surroundings)
    with pytest.raises(ConfigError, match=r"raise views\.count"):
        fit_matcher(whole, places, places, 100.0, CONFIG, 0, lambda done, total: None)


def test_maps_of_places_are_in_the_units_of_what_is_read(reader):
    _, _, surroundings = views(150)
    maps = reader[1].mapped(surroundings)  # the land that the units were taken from
    assert maps.mean(axis=(0, 2, 3)) == pytest.approx(0, abs=1e-4)
    assert maps.std(axis=(0, 2, 3)) == pytest.approx(1, abs=1e-2)
    assert patterns(maps).shape == (150, MAP_GRID**2, 4)


def test_the_same_seed_gives_the_same_reader():
    config = CONFIG.model_copy(update={"steps": 3, "dropout": 0.3})
    one, other = (train_reader(lesson(40), np.arange(40), config, 1).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_missing_tensor_is_named():
    tensors = tensors_of(TorchMapReader(SUMMARY, CONFIG))
    del tensors["around.bias"]
    with pytest.raises(ModelFormatError, match=r"around\.bias"):
        MapReader(tensors)
