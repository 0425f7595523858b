"""A strip is found by whichever of its squares is found, and told as a whole."""

import numpy as np
import pytest
from PIL import Image

from geowhy.geo.pose import Poses
from geowhy.images.pyramid import WorldPyramid
from geowhy.locator import Locator
from geowhy.orbit.strips import squares_along

from ..orbit.earth import blotched, photographed
from .test_orbit_hints import made

EARTH = WorldPyramid(blotched())
SIDE, SIDE_KM = 96, 700.0


@pytest.fixture(scope="module")
def locator():
    return Locator(made(earth=EARTH))


@pytest.fixture(scope="module")
def known(locator):
    """A place of the gallery as wide as the squares, far from the poles."""
    places = locator.engine.model.gallery.places
    fits = (places.width_km == SIDE_KM) & (np.abs(places.lat_lon[:, 0]) < 50)
    return places.lat_lon[np.flatnonzero(fits)[0]]


def strip(known, along, sides, heading_deg):
    """A strip so many squares long, one of which shows a known place, and how it lies.

    That one is so many sides up from the middle.
    """
    there = Poses([known], np.array([SIDE_KM]), np.array([heading_deg]))
    middle = there.moved([[0.0, -along]])
    pose = Poses(middle.lat_lon, sides * SIDE_KM, middle.heading_deg)
    return photographed(EARTH, pose, (sides * SIDE, SIDE))[0], pose


@pytest.mark.parametrize(("along", "sides"), [(0.0, 5), (2.0, 5), (-1.5, 7), (1.5, 4)])
def test_a_strip_is_found_by_any_of_its_squares(locator, known, along, sides):
    picture, pose = strip(known, along, sides, 20.0)
    found = locator.locate(Image.fromarray(picture))
    assert found.verified
    assert (found.position.lat, found.position.lon) == pytest.approx(pose.lat_lon[0], abs=0.8)
    assert found.width_km == pytest.approx(sides * SIDE_KM, rel=0.03)
    assert found.heading_deg == pytest.approx(pose.heading_deg[0], abs=3)
    corners = [(corner.lat, corner.lon) for corner in found.footprint]
    truth = pose.footprint((sides, 1))[0]
    assert np.array(corners) == pytest.approx(truth, abs=2.5)


def test_a_lying_strip_is_told_as_well(locator, known):
    picture, pose = strip(known, 2.0, 5, 20.0)
    found = locator.locate(Image.fromarray(np.rot90(picture, -1)))  # its up points to the right
    assert found.verified
    assert (found.position.lat, found.position.lon) == pytest.approx(pose.lat_lon[0], abs=0.8)
    assert found.heading_deg == pytest.approx((pose.heading_deg[0] - 90) % 360, abs=3)


def test_squares_that_contradict_each_other_match_nothing(locator, known):
    picture, _ = strip(known, 2.0, 5, 20.0)
    torn = picture.copy()
    torn[-SIDE:] = np.rot90(picture[:SIDE])  # the known place, at either end
    assert locator.locate(Image.fromarray(picture)).abstention is None
    assert locator.locate(Image.fromarray(torn)).abstention.kind == "no_match"


def test_other_pictures_beside_a_strip_are_answered_as_alone(locator, known):
    picture, _ = strip(known, 2.0, 5, 20.0)
    ordinary = photographed(EARTH, Poses([known], SIDE_KM, 50.0), (SIDE, 2 * SIDE))[0]
    engine = locator.engine
    alone, beside = engine.sides([ordinary]), engine.sides([picture, ordinary])
    for part in alone.parts:
        rows = beside.part(type(part)).rows(slice(1, 2)).arrays()
        for name, array in part.arrays().items():
            assert np.array_equal(array, rows[name]), name
    assert len(engine.decode([picture, ordinary])) == 2


def test_squares_lie_along_a_strip_from_end_to_end():
    rows = np.broadcast_to(np.arange(700)[:, None, None] % 256, (700, 100, 3)).astype(np.uint8)
    squares, offsets = squares_along(rows)
    assert offsets[:, 1].tolist() == pytest.approx([3, 1.5, -1.5, -3])
    assert not offsets[:, 0].any()
    assert [square[0, 0, 0] for square in squares] == [start % 256 for start in (0, 150, 450, 600)]
    assert len(squares_along(rows[:350])[0]) == 2
    assert squares_along(rows[:300])[0] == []
    _, lying = squares_along(rows.swapaxes(0, 1))
    assert lying[:, 0].tolist() == pytest.approx([-3, -1.5, 1.5, 3])
