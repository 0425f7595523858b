"""The azimuthal equidistant map keeps distances and bearings from its centre, and is undone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geowhy.geo.azimuthal import plane_to_sphere, sphere_to_plane
from geowhy.geo.sphere import destination, distance_km

PLACE = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(PLACE, st.floats(0, 359), st.floats(0, 15_000))
@settings(max_examples=60, deadline=None)
def test_distances_and_bearings_from_the_centre_are_true(centre, bearing, distance):
    east_north = distance * np.array([np.sin(np.radians(bearing)), np.cos(np.radians(bearing))])
    point = plane_to_sphere([centre], [east_north])[0, 0]
    assert distance_km(point, destination(centre, bearing, distance)) < 1e-3


@given(st.lists(PLACE, min_size=2, max_size=2), st.lists(PLACE, min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_back_on_the_sphere_are_the_same_places(centres, places):
    plane = sphere_to_plane(centres, places)
    assert plane.shape == (2, 3, 2)
    assert distance_km(plane_to_sphere(centres, plane), np.array(places)).max() < 1e-3
