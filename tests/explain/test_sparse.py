"""Sparse forms are small, true to what they claim, and never negative."""

import numpy as np
import pytest

from geowhy.errors import ConfigError
from geowhy.explain.explainer import sparse_form
from geowhy.explanation import ConceptScore, Explanation

NAMES = tuple("abcdefgh")
EVEN = np.full(60, 1 / 60)


class Shares:
    """Evidence of given shares."""

    names = NAMES

    def __init__(self, shares, rest=None):
        self._shares = shares, np.zeros(len(shares)) if rest is None else rest

    def shares(self, image, places):
        return self._shares[0].copy(), self._shares[1].copy()


EXPLANATION = Explanation(8.0, tuple(ConceptScore(name, 1.0, True) for name in NAMES), 0.0)


@pytest.fixture
def shares():
    return np.random.default_rng(0).normal(size=(60, 8))


def form(evidence, share, importance=EVEN):
    return sparse_form(evidence, None, None, importance, EXPLANATION, share)


def test_all_of_the_score_takes_all_concepts_at_their_own_weight(shares):
    found = form(Shares(shares), 1.0)
    assert {c.name for c in found.concepts} == set(NAMES)
    assert [c.contribution for c in found.concepts] == pytest.approx([1.0] * 8, rel=1e-4)
    assert found.cosine == pytest.approx(1.0)
    assert found.score == pytest.approx(8.0, rel=1e-4)


def test_one_strong_concept_is_enough_for_most_of_the_score(shares):
    shares[:, 3] *= 20
    found = form(Shares(shares), 0.9)
    assert [c.name for c in found.concepts] == ["d"]
    assert 0.9 <= found.reproduced < 1
    assert found.cosine**2 == pytest.approx(found.reproduced, rel=1e-6)


def test_concepts_that_say_the_same_are_said_once(shares):
    shares[:, 2:] = 0
    shares[:, 1] = shares[:, 0]
    found = form(Shares(shares), 0.999)
    assert len(found.concepts) == 1
    assert found.score == pytest.approx(2.0, rel=1e-4)


def test_no_concept_counts_more_than_twice(shares):
    shares[:, 1:] = 0.3 * shares[:, :1] + 1e-3 * shares[:, 1:]
    found = form(Shares(shares), 0.99)
    assert max(c.contribution for c in found.concepts) <= 2
    assert found.reproduced >= 0.99


def test_more_is_reproduced_by_more_concepts(shares):
    counts = [len(form(Shares(shares), share).concepts) for share in (0.3, 0.6, 0.9, 0.99)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_what_is_unexplained_is_not_reproduced(shares):
    rest = 10 * np.random.default_rng(1).normal(size=60)
    found = form(Shares(shares, rest), 0.99)
    assert found.reproduced < 0.5


def test_places_count_by_their_importance(shares):
    shares[:, 3] *= 20
    shares[30:, 3] = 0
    importance = np.where(np.arange(60) < 30, 0.0, 1 / 30)
    assert "d" in {c.name for c in form(Shares(shares), 0.9).concepts}
    assert "d" not in {c.name for c in form(Shares(shares), 0.9, importance).concepts}


@pytest.mark.parametrize("share", [0.0, -1.0, 1.1])
def test_a_share_is_above_0_and_up_to_1(shares, share):
    with pytest.raises(ConfigError, match="above 0"):
        form(Shares(shares), share)
