"""A part that is made only when a term asks for it, and only for the places that it asks of."""

import numpy as np
import pytest

from geowhy.model.concept_terms import ConceptPlaces, EmbeddingPlaces
from geowhy.model.terms import AVERAGED, Deferred, Encoded


@pytest.fixture
def made():
    return []


@pytest.fixture
def places(made):
    def make(numbers):
        made.append(len(numbers))
        scaled = np.stack([numbers, numbers**2], axis=1).astype(np.float32)
        return ConceptPlaces(scaled, np.ones((len(numbers), 1), np.float32))

    count = 3 * AVERAGED
    units = np.arange(count, dtype=np.float32)[:, None]
    return Encoded(
        (Deferred(np.arange(count), ConceptPlaces, make), EmbeddingPlaces(units, np.abs(units)))
    )


def test_nothing_is_made_for_a_term_that_does_not_ask(places, made):
    assert len(places) == 3 * AVERAGED
    places.part(EmbeddingPlaces)
    places.rows(np.array([1, 2])).part(EmbeddingPlaces)
    assert made == []


def test_rows_are_made_for_themselves_alone(places, made):
    assert places.rows(np.array([5, 7])).part(ConceptPlaces).scaled.tolist() == [[5, 25], [7, 49]]
    assert made == [2]


def test_a_mean_is_that_of_what_is_made(places, made):
    mean = places.mean(np.array([2, 4]), np.array([0.25, 0.75], np.float32))
    assert mean.part(ConceptPlaces).scaled.tolist() == [[3.5, 13.0]]
    assert made == [2]


def test_the_average_of_very_many_is_that_of_some(places, made):
    average = places.average()
    assert len(average) == 1
    assert made == []
    assert average.part(ConceptPlaces).scaled[0, 0] == pytest.approx(1.5 * AVERAGED, abs=2)
    assert made == [AVERAGED]


def test_what_no_part_is_of_is_an_error(places):
    with pytest.raises(TypeError, match="no _Other among"):
        places.part(type("_Other", (ConceptPlaces,), {}))
