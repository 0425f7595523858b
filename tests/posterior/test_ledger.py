"""A posterior is the sum of its terms; half of the evidence leaves what was known beforehand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geowhy.posterior.ledger import Posterior, Term, summed

PLACES = 6
nats = arrays(np.float32, PLACES, elements=st.floats(-30, 30, width=32))


def posterior_of(*terms):
    rows = np.arange(PLACES)
    log_prob, lat_lon = summed(terms), np.zeros((PLACES, 2))
    return Posterior(rows, lat_lon, rows, log_prob, terms, np.exp(log_prob).astype(np.float64))


@given(nats, nats)
def test_the_ledger_adds_up_to_the_posterior_up_to_one_constant(image, prior):
    posterior = posterior_of(Term("image", image), Term("region", prior, is_prior=True))
    total = sum(term.log_likelihood for term in posterior.ledger)
    constants = posterior.log_prob - total
    assert constants == pytest.approx(np.full(PLACES, constants[0]), abs=1e-4)
    assert posterior.probability.sum() == pytest.approx(1, abs=1e-5)


@given(nats, nats)
def test_half_of_the_evidence_halves_what_the_image_says_and_nothing_else(image, prior):
    posterior = posterior_of(Term("image", image), Term("region", prior, is_prior=True))
    expected = np.exp(summed((Term("image", image / 2), Term("region", prior))))
    half = posterior.with_half_of_the_evidence()
    assert half / half.sum() == pytest.approx(expected, abs=1e-5)


def test_a_place_that_is_ruled_out_stays_so():
    never = np.array([0, -np.inf, 0, 0, 0, 0], np.float32)
    posterior = posterior_of(Term("image", np.ones(PLACES, np.float32)), Term("r", never, True))
    assert posterior.probability[1] == posterior.with_half_of_the_evidence()[1] == 0
