"""Shares of concepts and of rings add up to the score, in every space."""

from functools import partial

import numpy as np
import pytest

from geowhy.model.alignment import (
    DECOMPOSITION_RIDGE,
    TENSORS,
    ConceptAligner,
)
from geowhy.model.attribution import LinearAttribution
from geowhy.model.concept_terms import EmbeddingImages
from geowhy.model.terms import Encoded
from geowhy.orbit.terms import RingImages, RingPlaces, RingTerm

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
    "offset": (12, 5),
    "log_scale": (),
}


RINGS = (5, 4, 2)


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


@pytest.fixture
def explained(make_bank):
    directions = np.random.default_rng(9).normal(size=(12, 5))
    return partial(explain, make_bank(directions))


def explain(bank, space, seed=0, temperature=1.7):
    rng = np.random.default_rng(seed)
    tensors = {name: rng.normal(size=SHAPES[name]).astype(np.float32) for name in TENSORS}
    tensors["feature_spread"] = np.abs(tensors["feature_spread"]) + 1
    aligner = ConceptAligner(tensors, bank, space)
    rings = RingTerm(tuple("XYZ"), RINGS, 0.3)
    seen = RingImages(normal(rng, 1, sum(RINGS)), np.ones((1, len(RINGS)), np.float32))
    known = RingPlaces(normal(rng, 30, sum(RINGS)))
    images = Encoded((*aligner.image_side(normal(rng, 1, 20)).parts, seen))
    places = Encoded((*aligner.location_side(normal(rng, 30, 12)).parts, known))
    evidence = LinearAttribution([*aligner.terms, rings], temperature)
    explanation = evidence.explain(images, places.rows(slice(0, 1)), places.average())
    scores = evidence.scores(images, places)[0]
    return explanation, float(scores[0] - scores.mean())


@pytest.mark.parametrize("space", ["embedding", "concept", "both"])
@pytest.mark.parametrize("seed", range(5))
def test_contributions_add_up_to_the_log_odds_against_the_average_place(explained, space, seed):
    explanation, score = explained(space, seed)
    total = sum(c.contribution for c in explanation.contributions) + explanation.unexplained
    assert explanation.score == pytest.approx(score, abs=1e-4)
    assert total == pytest.approx(score, abs=1e-4)


def test_in_the_concept_space_nothing_is_unexplained(explained):
    assert explained("concept")[0].unexplained == 0.0


def test_in_the_embedding_space_the_rest_is_shown(explained):
    assert abs(explained("embedding")[0].unexplained) > 1e-3


def test_in_the_embedding_space_a_concept_gets_what_lies_along_it(make_bank):
    """Orthonormal concepts: the share of each is the product of both sides along it."""
    basis = np.linalg.qr(np.random.default_rng(2).normal(size=(12, 5)))[0]
    rng = np.random.default_rng(3)
    tensors = {name: normal(rng, *SHAPES[name]) for name in TENSORS}
    tensors["feature_spread"] = np.ones(20, np.float32)
    tensors["offset"] = np.zeros((12, 5), np.float32)
    aligner = ConceptAligner(tensors, make_bank(basis), "embedding")
    image, places = (
        aligner.image_side(normal(rng, 1, 20)),
        aligner.location_side(normal(rng, 2, 12)),
    )
    place, average = (places.rows(np.array([first, not first])) for first in (True, False))
    evidence = LinearAttribution(aligner.terms, 1.0)
    shares = evidence.shares(image, place)[0][0] - evidence.shares(image, average)[0][0]
    along = ((aligner.packed(place)[0] - aligner.packed(average)[0]) @ aligner.basis)[0]
    expected = aligner.scale * (image.part(EmbeddingImages).embedding @ aligner.basis)[0] * along
    assert shares == pytest.approx(expected / (1 + DECOMPOSITION_RIDGE), rel=1e-2, abs=1e-4)


def test_shown_concepts_are_ranked_and_their_share_grows_to_all(explained):
    explanation, _ = explained("concept")
    shown = [c.contribution for c in explanation.shown(8)]
    assert shown == sorted(shown, reverse=True)
    shares = [explanation.explained_share(count) for count in range(9)]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[8] == pytest.approx(1.0)


def test_a_ring_is_never_called_absent(explained):
    every = [c for seed in range(5) for c in explained("concept", seed)[0].contributions]
    assert all(c.present for c in every if c.name in "XYZ")
    assert not all(c.present for c in every)
