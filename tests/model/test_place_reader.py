"""The place reader learns from places what no view shows, and answers for others."""

import numpy as np
import pytest

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import CoordinateError, ModelFormatError
from geowhy.evaluation.estimates import auc
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.model.place_reader import PLACE_READING_SIZE, PlaceReader, read_places
from geowhy.training.config import PlaceReaderConfig
from geowhy.training.place_reader_torch import train_place_reader

TOML = """category = "a few"
[[concept]]
id = "left"
name = "left"
definition = "Left."
prompts = ["a", "b", "c"]
grounding = "driving_side == 'left'"
[[concept]]
id = "rich"
name = "rich"
definition = "Rich."
prompts = ["a", "b", "c"]
grounding = "log(gdp_per_head)"
"""
CONFIG = PlaceReaderConfig(steps=250, batch=128, hidden=64, size=16)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vocabulary")
    (folder / "few.toml").write_text(TOML)
    return Vocabulary.load(folder)


@pytest.fixture(scope="module")
def reader(vocabulary):
    places = uniform_on_land(Atlas.load(), 4000, np.random.default_rng(0))
    return train_place_reader(vocabulary, places, CONFIG, 0, lambda done, total: None)


def test_it_answers_for_places_that_it_did_not_learn_from(reader, vocabulary):
    places = uniform_on_land(Atlas.load(), 2000, np.random.default_rng(1))
    scores, truth = reader.concept_scores(places), vocabulary.truth(Atlas.load(), places)
    assert scores.shape == (2000, 2)
    assert auc(truth[:, 0], scores[:, 0]) > 0.95
    known = ~np.isnan(truth[:, 1])
    assert np.corrcoef(truth[known, 1], scores[known, 1])[0, 1] > 0.85


def test_scores_are_standard_deviations_over_the_land(reader, vocabulary):
    places = uniform_on_land(Atlas.load(), 4000, np.random.default_rng(0))
    truth = vocabulary.truth(Atlas.load(), places)
    wanted = (truth - np.nanmean(truth, axis=0)) / np.nanstd(truth, axis=0)
    scores = reader.concept_scores(places)
    # The best estimate is as far from the mean as the truth is on average where it is estimated so.
    slope = (scores[:, 0] * wanted[:, 0]).sum() / np.square(scores[:, 0]).sum()
    assert slope == pytest.approx(1, abs=0.1)


def test_a_score_is_an_inner_product(reader):
    places = [(51.5, -0.1), (-33.9, 151.2), (0.0, -160.0)]
    expected = reader.embed(places) @ reader.bank.directions
    np.testing.assert_allclose(reader.concept_scores(places), expected, rtol=1e-5)


def test_longitudes_wrap_and_the_sea_has_numbers():
    read = read_places(Atlas.load(), [(65.0, 180.0), (65.0, -180.0), (90.0, 0.0), (0.0, -150.0)])
    assert read.shape == (4, PLACE_READING_SIZE)
    assert np.isfinite(read).all()
    np.testing.assert_allclose(read[0], read[1], atol=1e-5)


def test_the_same_seed_gives_the_same_reader(reader, vocabulary):
    places = uniform_on_land(Atlas.load(), 4000, np.random.default_rng(0))
    again = train_place_reader(vocabulary, places, CONFIG, 0, lambda done, total: None)
    for name, tensor in reader.tensors.items():
        np.testing.assert_array_equal(tensor, again.tensors[name])


def test_mistakes_are_named(reader, make_bank):
    with pytest.raises(CoordinateError):
        reader.embed([(91.0, 0.0)])
    with pytest.raises(ModelFormatError, match="different models"):
        PlaceReader(reader.tensors, make_bank(np.ones((7, 2))))
    with pytest.raises(ModelFormatError, match="spread"):
        PlaceReader({n: t for n, t in reader.tensors.items() if n != "spread"}, reader.bank)
    assert reader.embed(np.empty((0, 2))).shape == (0, 16)
