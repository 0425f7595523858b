"""A picture is laid at few places first, and at many only if that verifies nothing."""

from dataclasses import replace

import numpy as np
import pytest

from geowhy.geo.pose import Poses
from geowhy.geo.sphere import distance_km
from geowhy.heads import orbit as head
from geowhy.orbit.spread import Spread

from ..orbit.earth import photographed
from .twins import EARTH, made


@pytest.fixture
def laid_at(monkeypatch):
    """At how many places a picture was laid, each time."""
    counts, register = list[int](), head.register
    monkeypatch.setattr(
        head, "register", lambda *given: counts.append(len(given[2])) or register(*given)
    )
    return counts


def answer_to(engine, number):
    """What is said of a picture of one of its places."""
    places = engine.model.gallery.places
    lat_lon, width_km = places.lat_lon[number], places.width_km[number]
    picture = photographed(EARTH, Poses([lat_lon], width_km, 100.0))[0]
    estimate = engine.decode([picture])[0].estimate
    found = estimate.pose.lat_lon
    return distance_km([found.lat, found.lon], lat_lon) < 0.05 * width_km, estimate.verified


def order_of(engine):
    """In which order its places are tried: wider ones first."""
    places = engine.model.gallery.places
    return places.distinct(places.log_share, len(places))


def test_what_is_verified_at_once_is_laid_at_few_places(laid_at):
    engine = made(3, 24)
    assert answer_to(engine, order_of(engine)[0]) == (True, True)
    assert laid_at == [3]


def test_what_is_not_is_laid_at_more_and_found(laid_at):
    engine = made(3, 24)
    assert answer_to(engine, order_of(engine)[20]) == (True, True)
    assert laid_at == [3, 22]  # distinct ones


def test_how_far_an_answer_may_lie_has_a_floor_in_km():
    engine = made(24)
    places = engine.model.gallery.places
    picture = photographed(EARTH, Poses(places.lat_lon[:1], places.width_km[:1], 100.0))[0]
    side = engine.sides([picture])
    plain = engine.posterior(side).sigma_km
    settings = engine.head._settings
    engine.head._settings = replace(settings, spread=Spread(2.0, 50.0))
    assert engine.posterior(side).sigma_km == pytest.approx(np.hypot(2.0 * plain, 50.0))
