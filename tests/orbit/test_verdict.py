"""Log-odds of a laid picture, with an outside option."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.errors import ModelFormatError
from geowhy.orbit.verdict import Verdict, outside_option

nats = st.floats(-50, 50)


@given(st.lists(nats, max_size=6), nats)
def test_all_probabilities_add_up_to_one(log_odds, elsewhere):
    shares, none = outside_option(np.array(log_odds, np.float64), elsewhere)
    assert shares.sum() + none == pytest.approx(1.0)
    assert (shares >= 0).all()
    assert 0 <= none <= 1


def test_odds_are_those_of_the_nats():
    shares, none = outside_option(np.array([2.0, 0.0]), 1.0)
    assert np.log(shares[0] / none) == pytest.approx(1.0)
    assert np.log(shares[0] / shares[1]) == pytest.approx(2.0)


def test_a_verdict_is_what_was_saved():
    verdict = Verdict(*(np.array(a, np.float32) for a in ([1, 2], [2, 4], [3, -1], [5])))
    assert verdict.log_odds(np.array([[3, 6]], np.float32)) == pytest.approx([3.0 - 1.0])
    again = Verdict.from_tensors(verdict.to_tensors())
    assert again.log_odds(np.eye(2, dtype=np.float32)) == pytest.approx(
        verdict.log_odds(np.eye(2, dtype=np.float32))
    )
    with pytest.raises(ModelFormatError, match="lacks the tensor spread"):
        Verdict.from_tensors({"centre": np.zeros(2, np.float32)})
