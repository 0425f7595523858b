"""The packaged layers at places whose climate, height and country are known from elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.errors import CoordinateError, DataError
from geowhy.geo.atlas import Atlas, uniform_on_land

PLACES = {
    "Manaus": (-3.0, -60.2),
    "London": (51.5, -0.3),
    "Moscow": (55.75, 37.6),
    "Cairo": (29.9, 31.1),
    "Lhasa": (29.65, 91.1),
    "La Paz": (-16.5, -68.15),
    "Yakutsk": (62.0, 129.6),
    "Singapore": (1.37, 103.8),
    "Sydney": (-33.85, 151.0),
    "Nairobi": (-1.29, 36.8),
    "Tokyo": (35.7, 139.6),
    "Denver": (39.74, -104.98),
    "Central Sahara": (23.5, 5.0),
    "Vostok": (-78.46, 106.84),
    "Amsterdam": (52.35, 4.9),
    "Mumbai": (19.1, 72.9),
    "Reykjavik": (64.1, -21.7),
    "Alice Springs": (-23.7, 133.87),
    "Greenland": (72.0, -40.0),
    "Chicago": (41.85, -87.75),
    "Verkhoyansk": (67.55, 133.4),
    "Brasilia": (-15.8, -47.9),
}

# Station normals and gazetteers; the span allows for the size of a cell.
MEASURED = [
    ("Manaus", "temperature_mean", 26, 29),
    ("Manaus", "precipitation", 1900, 3000),
    ("Manaus", "temperature_range", 0, 3),
    ("Manaus", "elevation", 0, 110),
    ("Manaus", "ndvi_max", 0.7, 1),
    ("London", "temperature_mean", 10, 12.5),
    ("London", "precipitation", 550, 850),
    ("London", "elevation", 0, 80),
    ("London", "population_50km", 6.7, 7.4),
    ("Moscow", "temperature_mean", 5, 8),
    ("Moscow", "temperature_range", 24, 31),
    ("Moscow", "distance_to_coast_km", 550, 680),
    ("Cairo", "precipitation", 0, 60),
    ("Cairo", "temperature_mean", 20, 24),
    ("Lhasa", "elevation", 3500, 4900),
    ("La Paz", "elevation", 3300, 4400),
    ("Yakutsk", "temperature_range", 52, 65),
    ("Yakutsk", "temperature_mean", -11, -6),
    ("Singapore", "temperature_mean", 26, 29),
    ("Singapore", "precipitation", 1900, 3300),
    ("Sydney", "temperature_mean", 16, 20),
    ("Nairobi", "elevation", 1500, 1900),
    ("Tokyo", "population_50km", 7, 7.8),
    ("Denver", "elevation", 1500, 1750),
    ("Central Sahara", "precipitation", 0, 100),
    ("Central Sahara", "ndvi_max", -0.1, 0.2),
    ("Central Sahara", "ghi", 5.3, 7.4),
    ("Central Sahara", "population_50km", 0, 4.5),
    ("Vostok", "elevation", 3300, 3600),
    ("Vostok", "temperature_mean", -60, -48),
    ("Amsterdam", "elevation", -10, 15),
    ("Amsterdam", "distance_to_coast_km", 3, 40),
    ("Mumbai", "precipitation", 1700, 3200),
    ("Singapore", "humidity", 16, 19),
    ("Reykjavik", "temperature_mean", 2, 6.5),
    ("Alice Springs", "precipitation", 150, 450),
    ("Alice Springs", "elevation", 500, 750),
    ("Greenland", "elevation", 2600, 3300),
    ("Chicago", "temperature_range", 24, 30),
]

NAMED = [
    ("Manaus", "koppen_30", "Af"),
    ("London", "koppen_30", "Cfb"),
    ("Moscow", "koppen_30", "Dfb"),
    ("Cairo", "koppen_30", "BWh"),
    ("Verkhoyansk", "koppen_30", "Dfd"),
    ("Singapore", "koppen_30", "Af"),
    ("Tokyo", "koppen_30", "Cfa"),
    ("Alice Springs", "koppen_30", "BWh"),
    ("Greenland", "koppen_30", "EF"),
    ("Brasilia", "koppen_30", "Aw"),
    ("Manaus", "koppen_5", "A tropical"),
    ("Central Sahara", "koppen_5", "B arid"),
    ("London", "koppen_5", "C temperate"),
    ("Moscow", "koppen_5", "D cold"),
    ("Vostok", "koppen_5", "E polar"),
    ("Tokyo", "land_cover", "urban and built-up land"),
    ("Chicago", "land_cover", "urban and built-up land"),
    ("Central Sahara", "land_cover", "barren land"),
    ("Greenland", "land_cover", "permanent snow and ice"),
    ("Lhasa", "country", "CN"),
    ("La Paz", "country", "BO"),
    ("Vostok", "country", "AQ"),
    ("Singapore", "country", "SG"),
    ("Reykjavik", "country", "IS"),
    ("Greenland", "country", "GL"),
    ("London", "driving_side", "left"),
    ("Chicago", "driving_side", "right"),
    ("Tokyo", "driving_side", "left"),
    ("Nairobi", "un_region", "Eastern Africa"),
    ("Moscow", "un_region", "Eastern Europe"),
    ("Yakutsk", "un_region", "Eastern Europe"),
    ("Denver", "un_region", "Northern America"),
]


@pytest.fixture(scope="module")
def atlas():
    return Atlas.load()


@pytest.mark.parametrize(("place", "name", "low", "high"), MEASURED)
def test_known_places_read_what_was_measured_there(atlas, place, name, low, high):
    (value,) = atlas.layer(name).at([PLACES[place]])
    assert low <= value <= high


@pytest.mark.parametrize(("place", "name", "label"), NAMED)
def test_known_places_are_of_their_class(atlas, place, name, label):
    layer = atlas.layer(name)
    assert layer.info.labels[layer.at([PLACES[place]])[0]] == label


def test_all_these_places_are_on_land(atlas):
    assert atlas.is_land(list(PLACES.values())).all()


def test_seas_and_large_lakes_are_not_land(atlas):
    names = ["Atlantic", "Caspian Sea", "Lake Superior", "Lake Victoria", "Baikal", "Dead centre"]
    waters = [(0, -30), (42, 51), (47.7, -87.5), (-1, 33), (53.5, 108.1), (0, 0)]
    assert dict(zip(names, atlas.is_land(waters).tolist(), strict=True)) == dict.fromkeys(
        names, False
    )


def test_every_layer_says_what_it_is(atlas):
    assert len(atlas.names) >= 12
    for info in atlas.infos.values():
        assert info.description
        assert info.missing
        assert info.sources
        assert all(s.version and s.licence and s.upstream for s in info.sources)
        assert (info.kind == "class") == bool(info.labels)
        assert 0.05 <= info.resolution_deg <= 0.25


def test_every_layer_has_its_values_in_range_and_its_own_missing_value(atlas):
    rng = np.random.default_rng(4)
    points = np.stack([rng.uniform(-90, 90, 3000), rng.uniform(-180, 180, 3000)], axis=-1)
    for name in atlas.names:
        layer = atlas.layer(name)
        values = layer.at(points)
        if layer.info.kind == "continuous":
            assert values.dtype == np.float32
            assert np.isnan(values).any()
        else:
            assert values.dtype == np.int16
            assert values.min() >= -1
            assert values.max() < max(len(layer.info.labels), 2)


def test_land_has_values(atlas):
    points = uniform_on_land(atlas, 5000, np.random.default_rng(5))
    for name in atlas.names:
        values = atlas.layer(name).at(points)
        missing = np.isnan(values) if values.dtype == np.float32 else values < 0
        assert missing.mean() < 0.002, name


@given(st.floats(-90, 90))
def test_the_antimeridian_reads_the_same_from_both_sides(lat):
    for name in ("temperature_mean", "land", "country"):
        layer = Atlas.load().layer(name)
        east, west, wrapped = layer.at([(lat, 180), (lat, -180), (lat, 540)])
        np.testing.assert_equal(east, west)
        np.testing.assert_equal(east, wrapped)


def test_the_poles_are_read_from_the_first_and_the_last_row(atlas):
    layer = atlas.layer("temperature_mean")
    grid = layer.grid()
    south = layer.at([(-90, 7), (-90, -179.99)])
    np.testing.assert_array_equal(south, grid[-1, [748, 0]])
    assert atlas.is_land([(90, 0), (-90, 0)]).tolist() == [False, True]


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_lookup_reads_the_cell_around_the_point(lat, lon):
    for name in ("land", "koppen_5"):
        layer = Atlas.load().layer(name)
        row = min(int((90 - lat) * layer.shape[0] / 180), layer.shape[0] - 1)
        column = int((lon + 180) * layer.shape[1] / 360) % layer.shape[1]
        if name == "land":
            stored = layer.codes[row, column // 8] >> (7 - column % 8) & 1
        else:
            stored = int(layer.codes[row, column]) - 1
        assert layer.at((lat, lon))[0] == stored


@pytest.mark.parametrize("bad", [(90.1, 0), (float("nan"), 0), (0, float("nan"))])
def test_points_off_the_earth_are_refused(atlas, bad):
    with pytest.raises(CoordinateError, match="latitude first"):
        atlas.layer("land").at([(0, 0), bad])


def test_no_points_read_nothing(atlas):
    assert atlas.layer("elevation").at(np.empty((0, 2))).shape == (0,)


def test_an_unknown_layer_names_the_nearest(atlas):
    with pytest.raises(DataError, match="did you mean elevation"):
        atlas.layer("elevaton")


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(DataError, match="build_earth"):
        Atlas.load(tmp_path / "none.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match="isn't a readable atlas"):
        Atlas.load(broken)


def test_random_land_is_land_and_uniform_by_area(atlas):
    points = uniform_on_land(atlas, 20_000, np.random.default_rng(6))
    assert points.shape == (20_000, 2)
    assert atlas.is_land(points).all()
    assert points[:, 0].min() > -60
    # Shares of the land area of the Earth without Antarctica, some 135 million km².
    country = atlas.layer("country")
    labels = np.array(country.info.labels)[country.at(points)]
    for code, million_km2 in [("RU", 16.4), ("BR", 8.4), ("AU", 7.7), ("CA", 9.1), ("CN", 9.4)]:
        assert np.mean(labels == code) == pytest.approx(million_km2 / 135, rel=0.1)


def test_random_land_follows_its_seed_and_its_limit(atlas):
    first, again = (uniform_on_land(atlas, 100, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    north = uniform_on_land(atlas, 100, np.random.default_rng(7), south_limit=50)
    assert north[:, 0].min() > 50
    assert uniform_on_land(atlas, 0, np.random.default_rng(7)).shape == (0, 2)
