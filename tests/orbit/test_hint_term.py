"""Hints weigh places by their widths, and poses that were found by what they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.errors import ConfigError
from geowhy.geo.pose import Poses
from geowhy.hints import HeadingRange, Hints, WidthRange
from geowhy.model.terms import Encoded
from geowhy.orbit.hint_term import WIDTH_ROOM, HintTerm
from geowhy.orbit.terms import PlaceNumbers, RegistrationImages

KNOWN_KM = np.array([300.0, 400.0, 500.0, 900.0])
PLACES = Encoded((PlaceNumbers.of(np.arange(4)),))


def seen(term, tried, width_km, heading_deg, ratio=1.0):
    """One image that was laid at the places ``tried``."""
    count = len(tried)
    laid = RegistrationImages.of(
        np.array(tried), np.zeros(count, np.float32), np.zeros((count, 2), np.float32),
        Poses(np.zeros((count, 2)), np.array(width_km), np.array(heading_deg)),
        np.ones(count), np.ones(1, np.float32), 4,
    )  # fmt: skip
    return Encoded((laid, term.encode_images(np.array([ratio], np.float32))))


def of(hints, known_km=KNOWN_KM, tried=(1,), width_km=(410.0,), heading_deg=(0.0,), ratio=1.0):
    term = HintTerm(hints, np.asarray(known_km))
    return term, seen(term, tried, width_km, heading_deg, ratio)


def test_places_are_weighed_by_their_widths_and_a_laying_corrects_them():
    term, image = of(Hints(WidthRange(420, 560)))
    before = term.beforehand(image, PLACES)
    after = term.scores(image, PLACES)[0]
    assert before[1] == before[2] == 0
    assert before[0] < before[1] - 1
    assert before[3] < before[0]
    assert after[[0, 2, 3]] == pytest.approx(before[[0, 2, 3]])
    below = np.log(420 / 410) / 0.1
    assert after[1] == pytest.approx(after[2] - below**2 / 2, abs=1e-5)


@given(st.floats(300, 900), st.floats(1.0, 1.3))
def test_no_width_falls_between_two_of_a_gallery(width, ratio):
    known = 250 * 1.3 ** np.arange(7)
    term, image = of(Hints(WidthRange(width, width)), known, (0,), (250.0,), ratio=ratio)
    beforehand = term.beforehand(image, Encoded((PlaceNumbers.of(np.arange(7)),)))
    off = np.abs(np.log(known * ratio / width)).min()
    assert off < WIDTH_ROOM
    assert beforehand.max() == 0


def test_a_width_is_that_of_the_longer_side():
    term, image = of(Hints(WidthRange(810, 830)), ratio=2.0)
    assert term.scores(image, PLACES)[0].argmax() == 1
    assert term.beforehand(image, PLACES).argmax() in (1, 2)


def test_headings_go_round_and_count_where_a_picture_was_laid():
    told = Hints(heading=HeadingRange(350, 15))
    headings = (336.0, 5.0, 15.0, 180.0)
    term, image = of(told, tried=(0, 1, 2, 3), width_km=(400.0,) * 4, heading_deg=headings)
    nats = term.scores(image, PLACES)[0]
    assert nats[0] == nats[1] == 0
    assert nats[2] == pytest.approx(-2, abs=1e-4)
    assert nats[3] < -400
    assert not term.beforehand(image, PLACES).any()
    term, image = of(told, tried=(1,), heading_deg=(180.0,))
    assert term.scores(image, PLACES)[0][[0, 2, 3]] == pytest.approx(0)


def test_headings_that_are_tried_reach_beyond_the_range():
    tried = HintTerm(Hints(heading=HeadingRange(0, 10)), KNOWN_KM).columns
    headings = np.arange(64) * 360 / 64
    away = np.minimum(headings, 360 - headings)
    assert tried[away <= 20].all()
    assert not tried[away >= 26].any()
    assert HintTerm(Hints(WidthRange(300, 400)), KNOWN_KM).columns.all()
    assert HintTerm(Hints(heading=HeadingRange(10, 180)), KNOWN_KM).columns.all()


def test_knowing_nothing_says_nothing():
    term, image = of(Hints(WidthRange(1, 10_000), HeadingRange(77, 180)))
    assert term.scores(image, PLACES) == pytest.approx(0)


def test_shares_add_up_and_can_be_taken_back():
    term, image = of(Hints(WidthRange(500, 600), HeadingRange(90, 10)), heading_deg=(120.0,))
    shares, rest = term.contributions(image, PLACES)
    assert term.names == ("width as told", "heading as told")
    assert shares.shape == (4, 2)
    assert not rest.any()
    assert shares.sum(axis=1) == pytest.approx(term.scores(image, PLACES)[0], abs=1e-4)

    def without_the_width(values):
        return np.array([[0.0, 1.0], [1.0, 1.0]], np.float32) * values

    edited = term.edited(image, without_the_width)
    again = image.parts[0].rows(np.zeros(2, np.intp))
    found = term.scores(Encoded((again, edited)), PLACES)
    assert found[0] == pytest.approx(shares[:, 1], abs=1e-4)
    assert found[1] == pytest.approx(shares.sum(axis=1), abs=1e-4)


def test_mixtures_count_by_their_weights_and_what_is_nowhere_counts_nothing():
    term, image = of(Hints(WidthRange(500, 600)))
    single = term.scores(image, PLACES)[0]
    mixed = PLACES.mean(np.array([0, 2]), np.array([0.25, 0.75], np.float32))
    expected = 0.25 * single[0] + 0.75 * single[2]
    assert term.scores(image, mixed)[0] == pytest.approx(expected, abs=1e-4)
    assert term.scores(image, PLACES.average())[0] == 0


@pytest.mark.parametrize(("least", "most"), [(10, 200), (5_000, 6_000)])
def test_a_width_that_no_place_has_is_refused(least, most):
    with pytest.raises(ConfigError, match="give the width of its longer side"):
        HintTerm(Hints(WidthRange(least, most)), KNOWN_KM)
    HintTerm(
        Hints(WidthRange(least, most * 2) if most == 200 else WidthRange(4_000, most)), KNOWN_KM
    )
