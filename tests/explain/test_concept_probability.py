"""What a picture makes likely: probabilities from scores that are standardised truths."""

import numpy as np
import pytest

from geowhy.concepts.vocabulary import Vocabulary
from geowhy.explain import concept_probability
from geowhy.explain.concept_probability import ConceptProbability
from geowhy.explanation import ConceptScore, Explanation
from geowhy.locator import Locator
from geowhy.model.concept_terms import ConceptImages
from geowhy.model.terms import Encoded

NAMES = ("rare", "common", "warmth", "unknown")
FREQUENCY = np.array([0.1, 0.5, np.nan, np.nan])


@pytest.fixture
def statements():
    return ConceptProbability(NAMES, FREQUENCY, np.array([False, False, True, False]))


def image(*scores):
    return Encoded((ConceptImages.of(np.array([scores], np.float32)),))


def test_an_average_score_leaves_what_was_known_before(statements):
    found = statements.probability(image(0, 0, 0, 0))
    assert found[:3] == pytest.approx([0.1, 0.5, 0.5])
    assert np.isnan(found[3])


def test_the_standardised_truth_itself_is_as_good_as_certain(statements):
    """A class of share f that holds lies √((1 - f) / f) deviations above the average."""
    holds = statements.probability(image(3.0, 1.0, 5.0, 0))
    lacks = statements.probability(image(-1 / 3, -1.0, -5.0, 0))
    assert (holds[:3] > 0.99).all()
    assert (holds[:3] < 1).all()
    assert (lacks[:3] < 0.01).all()
    assert (lacks[:3] > 0).all()


def test_only_what_is_likely_and_speaks_for_the_place_is_stated(statements):
    concepts = (
        ConceptScore("rare", 2.0, True),
        ConceptScore("common", 1.0, True),
        ConceptScore("warmth", -1.0, True),
        ConceptScore("unknown", 0.5, True),
        ConceptScore("layout", 0.4, True),
    )
    told = statements.with_probabilities(concepts, image(0.2, 1.0, 2.0, 2.0))
    assert [c.probability is None for c in told] == [False, False, False, True, True]
    explanation = Explanation(2.9, told, 0.0)
    assert [c.name for c in explanation.stated(5)] == ["common"]


def test_the_frequencies_are_those_of_the_land(trained, small_vocabulary, monkeypatch):
    vocabulary = Vocabulary.load(small_vocabulary)
    monkeypatch.setattr(concept_probability.Vocabulary, "load", lambda: vocabulary)
    locator = Locator.from_pretrained(trained)
    found = ConceptProbability.of(locator.engine.model, locator.engine.gallery)
    frequency = dict(zip(found.names, found.frequency.tolist(), strict=True))
    assert 0.2 < frequency["arid"] < 0.4  # Köppen B: 30 % of the land
    assert np.isnan(frequency["warmth"])
    assert found.is_degree[found.names.index("warmth")]
