"""The map matcher: patterns, and scores that are log-odds of Gaussians."""

import numpy as np
import pytest
from scipy.fft import dctn
from scipy.stats import multivariate_normal

from geowhy.errors import ModelFormatError
from geowhy.model.maps import LEVEL_WEIGHT, MAP_TITLES, MapMatcher, _covariances, patterns
from geowhy.model.surroundings import MAP_GRID, MAP_NAMES

FREQUENCIES, MAPS = MAP_GRID**2, len(MAP_TITLES)


def fitted(noise, seed=0):
    """A matcher for readings that are off by ``noise``, and what it was fitted on."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(MAPS, MAPS))
    land = (rng.normal(size=(3000, FREQUENCIES, MAPS)) @ mixing + 0.5).astype(np.float32)
    errors = (noise * rng.normal(size=(2000, FREQUENCIES, MAPS))).astype(np.float32)
    return MapMatcher.fit(errors, land), errors, land


def maps_of(coefficients):
    """Maps with these patterns, ``[N, F, m]``; the maps that aren't compared are 0."""
    chosen = [MAP_NAMES.index(name) for name in MAP_TITLES]
    maps = np.zeros((len(coefficients), len(MAP_NAMES), MAP_GRID, MAP_GRID), np.float32)
    grids = coefficients.transpose(0, 2, 1).reshape(-1, MAPS, MAP_GRID, MAP_GRID)
    maps[:, chosen] = dctn(grids, type=3, axes=(2, 3), norm="ortho")  # the inverse of type 2
    return maps


def scores(matcher, read, places):
    seen = matcher.images(maps_of(read))
    known = matcher.places(matcher.coordinates(maps_of(places)))
    return seen.pulls @ known.coordinates.T - known.norms.sum(axis=1)


def test_patterns_are_the_cosine_transform():
    maps = np.random.default_rng(5).normal(size=(2, len(MAP_NAMES), MAP_GRID, MAP_GRID))
    chosen = maps[:, [MAP_NAMES.index(name) for name in MAP_TITLES]]
    expected = dctn(chosen, axes=(2, 3), norm="ortho").reshape(2, MAPS, -1).transpose(0, 2, 1)
    assert patterns(maps.astype(np.float32)) == pytest.approx(expected, abs=1e-5)


def test_a_score_is_the_log_odds_of_the_reading_against_the_land_at_large():
    matcher, errors, land = fitted(noise=0.2)
    assert len(matcher.tensors["attribution"]) == FREQUENCIES * MAPS
    error, spread = _covariances(errors), _covariances(land - land.mean(axis=0))
    read, places = land[:1], land[1:5]
    expected = np.zeros(4)
    for number in range(FREQUENCIES):
        near = multivariate_normal(read[0, number], error[number])
        anywhere = multivariate_normal(land.mean(axis=0)[number], spread[number])
        odds = near.logpdf(places[:, number]) - anywhere.logpdf(places[:, number])
        expected += odds * (LEVEL_WEIGHT if number == 0 else 1.0)
    found = scores(matcher, read, places)[0]
    assert found - found[0] == pytest.approx(expected - expected[0], rel=1e-3)


def test_what_is_read_badly_says_nothing():
    matcher, _, land = fitted(noise=50.0)
    assert len(matcher.tensors["attribution"]) == 0
    assert not scores(matcher, land[:2], land[2:5]).any()


def test_the_place_that_was_read_wins():
    matcher, errors, land = fitted(noise=0.5)
    read = land[:100] + errors[:100]
    assert (scores(matcher, read, land[:400]).argmax(axis=1) == np.arange(100)).all()


def test_what_a_map_is_of_a_direction_adds_up():
    matcher, _, land = fitted(noise=0.5)
    assert matcher.tensors["attribution"].sum(axis=1) == pytest.approx(1, abs=1e-5)
    p = matcher.coordinates(maps_of(land[:20]))
    assert matcher.places(p).norms.shape == (20, MAPS)


def test_coordinates_are_in_deviations_of_the_error():
    matcher, errors, land = fitted(noise=0.5)
    p = matcher.coordinates(maps_of(land))
    assert p.mean(axis=0) == pytest.approx(0, abs=5e-3)
    assert p.var(axis=0) == pytest.approx(matcher.tensors["variance"], rel=0.01)
    off = matcher.coordinates(maps_of(land[:2000] + errors)) - p[:2000]
    assert off.std(axis=0) == pytest.approx(1, abs=0.05)


def test_a_weight_replaces_another():
    matcher, _, _ = fitted(noise=0.5)
    assert matcher.weight == 1.0
    assert matcher.weighing(0.4).weight == pytest.approx(0.4)


def test_a_missing_tensor_is_named():
    matcher, _, _ = fitted(noise=0.5)
    tensors = dict(matcher.tensors)
    del tensors["variance"]
    with pytest.raises(ModelFormatError, match="variance"):
        MapMatcher(tensors)
