"""Posteriors: probabilities stay probabilities, and the answer is where it should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.geo.cells import CellGrid
from geowhy.geo.sphere import destination, distance_km, lat_lon_to_unit, uniform_on_sphere
from geowhy.posterior.density import Decoder, geometric_median, shares, softmax

GALLERY = uniform_on_land(Atlas.load(), 20_000, np.random.default_rng(0))
DECODER = Decoder(GALLERY, CellGrid.build(GALLERY, 2), 450.0)


def decode(places, top_k, decoder=DECODER):
    places = places.astype(np.float32)
    return decoder.decode(places, top_k)


def bump(centre, width_km, mass=1.0):
    weights = np.exp(-((distance_km(np.array(centre), GALLERY) / width_km) ** 2) / 2)
    return mass * weights / weights.sum()


@given(st.integers(0, 19_999))
@settings(max_examples=40, deadline=None)
def test_the_radius_around_the_answer_holds_the_centre_of_a_single_bump(point):
    # On a coast the answer moves inland, where the gallery is; a bump on an island may even have
    # most of its mass across a strait. Held for each of the 20,000 points.
    posterior = decode(bump(GALLERY[point], 450), top_k=3)
    off_km = distance_km(np.array(posterior.lat_lon), GALLERY[point])
    assert off_km < posterior.radius_km(0.9) < 2_500
    assert posterior.radius_km(0.5) <= posterior.radius_km(0.9)
    assert posterior.density.probability.sum() == pytest.approx(1)


def test_single_bumps_are_found_where_they_are():
    points = range(0, 20_000, 100)
    answers = [decode(bump(GALLERY[point], 450), top_k=1).lat_lon for point in points]
    off_km = distance_km(np.array(answers), GALLERY[::100])
    assert np.median(off_km) < 100
    assert np.quantile(off_km, 0.95) < 450


def test_the_heavier_of_two_places_is_the_answer_not_the_middle_between_them():
    places = bump((52, 30), 500, 0.6) + bump((-26, 135), 500, 0.4)
    posterior = decode(places, top_k=2)
    assert distance_km(np.array(posterior.modes[0].lat_lon), np.array([52, 30])) < 200
    assert distance_km(np.array(posterior.modes[1].lat_lon), np.array([-26, 135])) < 200
    assert posterior.modes[0].probability == pytest.approx(0.6, abs=0.08)
    assert posterior.modes[1].probability == pytest.approx(0.4, abs=0.08)


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_the_median_beats_every_point_around_it(seed):
    rng = np.random.default_rng(seed)
    centre = uniform_on_sphere(1, rng)[0]
    points = destination(centre, rng.uniform(0, 360, 60), rng.gamma(2.0, 300.0, 60))
    weights = rng.exponential(size=60)
    median = geometric_median(lat_lon_to_unit(points), weights)

    def cost(where):
        return float(weights @ distance_km(where, points)) / weights.sum()

    around = destination(median, np.arange(0, 360, 30), 100.0)
    assert cost(median) <= min(cost(other) for other in around) + 0.5


def test_the_median_resists_a_far_outlier_that_would_move_a_mean():
    points = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 60.0]])
    median = geometric_median(lat_lon_to_unit(points), np.ones(4))
    assert distance_km(median, np.array([0.0, 0.5])) < 200


def test_softmax_rows_add_up_and_a_high_temperature_flattens():
    logits = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32) * 10
    sharp, flat = softmax(logits, 1.0), softmax(logits, 10.0)
    assert sharp.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert (flat.max(axis=1) < sharp.max(axis=1)).all()
    assert (flat.argmax(axis=1) == sharp.argmax(axis=1)).all()


def test_less_sureness_gives_lighter_hills_more_and_moves_no_answer():
    places = (bump((52, 30), 500, 0.9) + bump((-26, 135), 500, 0.1)).astype(np.float32)
    unsure = decode(places, 2, Decoder(GALLERY, DECODER.grid, 450.0, sureness=0.5))
    sure = decode(places, top_k=2)
    assert unsure.lat_lon == sure.lat_lon
    assert unsure.modes[0].probability < sure.modes[0].probability - 0.05
    assert unsure.density.probability.sum() == pytest.approx(1)
    assert unsure.radius_km(0.9) > sure.radius_km(0.9)


def test_a_mode_without_probability_of_its_own_is_shared_out_evenly():
    rows, weights = shares(np.array([0.0, 0.0, 1.0]), np.array([0, 1]))
    assert (rows.tolist(), weights.tolist()) == ([0, 1], [0.5, 0.5])


def test_shares_of_a_mode_add_up_and_leave_out_what_weighs_nothing():
    rows, weights = shares(np.array([0.3, 1e-9, 0.6, 0.1]), np.array([0, 1, 3]))
    assert rows.tolist() == [0, 3]
    assert weights == pytest.approx([0.75, 0.25])


def test_smoothing_does_not_hide_how_sharply_a_place_was_recognised():
    sharp = decode(bump((52, 30), 200), top_k=1)
    # Half of a Gaussian on a plane lies within 1.18 of its deviation; points are 85 km apart.
    assert sharp.half_km == pytest.approx(1.18 * 200, abs=60)
    assert sharp.radius_km(0.5) > 400


def test_the_inner_radius_counts_points_by_the_mass_of_their_hill():
    places = (bump((52, 30), 200, 0.55) + bump((-26, 135), 200, 0.45)).astype(np.float32)
    sure = decode(places, 1, Decoder(GALLERY, DECODER.grid, 450.0, sureness=1.0))
    surer = decode(places, 1, Decoder(GALLERY, DECODER.grid, 450.0, sureness=3.0))
    assert surer.half_km < sure.half_km - 50


def test_a_region_is_the_fewest_cells_that_hold_nine_tenths_of_the_strongest_mode():
    posterior = decode(bump((52, 30), 700, 0.7) + bump((-26, 135), 500, 0.3), top_k=2)
    density = posterior.density.probability
    own, inside = density[posterior.basin == 0], density[posterior.region]
    assert (posterior.basin[posterior.region] == 0).all()
    assert inside.sum() >= 0.9 * own.sum()
    assert inside.sum() - inside.min() < 0.9 * own.sum()
    assert len(inside) < len(own)
    assert inside.min() >= np.sort(own)[::-1][len(inside)]


def test_a_region_that_shall_hold_less_is_smaller():
    places = bump((52, 30), 500)
    half = Decoder(GALLERY, DECODER.grid, 450.0, region_mass=0.5)
    wide, narrow = decode(places, 1), decode(places, 1, half)
    assert narrow.density.probability[narrow.region].sum() == pytest.approx(0.5, abs=0.1)
    assert narrow.region.sum() < wide.region.sum()
