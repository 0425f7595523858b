"""All metrics of a set of images: what missing ones count as, and what every line says."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.evaluation.metrics.distances import FARTHEST_KM
from geowhy.evaluation.metrics.outcomes import Outcomes
from geowhy.evaluation.metrics.summary import Metrics
from geowhy.geo.sphere import destination, distance_km, uniform_on_sphere


def outcomes(count=60, seed=0):
    """Random ones, some of which abstain, at the poles and the date line too."""
    rng = np.random.default_rng(seed)
    truth = uniform_on_sphere(count, rng)
    truth[:3] = [90.0, 0.0], [-90.0, 33.0], [10.0, 180.0]
    away_km = rng.exponential(900, count)
    return Outcomes(
        truth,
        destination(truth, rng.uniform(0, 360, count), away_km),
        rng.random(count) < 0.2,
        rng.choice([300.0, 500.0, 900.0], count),
        rng.choice([1500.0, 2500.0], count),
        rng.random(count),
        (rng.random(count) < 0.5).astype(float),
        rng.normal(size=count),
    )


def numbers(value):
    """All numbers and words of a report, by their names."""
    if isinstance(value, dict):
        return {
            f"{key}.{inner}": number
            for key, part in value.items()
            for inner, number in numbers(part).items()
        }
    return {"": value}


def same(first, second, abs=1e-9):
    one, other = (numbers(asdict(each)) for each in (first, second))
    words = [{k: v for k, v in each.items() if isinstance(v, str)} for each in (one, other)]
    assert words[0] == words[1]
    one, other = ({k: v for k, v in each.items() if k not in words[0]} for each in (one, other))
    return one == pytest.approx(other, abs=abs, rel=1e-9, nan_ok=True)


@settings(max_examples=6)  # each takes two thirds of a second
@given(st.integers(0, 50))
def test_the_order_of_rows_does_not_matter(seed):
    found = outcomes(seed=seed)
    order = np.random.default_rng(seed).permutation(len(found))
    assert same(Metrics.of(found), Metrics.of(found.rows(order)))


@settings(max_examples=6)
@given(st.integers(0, 20), st.sampled_from([-360.0, 360.0]))
def test_longitudes_wrap(seed, turn):
    found = outcomes(seed=seed)
    east = np.array([0, turn])
    turned = replace(found, truth=found.truth + east, answer=found.answer - east)
    assert same(Metrics.of(found), Metrics.of(turned), abs=1e-6)


def test_a_missing_image_counts_as_wrong_unless_it_is_left_out():
    found = outcomes().rows(slice(4, 54))
    found.answer[:5] = np.nan
    listed = Metrics.of(found)
    error_km = distance_km(found.truth, found.answer)[5:]
    assert (listed.scored, listed.expected) == (45, 50)
    for km, share in listed.distances.recall.items():
        assert share.value == pytest.approx((error_km <= km).sum() / 50, abs=1e-9)
    mean_km = (error_km.sum() + 5 * FARTHEST_KM) / 50
    assert listed.distances.mean_km.value == pytest.approx(mean_km, rel=1e-9)
    left_out = Metrics.of(found, "left-out")
    assert (left_out.scored, left_out.expected) == (45, 50)
    assert left_out.distances.recall[750].value == pytest.approx((error_km <= 750).mean())
    assert left_out.distances.mean_km.value == pytest.approx(error_km.mean(), rel=1e-9)


def test_an_image_that_is_not_even_listed_counts_too():
    found = outcomes(40)
    padded = found.with_missing(10)
    assert len(padded) == 50
    metrics = Metrics.of(padded)
    assert metrics.expected == 50
    share = Metrics.of(found).distances.recall[750].value
    assert metrics.distances.recall[750].value == pytest.approx(share * 40 / 50, abs=1e-9)
    assert metrics.blocks == Metrics.of(found).blocks
    assert metrics.areas.in_country == Metrics.of(found).areas.in_country
    assert same(Metrics.of(padded, "left-out"), replace(Metrics.of(found, "left-out"), expected=50))


def test_radii_and_probabilities_are_of_what_was_answered():
    found = outcomes()
    answered = found.rows(~found.abstained)
    metrics, alone = Metrics.of(found), Metrics.of(answered)
    assert metrics.answered == len(answered) < len(found)
    assert metrics.radii == alone.radii
    assert metrics.certainty == alone.certainty
    assert metrics.answered_recall == alone.distances.recall[750]
    assert metrics.distances.recall != alone.distances.recall
    error_km = distance_km(answered.truth, answered.answer)
    held = (error_km <= answered.radius_50_km).mean()
    assert metrics.radii.coverage_50.value == pytest.approx(held, abs=1e-9)


def test_who_abstains_or_states_no_radius_is_the_least_sure():
    found = outcomes()
    found.radius_50_km[:30] = np.nan
    assert (found.sureness[:30] == -math.inf).all()
    assert Metrics.of(found).radii.stated == (~found.abstained[30:]).sum()
    found = outcomes()
    assert (found.sureness[found.abstained] == -math.inf).all()
    assert found.sureness.max() == -300.0


def test_every_line_says_how_many_of_how_many():
    found = outcomes().with_missing(5)
    for missing, words in {"wrong": "count as wrong", "left-out": "are left out"}.items():
        lines = Metrics.of(found, missing).rows()
        assert len(lines) > 30
        assert all("of 65 expected" in line for line in lines)
        assert all("5 missing" in line for line in lines)
        within = next(line for line in lines if line.startswith("within 750 km "))
        assert within.endswith(f"60 scored of 65 expected, 5 missing {words}")
        radius = next(line for line in lines if line.startswith("radius 50 %"))
        assert f"{(~found.abstained[:60]).sum()} answered of 65 expected" in radius
        assert radius.endswith("5 missing are left out")
    assert "missing" not in "".join(Metrics.of(outcomes()).rows())


def test_what_cannot_be_measured_says_so():
    nothing = outcomes().rows(slice(0, 0)).with_missing(3)
    lines = Metrics.of(nothing).rows()
    assert all(
        "0 scored of 3 expected" in line for line in lines if line.startswith("within 1 km ")
    )
    assert sum("nothing to measure" in line for line in lines) > 10
    assert "nan" not in "".join(lines)


def test_of_many_images_some_are_compared_whatever_their_order(monkeypatch):
    monkeypatch.setattr("geowhy.evaluation.metrics.summary.MOST_SAMPLES", 20)
    found = outcomes()
    found = replace(found, answer=np.roll(found.answer, 7, axis=0))  # far off, so that they vary
    samples = Metrics.of(found).samples
    assert samples.points == 20
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(60)
        assert Metrics.of(found.rows(order)).samples == samples
