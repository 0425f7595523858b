"""Shares of rings and of registration add up to the scores that they are shares of."""

import numpy as np
import pytest

from geowhy.geo.pose import Poses
from geowhy.model.terms import Encoded, total_scores
from geowhy.orbit.terms import (
    NUMBERED_NOWHERE,
    PlaceNumbers,
    RegistrationImages,
    RegistrationTerm,
    RingImages,
    RingPlaces,
    RingTerm,
)

RINGS = RingTerm(("whole picture", "centre", "rim"), (4, 2, 2), scale=10.0)
LAID = RegistrationTerm()


def laid(numbers, log_odds, most=4):
    count = len(numbers)
    poses = Poses(np.zeros((count, 2)), np.full(count, 500.0), np.zeros(count))
    return RegistrationImages.of(
        np.array(numbers), np.array(log_odds, np.float32), np.zeros((count, 2), np.float32), poses,
        np.ones(count),
        np.ones(3, np.float32) / 3, most,
    )  # fmt: skip


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    units = rng.normal(size=(1, 8)).astype(np.float32)
    units /= np.linalg.norm(units)
    return Encoded(
        (RingImages(units, np.ones((1, 3), np.float32)), laid([7, 2, 5], [3.0, -1.0, 0.5]))
    )


@pytest.fixture
def places():
    rng = np.random.default_rng(1)
    units = rng.normal(size=(10, 8)).astype(np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    return Encoded((RingPlaces(units), PlaceNumbers.of(np.arange(10))))


def test_shares_of_rings_add_up_to_their_score(image, places):
    shares, rest = RINGS.contributions(image, places)
    assert shares.shape == (10, 3)
    assert not rest.any()
    assert shares.sum(axis=1) == pytest.approx(RINGS.scores(image, places)[0], abs=1e-4)
    first = 10.0 * places.part(RingPlaces).units[:, :4] @ image.part(RingImages).units[0, :4]
    assert shares[:, 0] == pytest.approx(first, abs=1e-4)


def test_a_ring_that_is_taken_away_counts_nothing(image, places):
    def without_the_centre(shares):
        return shares * np.array([1.0, 0.0, 1.0], np.float32)

    edited = Encoded((RINGS.edited(image, without_the_centre), image.part(RegistrationImages)))
    before, _ = RINGS.contributions(image, places)
    assert RINGS.scores(edited, places)[0] == pytest.approx(before[:, [0, 2]].sum(1), abs=1e-4)


def test_only_places_where_a_picture_was_laid_get_something_of_it(image, places):
    expected = np.zeros(10)
    expected[[7, 2, 5]] = 3.0, -1.0, 0.5
    assert LAID.scores(image, places)[0] == pytest.approx(expected)
    shares, rest = LAID.contributions(image, places)
    assert shares[:, 0] == pytest.approx(expected)
    assert not rest.any()


def test_a_mean_of_places_gets_the_mean_of_what_they_get(image, places):
    mixed = places.mean(np.array([7, 2, 0]), np.array([0.5, 0.25, 0.25], np.float32))
    assert LAID.scores(image, mixed)[0, 0] == pytest.approx(0.5 * 3.0 - 0.25)
    again = Encoded.joined([mixed]).mean(np.array([0]), np.ones(1, np.float32))
    assert LAID.scores(image, again)[0, 0] == pytest.approx(0.5 * 3.0 - 0.25)


def test_of_the_average_place_nothing_is_known(image, places):
    average = places.average()
    assert average.part(PlaceNumbers).numbers.tolist() == [[NUMBERED_NOWHERE]]
    assert LAID.scores(image, average)[0, 0] == 0.0
    assert average.part(RingPlaces).units.shape == (1, 8)


def test_padding_is_no_place(image, places):
    seen = image.part(RegistrationImages)
    assert seen.numbers.tolist() == [[7, 2, 5, NUMBERED_NOWHERE]]
    assert len(seen.poses(0)) == 4


def test_half_of_what_laying_told_is_half_of_the_score(image, places):
    halved = LAID.edited(image, lambda shares: shares * np.array([[1.0], [0.5]], np.float32))
    both = Encoded((image.part(RingImages).rows(np.array([0, 0])), halved))
    scores = LAID.scores(both, places)
    assert scores[1] == pytest.approx(scores[0] / 2)
    assert len(both) == 2


def test_terms_add_up(image, places):
    total = total_scores((RINGS, LAID), image, places)
    assert total == pytest.approx(RINGS.scores(image, places) + LAID.scores(image, places))
