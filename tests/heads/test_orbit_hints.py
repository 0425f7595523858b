"""Hints and regions decide between places that look the same, and are part of what is said.

On this Earth one patch is there twice: as it is, and elsewhere turned by a quarter and twice as
large. A picture of it fits both.
"""

import numpy as np
import pytest
from PIL import Image

from geowhy.errors import ConfigError, DataError
from geowhy.geo.pose import Poses
from geowhy.geo.regions import Region
from geowhy.hints import HeadingRange, Hints, WidthRange
from geowhy.locator import Locator
from geowhy.orbit.terms import NUMBERED_NOWHERE, RegistrationImages

from ..orbit.earth import photographed
from .twins import EARTH, LARGE, SMALL, TWINS, WIDTH_KM, made


@pytest.fixture(scope="module")
def engine():
    return made()


@pytest.fixture(scope="module")
def picture():
    return photographed(EARTH, Poses([SMALL], WIDTH_KM, 20.0))[0]


def found(engine, picture):
    return engine.decode([picture])[0].estimate


def share_of(engine, picture, where):
    """The probability of the places near one point."""
    posterior = engine.posterior(engine.sides([picture]))
    near = np.abs(posterior.lat_lon - where).max(axis=1) < 3
    return posterior.probability[near].sum()


def lies(estimate, where, width_km, heading_deg):
    pose = estimate.pose
    turn = (pose.heading_deg - heading_deg + 180) % 360 - 180
    at = pytest.approx(where, abs=0.5) == (pose.lat_lon.lat, pose.lat_lon.lon)
    return at and abs(turn) < 3 and pose.width_km == pytest.approx(width_km, rel=0.03)


def test_without_hints_both_are_likely(engine, picture):
    assert share_of(engine, picture, SMALL) > 0.05
    assert share_of(engine, picture, LARGE) > 0.05


@pytest.mark.parametrize(
    ("hints", "where", "width_km", "heading_deg"),
    [
        (Hints(heading=HeadingRange(15, 10)), SMALL, 700, 20),
        (Hints(heading=HeadingRange(-260, 10)), LARGE, 1400, 110),
        (Hints(WidthRange(600, 800)), SMALL, 700, 20),
        (Hints(WidthRange(1300, 1300)), LARGE, 1400, 110),
        (Hints(WidthRange(600, 800), HeadingRange(20, 5)), SMALL, 700, 20),
    ],
)
def test_a_hint_decides(engine, picture, hints, where, width_km, heading_deg):
    told = engine.with_hints(hints)
    assert lies(found(told, picture), where, width_km, heading_deg)
    assert share_of(told, picture, where) > 0.9


def test_what_contradicts_all_hints_matches_nothing(engine, picture):
    opposite = engine.with_hints(Hints(WidthRange(600, 800), HeadingRange(200, 5)))
    assert found(opposite, picture).elsewhere > 0.9
    assert engine.decode([picture])[0].abstention is None
    assert opposite.decode([picture])[0].abstention.kind == "no_match"


def test_hints_narrow_the_search(picture):
    few = made(4)
    told = few.with_hints(Hints(WidthRange(650, 750), HeadingRange(200, 5)))
    tried = told.sides([picture]).part(RegistrationImages)
    numbers = tried.numbers[tried.numbers != NUMBERED_NOWHERE]
    widths = few.model.gallery.places.width_km
    assert set(widths[numbers]) == {700.0}
    assert set(widths[:4]) != {700.0}  # which would be tried without a hint
    assert (np.abs(tried.heading_deg - 200) < 30).all()


def test_what_matches_nothing_is_spread_over_the_region(engine, picture):
    box = Region.parse("-20,40,20,80")
    rest = engine.within(box, outside=1e-6).sides([picture]).part(RegistrationImages).rest[0]
    inside = box.contains(engine.gallery.grid.centres)
    assert 0 < inside.sum() < len(inside)
    assert rest[inside].sum() > 0.999


def test_a_pose_beyond_a_hint_loses_as_much_as_the_ledger_says(engine, picture):
    told = engine.with_hints(Hints(heading=HeadingRange(55, 45)))  # of both, one 10° beyond
    posterior = told.posterior(told.sides([picture]))
    hints = next(term for term in posterior.ledger if term.source == "hints")
    assert hints.is_prior
    small, large = (np.abs(posterior.lat_lon - where).max(axis=1).argmin() for where in TWINS)
    assert hints.log_likelihood[[small, large]] == pytest.approx([0, -2], abs=0.3)
    total = sum(term.log_likelihood for term in posterior.ledger)
    ratio = posterior.log_prob[small] - posterior.log_prob[large]
    assert total[small] - total[large] == pytest.approx(ratio, abs=1e-3)


