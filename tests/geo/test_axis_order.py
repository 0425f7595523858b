"""A region of GeoJSON with the latitude first is told by the map."""

from __future__ import annotations

import pytest

from geowhy.geo.axis_order import axis_order_warning


def patch(x, y):
    return {
        "type": "Polygon",
        "coordinates": [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]],
    }


FRANCE, SOMALI_SEA = patch(2, 48), patch(48, 2)


@pytest.mark.parametrize(
    "content",
    [
        SOMALI_SEA,
        {"type": "Feature", "geometry": SOMALI_SEA},
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": SOMALI_SEA}]},
        {"type": "GeometryCollection", "geometries": [SOMALI_SEA]},
        {"type": "MultiPolygon", "coordinates": [SOMALI_SEA["coordinates"]]},
    ],
)
def test_a_patch_of_france_written_the_other_way_round(content):
    assert "GeoJSON has the longitude first" in axis_order_warning(content)


@pytest.mark.parametrize(
    "content",
    [
        FRANCE,
        patch(-30, -20),  # sea either way
        patch(20, 8),  # land either way
        patch(100, -10),  # no latitude of 100
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": None}]},
    ],
)
def test_nothing_is_said_of_others(content):
    assert axis_order_warning(content) == ""
