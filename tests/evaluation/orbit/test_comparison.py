"""Variations that were asked the same queries: their differences, and the file that keeps them."""

import numpy as np
import pytest

from geowhy.errors import DataError
from geowhy.evaluation.orbit.comparison import Comparison, Outcome, OutcomeFile

HALF = Outcome("half", "queries", {"plain": (True, False) * 20}, 1.0)
BLOCKS = {"plain": np.arange(40) // 2}


def never():
    raise AssertionError("measured what was known")


def test_a_difference_is_taken_query_by_query():
    table = Comparison(HALF, BLOCKS, "minutes")
    assert table.header().split() == ["plain", "minutes"]
    assert table.row(HALF).split() == ["half", "50.0", "[50.0,", "50.0]", "1.0"]
    same = Outcome("same", "queries", HALF.right, 2.0)
    assert table.row(same).split() == ["same", "50.0", "+0.0", "[+0.0,", "+0.0]", "2.0"]
    worse = Outcome("worse", "queries", {"plain": (False,) * 40}, 1_500.0)
    assert table.row(worse).split() == ["worse", "0.0", "-50.0", "[-50.0,", "-50.0]", "1,500.0"]


def test_an_interval_is_of_the_difference_and_over_blocks():
    few = Outcome("few", "queries", {"plain": (True, False) * 19 + (False, False)}, 1.0)
    _, share, difference, low, high, _ = Comparison(HALF, BLOCKS, "s").row(few).split()
    assert (share, difference) == ("47.5", "-2.5")
    assert float(low[1:-1]) == pytest.approx(-7.5, abs=0.1)  # three draws of one block of twenty
    assert high == "+0.0]"


def test_what_is_known_is_not_measured_again(tmp_path):
    file = OutcomeFile(tmp_path / "new" / "outcomes.jsonl")
    assert file.of("half", "queries", lambda: HALF) == HALF
    others = Outcome("half", "other queries", {"plain": (True,)}, 2.0)
    assert file.of("half", "other queries", lambda: others) == others
    again = OutcomeFile(file.path)
    assert again.of("half", "queries", never) == HALF
    assert again.of("half", "other queries", never) == others
    assert len(file.path.read_text().splitlines()) == 2


def test_without_a_file_all_is_measured():
    assert OutcomeFile(None).of("half", "queries", lambda: HALF) == HALF
    with pytest.raises(AssertionError):
        OutcomeFile(None).of("half", "queries", never)


@pytest.mark.parametrize("text", ['{"name": "half"}\n', "nonsense\n", "[]\n", '{"name": "h", '])
def test_a_damaged_file_is_an_error(tmp_path, text):
    path = tmp_path / "outcomes.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=r"outcomes\.jsonl: isn't a file of outcomes"):
        OutcomeFile(path).of("half", "queries", never)
    path.write_text('{"name": "h", "about": "q", "right": {"plain": 1}, "spent": 1}\n')
    with pytest.raises(DataError, match="isn't a file of outcomes"):
        OutcomeFile(path).of("half", "queries", never)