def test_hints_are_lines_of_the_explanation_and_can_be_taken_back(engine, picture):
    told = Locator(engine).with_hints(width_km=(1200, 1500), heading_deg=(65, 50))
    explanation = told.explain(Image.fromarray(picture), what_if="-evidence", against=SMALL)
    by_name = {each.name: each for each in explanation.contributions}
    assert by_name["width as told"].contribution > 3
    assert by_name["width as told"].category == "evidence"
    assert by_name["agreement with the map"].category == "registration"
    assert by_name["whole picture"].category == "appearance"
    assert not any(each.is_concept for each in (*by_name.values(), *explanation.sparse.concepts))
    total = sum(each.contribution for each in explanation.contributions)
    assert total + explanation.unexplained == pytest.approx(explanation.score, abs=1e-4)
    without = explanation.what_if[0]
    assert without.probability_after < without.probability_before - 0.01


def test_a_picture_may_be_longer_than_its_middle_square(engine):
    long = photographed(EARTH, Poses([SMALL], 1.5 * WIDTH_KM, 20.0), (80, 120))[0]
    told = Locator(engine).with_hints(width_km=(1000, 1100)).locate(Image.fromarray(long))
    assert told.width_km == pytest.approx(1050, rel=0.03)
    assert told.verified


def test_answers_state_the_hints(engine, picture):
    told = Locator(engine).within("-20,40,20,80").with_hints(width_km=(600, 2000))
    scope = told.locate(Image.fromarray(picture)).scope
    assert scope.hints == Hints(WidthRange(600, 2000))
    assert scope.region
    other = Locator(engine).with_hints(heading_deg=(0, 9)).within("-20,40,20,80")
    assert other.engine.scope.hints == Hints(heading=HeadingRange(0, 9))
    assert told.with_hints().locate(Image.fromarray(picture)).scope.hints == Hints()


def test_a_region_leaves_its_own_places(engine, picture):
    box = Region.parse("-20,40,20,80")
    within = engine.within(box)
    estimate = found(within, picture)
    assert lies(estimate, LARGE, 1400, 110)
    posterior = within.posterior(within.sides([picture]))
    there = within.gallery.lat_lon[posterior.rows]
    assert np.abs(there - posterior.lat_lon).max() < 3
    assert box.contains(there).all()
    assert lies(found(engine.within(box, outside=0.001), picture), LARGE, 1400, 110)
    weighed = engine.within(Region.parse("-20,-80,20,-40"), outside=0.001)
    assert share_of(weighed, picture, SMALL) > 0.9


def test_a_region_too_small_for_a_place_keeps_what_reaches_into_it(engine):
    box = Region.parse("0.3,-60.4,0.7,-60.0")
    assert not box.contains(engine.gallery.lat_lon).any()
    picture = photographed(EARTH, Poses([(0.5, -60.2)], WIDTH_KM, 20.0))[0]
    estimate = found(engine.within(box), picture)
    assert lies(estimate, (0.5, -60.2), 700, 20)
    assert box.contains([[estimate.pose.lat_lon.lat, estimate.pose.lat_lon.lon]]).all()
    assert estimate.elsewhere < 0.1


def test_a_pose_outside_of_a_region_is_no_answer_there(engine, picture):
    beside = engine.within(Region.parse("0.6,-60.9,1.4,-60.2"))  # the picture's centre is not in it
    assert len(beside.gallery.lat_lon) >= 1
    decoded = beside.decode([picture])[0]
    assert decoded.estimate.elsewhere > 0.99
    assert not decoded.estimate.verified
    assert decoded.abstention.kind == "no_match"


def test_a_weight_is_that_of_the_pose_and_not_of_its_place(engine):
    picture = photographed(EARTH, Poses([(0.5, -60.2)], WIDTH_KM, 20.0))[0]
    place_alone, pose_alone = Region.parse("-0.2,-60.1,0.2,-59.9"), Region.parse("0.4,-61,1,-60.1")
    at_place, at_pose = (
        share_of(engine.within(box, outside=1e-6), picture, SMALL)
        for box in (place_alone, pose_alone)
    )
    assert at_place < 0.01 < 0.9 < at_pose


@pytest.mark.parametrize("width", [WidthRange(5, 50), WidthRange(300_000, 500_000)])
def test_a_width_that_the_model_does_not_know_is_refused(engine, width):
    with pytest.raises(ConfigError, match="give the width"):
        engine.with_hints(Hints(width))


def test_other_models_take_no_hints(trained):
    with pytest.raises(ConfigError, match="pictures from above"):
        Locator.from_pretrained(trained).with_hints(width_km=(100, 200))


def test_a_region_without_places_is_refused(engine):
    with pytest.raises(DataError, match="gallery"):
        engine.within(Region.parse("-89,0,-88,1"))


def test_of_places_that_look_alike_those_that_stand_for_more_ground_are_tried(picture):
    few = made(2)
    tried = few.sides([picture]).part(RegistrationImages)
    numbers = tried.numbers[tried.numbers != NUMBERED_NOWHERE]
    widths = few.model.gallery.places.width_km
    assert set(widths[numbers]) == {widths.max()}
