"""Names for coordinates."""

from dataclasses import replace

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from geowhy.errors import CoordinateError, DataError
from geowhy.geo.atlas import far_part
from geowhy.geo.places import Gazetteer, bearing_deg
from geowhy.geo.sphere import (
    EARTH_RADIUS_KM,
    distance_km,
    lat_lon_to_unit,
    unit_to_lat_lon,
    wrap_longitude,
)

SPHERE = Geodesic(a=6371008.8, f=0)


@pytest.fixture(scope="module")
def gazetteer():
    return Gazetteer.load()


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ((9.40, -0.84), "near Tamale, Ghana"),
        ((48.86, 2.35), "near Paris, France"),
        ((40.71, -74.0), "near New York City, United States"),
        ((5.4, -0.1), "off Accra, Ghana"),
        ((-77, 0), "in Antarctica, 3,600 km south-east of Ushuaia, Argentina"),
    ],
)
def test_places_have_names(gazetteer, point, words):
    assert gazetteer.describe(point) == words


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (
            (-49.4, 69.5),
            "in French Southern Territories, a territory of France, 3,300 km south-east of "
            "Tôlanaro, Madagascar",
        ),
        (
            (12.15, -68.3),
            "in Bonaire, a territory of the Netherlands, 70 km east of Willemstad, Curaçao",
        ),
        ((28.3, -16.5), "near La Orotava, Canary Islands, Spain"),
        ((28.3, 343.5), "near La Orotava, Canary Islands, Spain"),
        ((-27.1, -109.4), "in Easter Island, Chile, 3,500 km west of Lebu, Chile"),
        ((78.2, 15.6), "in Svalbard, Norway, 870 km north of Hammerfest, Norway"),
    ],
)
def test_what_is_far_from_its_country_is_named_by_itself(gazetteer, point, words):
    assert gazetteer.describe(point) == words


def test_no_land_is_named_by_a_country_whose_cities_are_all_far_away(gazetteer):
    country = gazetteer.atlas.layer("country").grid()
    rows, columns = np.nonzero(country >= 0)
    points = np.stack([89.95 - rows * 0.1, columns * 0.1 - 179.95], axis=-1)
    cells = country[rows, columns]
    on_land = gazetteer.atlas.is_land(points)
    for number, code in enumerate(each.code for each in gazetteer.atlas.countries):
        of_it = np.array([c == code for c in gazetteer.country_codes])[gazetteer.countries]
        here = points[on_land & (cells == number)][::3]
        if not of_it.any() or not len(here):
            continue
        cosines = (lat_lon_to_unit(here) @ gazetteer.units[of_it].T).max(axis=1)
        for lat, lon in here[cosines < np.cos(2500 / EARTH_RADIUS_KM)]:
            assert far_part(code, lat, lon), (code, lat, lon)


def test_beyond_25_km_distance_and_direction_are_told(gazetteer):
    words = gazetteer.describe((9.0, 0.1))
    assert " km " in words
    assert words.endswith(", Ghana")


def test_the_country_is_that_of_the_point(gazetteer):
    assert gazetteer.describe((10.2, 0.3)).startswith("in Ghana, 30 km south-west of Sansann")


def test_the_high_seas_are_at_sea(gazetteer):
    assert gazetteer.describe((0, -140)).startswith("at sea, 2,")


def test_a_lake_is_not_the_sea(gazetteer):
    assert gazetteer.describe((-0.9, 33)).startswith("on a lake, ")


def test_small_islands_are_not_at_sea(gazetteer):
    assert gazetteer.describe((4.175, 73.509)) == "near Male, Maldives"


def test_countries_of_points(gazetteer):
    points = [(48.86, 2.35), (-33.9, 18.5), (0, -140), (22.3, 114.2), (18.3, -66.4), (21.3, -157.9)]
    assert gazetteer.country_of(points) == ["FR", "ZA", "", "HK", "PR", "US"]


def test_regions_of_points(gazetteer):
    regions = {
        (30.27, -97.74): "Texas",
        (21.4, -158.0): "Hawaii",
        (52.9, 173.0): "Alaska",  # Attu, beyond the antimeridian
        (38.95, -77.05): "District of Columbia",
        (33.75, -84.4): "Georgia",
        (41.7, 44.8): "Tbilisi",
        (48.86, 2.35): "Île-de-France",
        (48.14, 11.58): "Bavaria",
        (-36.85, 174.7): "Auckland",
        (-23.55, -46.63): "São Paulo",
        (67.0, -179.5): "Chukotka Autonomous Okrug",  # beyond the antimeridian
        (19.1, 72.9): "Maharashtra",
        (0, -140): "",
    }
    assert gazetteer.region_of(list(regions)) == list(regions.values())
    assert gazetteer.region_of((30.27, -97.74)) == ["Texas"]


def test_without_their_layer_no_region_is_known(gazetteer):
    infos = gazetteer.atlas.infos.items()
    others = {name: info for name, info in infos if name != "first_level_region"}
    without = replace(gazetteer, atlas=replace(gazetteer.atlas, infos=others))
    assert without.region_of([(30.27, -97.74), (0, 0)]) == ["", ""]
    with pytest.raises(CoordinateError):
        without.region_of((100, 0))


@pytest.mark.parametrize("method", ["describe", "country_of", "region_of"])
def test_points_off_the_earth_are_refused(gazetteer, method):
    with pytest.raises(CoordinateError):
        getattr(gazetteer, method)((100, 0))


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=4))
def test_no_city_is_nearer_than_the_nearest(points):
    gazetteer = Gazetteer.load()
    cities = unit_to_lat_lon(gazetteer.units)
    for point, nearest in zip(points, gazetteer.nearest_city(points), strict=True):
        distances = distance_km(cities, point)
        assert distances[nearest] <= distances.min() + 1e-3


def test_many_points_at_once_are_as_one_by_one(gazetteer):
    points = np.random.default_rng(0).uniform([-60, -180], [75, 180], (600, 2))
    singly = [gazetteer.nearest_city(point)[0] for point in points[::60]]
    np.testing.assert_array_equal(gazetteer.nearest_city(points)[::60], singly)


def test_cities_are_known_and_the_largest_come_first(gazetteer):
    assert len(gazetteer.names) > 40_000
    assert (np.diff(gazetteer.populations.astype(np.int64)) <= 0).all()
    tokyo = gazetteer.city(int(gazetteer.nearest_city((35.69, 139.69))[0]))
    assert tokyo.country == "JP"
    assert distance_km((tokyo.lat, tokyo.lon), (35.69, 139.69)) < 10
    largest = gazetteer.city(0)
    assert largest.population > 20_000_000


@given(
    st.tuples(st.floats(-89, 89), st.floats(-180, 180)),
    st.floats(0, 359.99),
    st.floats(10, 19_000),
)
def test_bearings_are_geographiclibs(start, bearing, distance):
    end = SPHERE.Direct(*start, bearing, distance * 1000)
    found = bearing_deg(start, (end["lat2"], end["lon2"]))
    assert abs(float(wrap_longitude(found - bearing))) < 1e-3


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(DataError, match="build_earth"):
        Gazetteer.load(tmp_path / "none.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no zip")
    with pytest.raises(DataError, match="isn't a readable gazetteer"):
        Gazetteer.load(broken)
