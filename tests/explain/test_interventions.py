"""A changed picture is answered by the model, and names are found or explained."""

import numpy as np
import pytest

from geowhy.errors import ConfigError
from geowhy.explain.explainer import changed, parse_changes
from geowhy.model.attribution import LinearAttribution
from geowhy.model.concept_terms import ConceptImages, ConceptPlaces, ConceptTerm
from geowhy.model.terms import Encoded
from geowhy.orbit.terms import RingImages, RingPlaces, RingTerm

NAMES = ("warm", "polar desert", "desert coast", "high country", "coast", "whole picture", "rim")
CATEGORIES = ("climate", "climate", "water", "landform", "water", "appearance", "appearance")


@pytest.fixture
def evidence(make_bank):
    rng = np.random.default_rng(0)
    bank = make_bank(rng.normal(size=(6, 5)))
    concepts = ConceptTerm(NAMES[:5], CATEGORIES[:5], bank.directions, float(np.e))
    return LinearAttribution([concepts, RingTerm(NAMES[5:], (3, 1), 4.0)], 1.4)


@pytest.fixture
def image():
    rng = np.random.default_rng(1)
    concepts, units = (rng.normal(size=(1, n)).astype(np.float32) for n in (5, 4))
    return Encoded((ConceptImages.of(concepts), RingImages(units, np.ones((1, 2), np.float32))))


@pytest.fixture
def places():
    rng = np.random.default_rng(2)
    scaled, units = (rng.normal(size=(9, n)).astype(np.float32) for n in (6, 4))
    return Encoded((ConceptPlaces(scaled, np.ones((9, 1), np.float32)), RingPlaces(units)))


def logits(evidence, image, places):
    return evidence.scores(image, places)


def test_what_is_taken_away_takes_just_its_shares(evidence, image, places):
    shares, _ = evidence.shares(image, places)
    for column, name in enumerate(NAMES):
        after = changed(evidence, image, parse_changes(f"-{name}", evidence))
        lost = logits(evidence, image, places) - logits(evidence, after, places)
        assert lost[0] == pytest.approx(shares[:, column], abs=1e-4), name


def test_weights_multiply_shares(evidence, image, places):
    shares, _ = evidence.shares(image, places)
    weights = np.random.default_rng(3).uniform(0, 2, (4, 7)).astype(np.float32)
    found = logits(
        evidence,
        evidence.edited(image, lambda columns, values: values * weights[:, columns]),
        places,
    )
    assert found == pytest.approx(weights @ shares.T, abs=1e-4)


def test_a_concept_is_strengthened_to_the_strongest_and_a_category_doubled(evidence, image):
    def shown(change):
        after = changed(evidence, image, parse_changes(change, evidence))
        return after.part(ConceptImages).concepts[0]

    before = image.part(ConceptImages).concepts[0]
    assert shown("+high country")[3] == before.max()
    assert np.delete(shown("+high country"), 3) == pytest.approx(np.delete(before, 3))
    assert shown("+climate")[:2] == pytest.approx(2 * before[:2])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-warm", [("warm", [0], False)]),
        ("−WARM +high_country", [("warm", [0], False), ("high country", [3], True)]),
        ("-desert, +coast", [("desert", [1, 2], False), ("coast", [4], True)]),
        ("  +water -whole picture", [("water", [2, 4], True), ("whole picture", [5], False)]),
    ],
)
def test_changes_are_read(evidence, text, expected):
    found = parse_changes(text, evidence)
    assert [
        (c.asked.name, c.columns.tolist(), c.asked.kind != "without") for c in found
    ] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "give changes such as"),
        ("warm", "put \\+ or - before"),
        ("-", "put \\+ or - before"),
        ("-wram", "did you mean warm"),
        ("-xyzzy", "geowhy concepts list"),
    ],
)
def test_what_is_no_change_is_explained(evidence, text, message):
    with pytest.raises(ConfigError, match=message):
        parse_changes(text, evidence)
