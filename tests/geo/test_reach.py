"""Points near a region, whichever way it was told."""

import numpy as np
import pytest

from geowhy.geo.azimuthal import plane_to_sphere
from geowhy.geo.reach import reaches
from geowhy.geo.regions import Region

POLYGON = {
    "type": "Polygon",
    "coordinates": [[[14.2, 35.8], [14.6, 35.8], [14.6, 36.1], [14.2, 36.1], [14.2, 35.8]]],
}


def around(lat_lon, km):
    """Twelve points at a distance from another, ``[12, 2]``."""
    turn = np.arange(12) * np.pi / 6
    return plane_to_sphere(np.array([lat_lon]), km * np.stack([np.cos(turn), np.sin(turn)], -1))[0]


@pytest.mark.parametrize(
    ("region", "middle"),
    [
        (Region.parse("Malta"), (35.9, 14.4)),
        (Region.from_geojson(POLYGON), (35.95, 14.4)),
        (Region.parse("-0.01,-0.01,0.01,0.01"), (0, 0)),  # at sea
        (Region.parse("-17.2,179.9,-16.8,-179.9"), (-17, 180)),
        (Region.parse("84.9,10,85.1,11"), (85, 10.5)),
    ],
)
@pytest.mark.parametrize("reach_km", [100.0, 400.0])
def test_a_small_region_is_reached_from_near_places_alone(region, middle, reach_km):
    near, far = around(middle, 0.6 * reach_km + 20), around(middle, 1.6 * reach_km + 60)
    reach = np.full(12, reach_km)
    assert not region.contains(near).all()
    assert reaches(near, reach, region).all()
    assert not reaches(far, reach, region).any()


def test_each_place_has_a_reach_of_its_own():
    places = np.array([[46.8, 8.2], [52.5, 13.4], [52.5, 13.4], [35.9, 14.4]])
    reach_km = np.array([30.0, 300.0, 900.0, 300.0])
    found = reaches(places, reach_km, Region.parse("Switzerland"))
    assert found.tolist() == [True, False, True, False]
