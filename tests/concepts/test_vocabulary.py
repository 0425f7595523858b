"""The packaged vocabulary is sound, and a user's mistakes are named with their place."""

import numpy as np
import pytest

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import VocabularyError
from geowhy.geo.atlas import Atlas, uniform_on_land

GOOD = """
category = "climate"
[[concept]]
id = "hot"
name = "hot"
definition = "Hot."
grounding = { layer = "temperature_mean", above = 25.0 }
"""

KNOWN_PLACES = {
    "tropical rainforest climate": (-3.1, -60.0),  # Manaus
    "hot desert climate": (26.0, 10.0),  # the Sahara
    "ice cap climate": (75.0, -40.0),  # Greenland
    "high mountains or high plateau": (31.0, 88.0),  # Tibet
    "deep inland": (46.0, 86.0),  # Dzungaria
    "cropland": (41.6, -93.6),  # Iowa
    "left-hand traffic": (-25.0, 135.0),  # Australia
    "densely settled": (23.8, 90.4),  # Dhaka
}


def written(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_there_are_at_least_40_concepts_over_8_layers():
    vocabulary = Vocabulary.load()
    assert len(vocabulary.concepts) >= 40
    assert len({concept.grounding.layer for concept in vocabulary.concepts}) >= 8


@pytest.mark.parametrize("name", KNOWN_PLACES)
def test_concepts_hold_at_well_known_places(name):
    vocabulary = Vocabulary.load()
    truth = vocabulary.truth(Atlas.load(), np.array([KNOWN_PLACES[name]]))
    assert truth[0, vocabulary.names.index(name)] == 1.0


def test_every_concept_is_true_somewhere_and_false_elsewhere():
    places = uniform_on_land(Atlas.load(), 5000, np.random.default_rng(0))
    share = np.nanmean(Vocabulary.load().truth(Atlas.load(), places), axis=0)
    assert share.min() > 0.005
    assert share.max() < 0.7


def test_a_users_own_file_works(tmp_path):
    vocabulary = Vocabulary.load(written(tmp_path, GOOD))
    truth = vocabulary.truth(Atlas.load(), np.array([[15.0, 0.0], [70.0, 100.0]]))
    assert truth[:, 0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (GOOD.replace("temperature_mean", "temprature_mean"), "temperature_mean"),
        (GOOD.replace("above = 25.0", 'is = ["hot"]'), "continuous"),
        (GOOD.replace("above = 25.0", 'above = "25"'), "not a number"),
        (GOOD.replace("definition", "defintion"), "unknown key"),
        (GOOD.replace('name = "hot"\n', ""), "no name"),
        (GOOD + GOOD.partition("\n\n")[0].split('"climate"')[1], "the id 'hot'"),
        (GOOD.replace('category = "climate"', ""), "no category"),
        (GOOD.replace("grounding = {", "grounding = "), "not valid TOML"),
        ('category = "empty"', "no concept"),
        (
            GOOD.replace('"temperature_mean", above = 25.0', '"koppen_30", is = ["Zz"]'),
            "no class 'Zz'",
        ),
    ],
)
def test_mistakes_are_named_with_their_file(tmp_path, wrong, message):
    with pytest.raises(VocabularyError, match=message) as caught:
        Vocabulary.load(written(tmp_path, wrong))
    assert "mine.toml" in str(caught.value) or "the id" in str(caught.value)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(VocabularyError, match=r"no \.toml"):
        Vocabulary.load(tmp_path)
