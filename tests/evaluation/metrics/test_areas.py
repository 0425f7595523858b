"""Countries and regions, and means that give each country one vote."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.evaluation.estimates import block_draws
from geowhy.evaluation.metrics.areas import AreaMetrics, Areas, macro_mean, same_area

PARIS, LYON, BERLIN = (48.86, 2.35), (45.76, 4.84), (52.52, 13.40)
HASSELT, ROERMOND = (50.93, 5.34), (51.19, 5.99)  # both in a Limburg, of Belgium and of the Dutch
OCEAN, NOWHERE = (-40.0, -120.0), (math.nan, math.nan)


def points(*places):
    return np.array(places, float).reshape(-1, 2)


def test_countries_and_regions_are_those_of_the_atlas():
    found = Areas.of(points(PARIS, NOWHERE, BERLIN, OCEAN, HASSELT, ROERMOND))
    assert found.country == ("FR", "", "DE", "", "BE", "NL")
    assert (found.region[1], found.region[3]) == ("", "")
    assert found.region[2] == "Berlin, DE"
    assert all("Limburg" in name for name in found.region[4:])
    assert found.region[4] != found.region[5]


def test_a_truth_without_a_name_counts_for_nothing():
    same = same_area(("FR", "FR", "", "DE"), ("FR", "", "FR", "FR"))
    np.testing.assert_array_equal(same, [1, 0, np.nan, 0])


def test_shares_are_of_truths_that_lie_in_a_country():
    truth = points(PARIS, PARIS, LYON, BERLIN, OCEAN, NOWHERE)
    answer = points(LYON, OCEAN, LYON, NOWHERE, PARIS, PARIS)
    error_km = np.array([390.0, 9_000, 0, 20_000, 9_000, 20_000])
    found = AreaMetrics.of(truth, answer, error_km, np.arange(6))
    assert (found.in_country, found.in_region, found.countries) == (4, 4, 2)
    assert found.country.value == pytest.approx(2 / 4)
    assert found.region.value == pytest.approx(1 / 4)
    assert found.macro_country.value == pytest.approx((2 / 3 + 0) / 2)
    assert found.macro_recall[750].value == pytest.approx((2 / 3 + 0) / 2)
    assert found.macro_recall[200].value == pytest.approx((1 / 3 + 0) / 2)


rows = st.lists(
    st.tuples(st.floats(0, 1) | st.just(math.nan), st.sampled_from(["", "a", "b", "c"])),
    min_size=1,
    max_size=30,
)


@given(rows, st.randoms())
def test_a_macro_mean_is_a_mean_of_means(given_rows, shuffle):
    blocks = list(range(len(given_rows)))
    found = macro_mean(*columns(given_rows), np.array(blocks))
    groups = {name for value, name in given_rows if name and not math.isnan(value)}
    means = [
        np.mean([v for v, name in given_rows if name == group and not math.isnan(v)])
        for group in groups
    ]
    if not means:
        assert math.isnan(found.value)
        return
    assert found.value == pytest.approx(math.fsum(means) / len(means), abs=1e-9)
    order = blocks[:]
    shuffle.shuffle(order)
    again = macro_mean(*columns([given_rows[row] for row in order]), np.array(order))
    assert (again.value, again.low, again.high) == pytest.approx(
        (found.value, found.low, found.high), abs=1e-9
    )


def columns(given_rows):
    values, names = zip(*given_rows, strict=True)
    return np.array(values, float), names


def test_its_interval_is_of_whole_blocks_drawn_again():
    rng = np.random.default_rng(0)
    values, blocks = rng.random(200), rng.integers(12, size=200)
    names = tuple("abcd"[number] for number in rng.integers(4, size=200))
    found = macro_mean(values, names, blocks)
    draws, block = block_draws(blocks, 1000)
    resampled = []
    for draw in draws:
        rows = np.concatenate([np.flatnonzero(block == number) for number in draw])
        of_name = [[values[row] for row in rows if names[row] == name] for name in "abcd"]
        resampled.append(np.mean([np.mean(own) for own in of_name if own]))
    assert (found.low, found.high) == pytest.approx(np.percentile(resampled, [2.5, 97.5]))
