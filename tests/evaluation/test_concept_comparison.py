"""Concepts of a model of pictures from above, beside their truth on the map."""

import numpy as np
import pytest

from geowhy.concepts.facts import find_concept
from geowhy.concepts.vocabulary import Vocabulary
from geowhy.errors import DataError
from geowhy.evaluation.concept_comparison import banks_of, compare
from geowhy.geo.atlas import Atlas
from geowhy.locator import Locator


@pytest.fixture(scope="module")
def locator(tiny_orbit):
    return Locator.from_pretrained(tiny_orbit)


def test_footprints_of_one_width_are_compared(locator):
    places = locator.engine.model.gallery.places
    found = compare(find_concept(Vocabulary.load(), "warmth"), locator, Atlas.load())
    narrowest = places.width_km == places.width_km.min()
    np.testing.assert_array_equal(found.lat_lon, places.lat_lon[narrowest])
    assert found.pearson > 0.5


def test_a_concept_that_it_has_not_is_refused(locator):
    assert [len(bank.ids) for bank in banks_of(locator.engine.model)] == [7]
    with pytest.raises(DataError, match="has no concept 'rainforest'"):
        compare(find_concept(Vocabulary.load(), "rainforest"), locator, Atlas.load())
