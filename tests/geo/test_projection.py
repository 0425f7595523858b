"""Equal Earth: equal in area, and where its authors put it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.geo.sphere import equal_earth

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


@given(st.floats(-89.5, 89.5), longitudes)
def test_areas_are_kept(lat, lon):
    # The Jacobian determinant, by central differences, against the area on the sphere.
    step = 1e-4
    lon = np.clip(lon, -179, 179)
    north, south = equal_earth((lat + step, lon)), equal_earth((lat - step, lon))
    east, west = equal_earth((lat, lon + step)), equal_earth((lat, lon - step))
    up, right = (north - south) / np.radians(2 * step), (east - west) / np.radians(2 * step)
    area = right[0] * up[1] - right[1] * up[0]
    assert area == pytest.approx(np.cos(np.radians(lat)), rel=1e-4, abs=1e-6)


@given(latitudes, longitudes)
def test_the_map_is_symmetric(lat, lon):
    x, y = equal_earth((lat, lon))
    np.testing.assert_allclose(equal_earth((-lat, lon)), (x, -y), atol=1e-12)
    np.testing.assert_allclose(equal_earth((lat, -lon)), (-x, y), atol=1e-12)


def test_the_edges_are_where_the_paper_has_them():
    np.testing.assert_allclose(equal_earth((0, 180)), (2.70663, 0), atol=1e-5)
    np.testing.assert_allclose(equal_earth((90, 0)), (0, 1.31736), atol=1e-5)
    np.testing.assert_allclose(equal_earth((0, 0)), (0, 0))


def test_parallels_are_straight_and_meridians_evenly_spaced():
    x, y = equal_earth([(40, lon) for lon in range(-180, 181, 30)]).T
    assert np.ptp(y) == 0
    np.testing.assert_allclose(np.diff(x), np.diff(x)[0])


def test_longitudes_beyond_180_wrap():
    np.testing.assert_allclose(equal_earth((20, 190)), equal_earth((20, -170)))


def test_any_leading_shape_goes():
    grid = np.zeros((3, 4, 2))
    assert equal_earth(grid).shape == (3, 4, 2)
