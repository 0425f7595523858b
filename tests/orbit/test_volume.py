"""The volume peaks at the heading, the shift and the width that a picture was cut with."""

from dataclasses import replace

import numpy as np
import pytest

from geowhy.geo.pose import Poses
from geowhy.geo.sphere import destination, distance_km
from geowhy.images.pyramid import WorldPyramid
from geowhy.orbit.volume import COLUMNS, SIZE, pose_volume

from .earth import blotched, photographed

EARTH = WorldPyramid(blotched(3))
PLACE = Poses([(50, 10)], 1000.0, 0.0)


def cut(poses, shape=(SIZE, SIZE)):
    return np.moveaxis(photographed(EARTH, poses, shape)[0], -1, 0).astype(np.float32)


@pytest.mark.parametrize("column", [0, 7, 40])
def test_the_centre_of_the_place_at_its_width(column):
    truth = Poses(PLACE.lat_lon, 1000.0, column * 360 / COLUMNS)
    volume = pose_volume(cut(truth), PLACE, EARTH)
    heading = volume.likeness[0].argmax()
    assert heading == column
    assert volume.variants[volume.best[0, heading]] == pytest.approx([0, 0, 1])
    assert volume.likeness.max() > 0.8


@pytest.mark.parametrize("shape", [(SIZE, SIZE), (SIZE, 30)])
def test_away_from_the_centre_at_another_width(shape):
    truth = Poses(destination(PLACE.lat_lon, [70.0], [130.0]), 1130.0, 222.0)
    found = pose_volume(cut(truth, shape), PLACE, EARTH).peaks(headings=3, count=5)
    assert distance_km(found.poses.lat_lon[:1], truth.lat_lon)[0] < 0.04 * 1130
    assert found.poses.width_km[0] == pytest.approx(1130, rel=0.08)
    assert found.poses.heading_deg[0] == pytest.approx(222, abs=3)
    assert found.scores[0] > found.scores[1] + 0.1


def test_peaks_are_the_highest_of_all_places_and_few_of_each():
    truth = Poses(PLACE.lat_lon, 1000.0, 100.0)
    places = Poses([(0, 0), (50, 10), (-30, 100)], [900.0, 1000.0, 1100.0], 0.0)
    volume = pose_volume(cut(truth), places, EARTH)
    found = volume.peaks(headings=2, count=5)
    assert found.rows[0] == 1
    assert found.scores[0] == volume.likeness.max()
    assert len(found.rows) == 5
    assert np.bincount(found.rows).max() == 2
    assert (np.diff(found.scores) <= 0).all()


def test_what_is_known_beforehand_decides_between_places_that_are_alike():
    truth = Poses(PLACE.lat_lon, 1000.0, 100.0)
    places = Poses([(50, 10), (50, 10), (-30, 100)], [1000.0, 1000.0, 1100.0], 0.0)
    volume = pose_volume(cut(truth), places, EARTH)
    for known, first in ((0.0, 0), (1.0, 1)):
        beforehand = np.array([0.5, known, -2.0], np.float32)
        assert volume.peaks(1, 3, beforehand).rows.tolist() == [first, 1 - first, 2]
    far = volume.peaks(1, 1, np.array([0, 0, 100], np.float32))
    assert far.rows.tolist() == [2]
    assert far.scores[0] == volume.likeness[2].max()


def test_a_volume_is_the_same_however_many_places_are_looked_at_at_once(monkeypatch):
    truth = Poses(PLACE.lat_lon, 1000.0, 100.0)
    places = Poses([(0, 0), (50, 10), (-30, 100)], [900.0, 1000.0, 1100.0], 0.0)
    whole = pose_volume(cut(truth), places, EARTH)
    monkeypatch.setattr("geowhy.orbit.volume.AT_ONCE", 2)
    parts = pose_volume(cut(truth), places, EARTH)
    assert parts.likeness == pytest.approx(whole.likeness, abs=1e-5)


def test_a_peak_is_only_where_it_is_asked_about():
    truth = Poses(PLACE.lat_lon, 1000.0, 100.0)
    volume = pose_volume(cut(truth), PLACE, EARTH)
    columns = np.arange(COLUMNS)
    for first in (19, 30):  # on the flank of the peak, and far from it
        asked = replace(volume, asked=(columns >= first) & (columns < first + 6))
        found = asked.peaks(headings=2, count=2).poses.heading_deg * COLUMNS / 360
        assert ((found > first - 1) & (found < first + 6)).all()  # at the new centre


def test_what_a_narrow_picture_does_not_show_does_not_count():
    """Its likeness is over what it shows: as high as a square one's."""
    truth = Poses(PLACE.lat_lon, 1000.0, 90.0)
    narrow = pose_volume(cut(truth, (16, SIZE)), PLACE, EARTH).likeness.max()
    assert narrow > 0.8


def test_a_picture_of_even_colour_is_like_nothing():
    volume = pose_volume(np.full((3, SIZE, SIZE), 90, np.float32), PLACE, EARTH)
    assert np.abs(volume.likeness).max() == 0
    assert len(volume.peaks(headings=3, count=4).rows) >= 1
