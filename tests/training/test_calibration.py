"""Calibration chooses what brings answers near, and radii that cover what they promise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.geo.cells import CellGrid
from geowhy.geo.sphere import distance_km, lat_lon_to_unit
from geowhy.heads.gallery import CELL_RESOLUTION, Gallery
from geowhy.model.concept_terms import ConceptImages, ConceptPlaces, ConceptTerm
from geowhy.model.terms import Encoded
from geowhy.training.calibration import Asked, _conformal_factor, calibrate
from geowhy.training.config import CalibrationConfig

CONFIG = CalibrationConfig()
ONE_OF_EACH = CalibrationConfig(temperatures=(2.0,), smoothings_km=(600.0,), surenesses=(0.5,))
NOISE = 0.05


def scattered(count, rng):
    """Points uniform on the sphere."""
    lat = np.rad2deg(np.arcsin(rng.uniform(-1, 1, count)))
    return np.stack([lat, rng.uniform(-180, 180, count)], axis=1)


@pytest.fixture(scope="module")
def earth(make_bank):
    """Images that are asked for; concepts are unit vectors, seen with noise."""
    rng, bank = np.random.default_rng(0), make_bank(np.eye(3))
    points, truth = scattered(3000, rng), scattered(400, rng)
    units = lat_lon_to_unit(points).astype(np.float32)
    side = Encoded((ConceptPlaces(units, np.ones((len(points), 1), np.float32)),))
    gallery = Gallery.of(points, CellGrid.build(points, CELL_RESOLUTION), side)
    term = ConceptTerm(bank.names, bank.categories, bank.directions, 200.0)
    return Asked((term,), gallery, seeing(truth, NOISE, rng), truth)


def seeing(truth, noise, rng):
    """Images by the unit vectors of their places ``[N, 2]``, off by some noise."""
    seen = lat_lon_to_unit(truth) + noise * rng.normal(size=(len(truth), 3))
    concepts = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    return Encoded((ConceptImages.of(concepts.astype(np.float32)),))


def test_radii_hold_what_they_promise_on_other_images(earth):
    fitted, other = (
        replace(earth, images=earth.images.rows(half), truth=earth.truth[half])
        for half in (slice(0, 200), slice(200, 400))
    )
    found = calibrate(fitted, np.linspace(0, 1, 200, dtype=np.float32), CONFIG)
    answers = other.answers(found.temperature, found.smoothing_km)
    errors = distance_km(np.array([p.lat_lon for p in answers]), other.truth)
    radii = np.array([found.radii_km(p) for p in answers])
    assert (errors <= radii[:, 0]).mean() == pytest.approx(0.5, abs=0.12)
    assert (errors <= radii[:, 1]).mean() == pytest.approx(0.9, abs=0.08)


@pytest.mark.parametrize(
    ("field", "value"),
    [("least_radius_km", 700.0), ("abstain_above_km", 900.0), ("region_mass", 0.6)],
)
def test_what_is_chosen_for_a_run_is_kept_and_what_was_fitted_still_holds(field, value, earth):
    config = ONE_OF_EACH.model_copy(update={field: value})
    found = calibrate(earth, np.zeros(400, np.float32), config)
    assert getattr(found, field) == value
    answers = earth.answers(found.temperature, found.smoothing_km, found.sureness)
    errors = distance_km(np.array([answer.lat_lon for answer in answers]), earth.truth)
    within = errors <= np.array([found.radii_km(answer)[0] for answer in answers]) * (1 + 1e-9)
    assert within.sum() == 201  # of 400 images: the rank of half of 401


def test_more_false_alarms_are_had_for_a_lower_threshold(earth):
    config = ONE_OF_EACH.model_copy(update={"false_alarm_rate": 0.25})
    novelty = np.linspace(0, 1, 400, dtype=np.float32)
    found = calibrate(earth, novelty, config)
    assert (found.temperature, found.smoothing_km, found.sureness) == (2.0, 600.0, 0.5)
    assert (novelty > found.novelty_threshold).mean() == pytest.approx(0.25)


def test_a_sharper_posterior_gets_smaller_radii(earth):
    found = calibrate(earth, np.zeros(400, np.float32), CONFIG)
    few = earth.some(20)
    sharp, broad = (
        np.array([found.radii_km(p) for p in few.answers(temperature, found.smoothing_km)])
        for temperature in (found.temperature, 9 * found.temperature)
    )
    assert (sharp[:, 0] < 0.8 * broad[:, 0]).all()
    assert (sharp[:, 1] < broad[:, 1]).all()


def test_sureness_makes_the_stated_probability_of_an_answer_true(earth):
    blurred = seeing(earth.truth, 4 * NOISE, np.random.default_rng(1))
    half_off = replace(earth, images=blurred)
    found = calibrate(half_off, np.zeros(400, np.float32), CONFIG)
    assert found.sureness < 1
    fitted = found.temperature, found.smoothing_km
    stated, unchanged = (
        [a.modes[0].probability for a in half_off.answers(*fitted, sureness)]
        for sureness in (found.sureness, 1.0)
    )
    assert np.mean(stated) < np.mean(unchanged)


def covered_rank(count, mass, seed):
    """The rank of the ratio, of ``count`` exchangeable ones, up to which a fitted radius reaches.

    A new image is covered with the probability rank / (count + 1), exactly.
    """
    errors_km = np.random.default_rng(seed).exponential(500, count)
    stated = [_Stated()] * count
    factor = _conformal_factor(errors_km, stated, mass, 30.0)
    return int((errors_km <= factor * 130 * (1 + 1e-12)).sum())


class _Stated:
    half_km = 100.0

    def radius_km(self, mass):
        return 100.0


@given(st.integers(10, 400), st.sampled_from([0.5, 0.9]), st.integers(0, 1000))
def test_fitted_radii_cover_as_often_as_they_promise_on_exchangeable_images(count, mass, seed):
    covered = covered_rank(count, mass, seed) / (count + 1)
    assert mass <= covered <= mass + 2 / (count + 1) + 1e-9


@pytest.mark.parametrize("mass", [0.5, 0.9])
@pytest.mark.parametrize("count", [19, 39, 50, 200])
def test_no_rank_is_taken_that_the_promise_does_not_need(count, mass):
    needed = int(np.ceil((count + 1) * mass - 1e-9))
    assert covered_rank(count, mass, 0) == needed
