"""Shares of concepts add up to the score, in every space."""

import numpy as np
import pytest

from geowhy.inference.contributions import explain_place
from geowhy.model.alignment import TENSORS, ConceptAligner

SHAPES = {
    "feature_mean": (20,),
    "feature_spread": (20,),
    "whitening": (20, 8),
    "head_0.weight": (16, 8),
    "head_0.bias": (16,),
    "head_1.weight": (12, 16),
    "head_1.bias": (12,),
    "concept_0.weight": (7, 12),
    "concept_0.bias": (7,),
    "concept_1.weight": (5, 7),
    "concept_1.bias": (5,),
    "location_mean": (12,),
    "basis": (12, 5),
    "offset": (12, 5),
    "log_scale": (),
}


def explained(space, seed=0, temperature=1.7):
    rng = np.random.default_rng(seed)
    tensors = {name: rng.normal(size=SHAPES[name]).astype(np.float32) for name in TENSORS}
    tensors["feature_spread"] = np.abs(tensors["feature_spread"]) + 1
    aligner = ConceptAligner(tensors, space)
    images = aligner.image_side(rng.normal(size=(1, 20)).astype(np.float32))
    places = aligner.location_side(rng.normal(size=(30, 12)).astype(np.float32))
    average = type(places)(
        places.embedding.mean(axis=0, keepdims=True), places.concepts.mean(axis=0, keepdims=True)
    )
    place = type(places)(places.embedding[:1], places.concepts[:1])
    names = tuple("abcde")
    explanation = explain_place(aligner, names, images, place, average, temperature)
    scores = aligner.scores(images, places)[0] / temperature
    return explanation, float(scores[0] - scores.mean())


@pytest.mark.parametrize("space", ["embedding", "concept", "both"])
@pytest.mark.parametrize("seed", range(5))
def test_contributions_add_up_to_the_log_odds_against_the_average_place(space, seed):
    explanation, score = explained(space, seed)
    total = sum(c.contribution for c in explanation.contributions) + explanation.unexplained
    assert explanation.score == pytest.approx(score, abs=1e-4)
    assert total == pytest.approx(score, abs=1e-4)


def test_in_the_concept_space_nothing_is_unexplained():
    assert explained("concept")[0].unexplained == 0.0


def test_in_the_embedding_space_the_rest_is_shown():
    assert abs(explained("embedding")[0].unexplained) > 1e-3


def test_shown_concepts_are_ranked_and_their_share_grows_to_all():
    explanation, _ = explained("concept")
    shown = [c.contribution for c in explanation.shown(5)]
    assert shown == sorted(shown, reverse=True)
    shares = [explanation.explained_share(count) for count in range(6)]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[5] == pytest.approx(1.0)
