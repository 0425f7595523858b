"""The packaged layers at places whose climate, height and country are known from elsewhere."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.errors import ChecksumError, CoordinateError, DataError
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
    "Dublin": (53.35, -6.3),
    "Kuwait": (29.3, 47.9),
    "Kathmandu": (27.7, 85.3),
    "St. John's": (47.55, -52.75),
    "Eucla": (-31.68, 128.88),
    "Honolulu": (21.35, -157.9),
    "Washington": (38.95, -77.03),
    "Adak": (51.88, -176.65),
    "Attu": (52.9, 172.9),
    "Wrangel Island": (71.2, 179.5),
    "Viti Levu": (-17.8, 178.0),
    "Tasmania": (-42.0, 146.5),
    "Honshu": (36.2, 138.2),
    "Ulster": (54.6, -7.0),
    "Iowa": (42.0, -93.5),
    "Congo": (0.5, 22.0),
    "Harvard Forest": (42.53, -72.19),
    "Khartoum": (15.55, 32.55),
    "Barro Colorado": (9.15, -79.85),
    "Quibdo": (5.7, -76.65),
    "Key West": (24.56, -81.78),
    "Easter Island": (-27.12, -109.35),
    "Athens": (38.0, 23.75),
    "Jerusalem": (31.78, 35.2),
    "Tbilisi": (41.72, 44.8),
    "Addis Ababa": (9.03, 38.75),
    "Bangkok": (13.75, 100.5),
    "Beijing": (39.9, 116.4),
    "Taipei": (25.03, 121.55),
    "Belgrade": (44.8, 20.45),
    "San Juan": (18.4, -66.1),
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
    # National weather services, normals of January or July 1991-2020.
    ("Moscow", "temperature_coldest", -9, -4),
    ("Yakutsk", "temperature_coldest", -41, -33),
    ("Singapore", "temperature_coldest", 25.5, 27.8),
    ("Chicago", "temperature_coldest", -6, -1),
    ("Sydney", "temperature_coldest", 11, 14.5),
    ("Kuwait", "temperature_warmest", 36, 41),
    ("London", "temperature_warmest", 16.5, 20),
    ("Reykjavik", "temperature_warmest", 10, 13),
    ("Tokyo", "temperature_warmest", 25.5, 29),
    ("Yakutsk", "temperature_warmest", 18, 22),
    ("Cairo", "precipitation_driest", 0, 3),
    ("Mumbai", "precipitation_driest", 0, 4),
    ("Manaus", "precipitation_driest", 40, 130),
    ("London", "precipitation_driest", 35, 60),
    ("Cairo", "precipitation_wettest", 0, 15),
    ("Mumbai", "precipitation_wettest", 500, 1000),
    ("Singapore", "precipitation_wettest", 230, 420),
    ("Tokyo", "precipitation_wettest", 160, 290),
    # What everyone knows of these landscapes, and their aerial images.
    ("Congo", "forest_share", 88, 100),
    ("Harvard Forest", "forest_share", 80, 100),
    ("Central Sahara", "forest_share", 0, 0),
    ("Iowa", "cropland_share", 80, 100),
    ("Congo", "cropland_share", 0, 8),
    ("Tokyo", "urban_share", 85, 100),
    ("Iowa", "urban_share", 0, 12),
    ("Central Sahara", "water_share", 0, 0),
    ("Key West", "water_share", 60, 100),
    # Logarithms of areas from geographers' lists of islands; the span is 10 %.
    ("Tasmania", "landmass_km2", 4.77, 4.85),  # 64,500 km²
    ("Dublin", "landmass_km2", 4.89, 4.97),  # 84,400
    ("Ulster", "landmass_km2", 4.89, 4.97),  # the same island
    ("Reykjavik", "landmass_km2", 4.97, 5.05),  # 101,800
    ("London", "landmass_km2", 5.28, 5.37),  # 209,300
    ("Wrangel Island", "landmass_km2", 3.84, 3.92),  # 7,600
    ("Viti Levu", "landmass_km2", 3.97, 4.06),  # 10,400
    ("Greenland", "landmass_km2", 6.28, 6.37),  # 2,130,000
    ("Sydney", "landmass_km2", 6.84, 6.92),  # 7,600,000
    ("Beijing", "landmass_km2", 7.88, 7.97),  # Africa, Asia and Europe: 84,000,000
    ("Denver", "landmass_km2", 7.53, 7.62),  # both Americas: 38,000,000
    # Distances on the globe: to Darwin and Adelaide, and to Chile.
    ("Alice Springs", "city_distance_km", 1200, 1400),
    ("Easter Island", "city_distance_km", 3400, 3900),
    ("Reykjavik", "city_distance_km", 0, 25),
    ("Tokyo", "city_distance_km", 0, 15),
    # Censuses of the cities proper.
    ("London", "largest_city_50km", 6.87, 7.0),  # 8.8 million
    ("Chicago", "largest_city_50km", 6.38, 6.48),  # 2.7
    ("Denver", "largest_city_50km", 5.8, 5.9),  # 0.7
    ("Reykjavik", "largest_city_50km", 5.02, 5.18),  # 0.13
    ("Central Sahara", "largest_city_50km", 0, 0),
    # World Bank, 2016, current international dollars; the span is 15 %.
    ("Denver", "gdp_per_head", 49_000, 67_000),
    ("London", "gdp_per_head", 36_000, 49_000),
    ("Moscow", "gdp_per_head", 21_000, 30_000),
    ("Mumbai", "gdp_per_head", 5_000, 7_700),
    ("Kathmandu", "gdp_per_head", 2_100, 3_100),
    # The law of each country.
    ("Kathmandu", "utc_offset", 5.75, 5.75),
    ("St. John's", "utc_offset", -3.5, -3.5),
    ("Eucla", "utc_offset", 8.75, 8.75),
    ("Mumbai", "utc_offset", 5.5, 5.5),
    ("Dublin", "utc_offset", 0, 0),
    ("Viti Levu", "utc_offset", 12, 12),
    ("Adak", "utc_offset", -10, -10),
    ("Beijing", "utc_offset", 8, 8),
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
    # Holdridge and his school on their research stations and maps.
    ("Barro Colorado", "life_zone", "tropical moist forest"),
    ("Quibdo", "life_zone", "tropical rain forest"),
    ("Denver", "life_zone", "cool temperate steppe"),
    ("London", "life_zone", "cool temperate moist forest"),
    ("Central Sahara", "life_zone", "tropical desert"),
    ("Greenland", "life_zone", "polar desert"),
    # Constitutions, banknotes, road signs.
    ("La Paz", "language", "Spanish"),
    ("Brasilia", "language", "Portuguese"),
    ("Addis Ababa", "language", "Amharic"),
    ("Reykjavik", "language", "Icelandic"),
    ("Taipei", "language", "Chinese"),
    ("Khartoum", "language", "Arabic"),
    ("Cairo", "script", "Arabic"),
    ("Moscow", "script", "Cyrillic"),
    ("Belgrade", "script", "Cyrillic"),
    ("Athens", "script", "Greek"),
    ("Jerusalem", "script", "Hebrew"),
    ("Tbilisi", "script", "Georgian"),
    ("Addis Ababa", "script", "Ethiopic"),
    ("Bangkok", "script", "Thai"),
    ("Tokyo", "script", "Japanese"),
    ("Beijing", "script", "Simplified Chinese"),
    ("Taipei", "script", "Traditional Chinese"),
    ("Kathmandu", "script", "Devanagari"),
    ("Nairobi", "script", "Latin"),
    ("London", "currency", "GBP"),
    ("Dublin", "currency", "EUR"),
    ("San Juan", "currency", "USD"),
    ("Kuwait", "currency", "KWD"),
    ("Viti Levu", "currency", "FJD"),
    ("London", "speed_unit", "mph"),
    ("Honolulu", "speed_unit", "mph"),
    ("Dublin", "speed_unit", "km/h"),
    ("Sydney", "speed_unit", "km/h"),
    # World Bank, lists of 2016.
    ("Chicago", "income_group", "high income, OECD"),
    ("Kuwait", "income_group", "high income, not OECD"),
    ("Manaus", "income_group", "upper middle income"),
    ("Mumbai", "income_group", "lower middle income"),
    ("Kathmandu", "income_group", "low income"),
    ("Manaus", "time_zone", "America/Manaus"),
    ("Lhasa", "time_zone", "Asia/Shanghai"),
    ("Yakutsk", "time_zone", "Asia/Yakutsk"),
    ("Adak", "time_zone", "America/Adak"),
    ("Wrangel Island", "time_zone", "Asia/Anadyr"),
    ("Chicago", "us_state", "Illinois"),
    ("Denver", "us_state", "Colorado"),
    ("Honolulu", "us_state", "Hawaii"),
    ("Adak", "us_state", "Alaska"),
    ("Attu", "us_state", "Alaska"),
    ("Key West", "us_state", "Florida"),
    ("Washington", "us_state", "District of Columbia"),
    # Every school atlas.
    ("Washington", "first_level_region", "District of Columbia, US"),
    ("Chicago", "first_level_region", "Illinois, US"),
    ("Attu", "first_level_region", "Alaska, US"),
    ("Sydney", "first_level_region", "New South Wales, AU"),
    ("Manaus", "first_level_region", "Amazonas, BR"),
    ("Mumbai", "first_level_region", "Maharashtra, IN"),
    ("Lhasa", "first_level_region", "Tibet, CN"),
    ("Ulster", "first_level_region", "Northern Ireland, GB"),
    ("Wrangel Island", "first_level_region", "Chukotka Autonomous Okrug, RU"),
    ("St. John's", "first_level_region", "Newfoundland and Labrador, CA"),
]

MISSING = [
    ("London", "us_state"),
    ("San Juan", "us_state"),
    ("Singapore", "income_group"),
    ("Singapore", "gdp_per_head"),
    ("Vostok", "gdp_per_head"),
    ("Vostok", "language"),
    ("Vostok", "speed_unit"),
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


@pytest.mark.parametrize(("place", "name"), MISSING)
def test_what_is_not_known_reads_missing(atlas, place, name):
    (value,) = atlas.layer(name).at([PLACES[place]])
    assert value == -1 or np.isnan(value)


def test_every_layer_is_checked_at_some_place(atlas):
    checked = {entry[1] for entry in [*MEASURED, *NAMED]}
    assert set(atlas.names) - checked <= {"land", "wind", "relief", "ndvi_min"}


def test_an_island_is_one_on_both_sides_of_the_antimeridian(atlas):
    west, east = atlas.layer("landmass_km2").at([(71.1, 179.3), (71.1, -178.8)])
    assert west == east


def test_the_coldest_and_the_warmest_month_are_as_far_apart_as_the_range(atlas):
    points = uniform_on_land(atlas, 2000, np.random.default_rng(8))
    coldest, warmest, spread = (
        atlas.layer(f"temperature_{name}").at(points) for name in ("coldest", "warmest", "range")
    )
    np.testing.assert_allclose(warmest - coldest, spread, atol=0.15 + 0.1)


def test_a_first_level_region_lies_in_its_country_and_agrees_on_us_states(atlas):
    points = uniform_on_land(atlas, 20_000, np.random.default_rng(9))
    regions, states, countries = (
        np.array([*atlas.layer(name).info.labels, ""])[atlas.layer(name).at(points)]
        for name in ("first_level_region", "us_state", "country")
    )
    known = regions != ""
    assert [r.rpartition(", ")[2] for r in regions[known]] == countries[known].tolist()
    in_state = states != ""
    assert in_state.sum() > 1000
    assert regions[in_state].tolist() == [f"{state}, US" for state in states[in_state]]


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
        assert len(info.sha256) == 64


def _documented(info):
    kind = f"{len(info.labels)} classes" if info.labels else info.kind
    sides = {1 / 12: "1/12°"}
    side = sides.get(info.resolution_deg, f"{info.resolution_deg:g}°")
    sources = ", ".join(f"`{source.package}` {source.version}" for source in info.sources)
    cells = (f"`{info.name}`", info.description, info.unit, kind, side, info.missing, sources)
    return f"| {' | '.join(cells)} |"


def test_the_documentation_has_every_layer_as_it_is(atlas):
    text = (Path(__file__).parents[2] / "docs" / "atlas.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [_documented(info) for info in atlas.infos.values()]


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
    for name in set(atlas.names) - {"us_state"}:
        values = atlas.layer(name).at(points)
        missing = np.isnan(values) if values.dtype == np.float32 else values < 0
        assert missing.mean() < 0.002, name


@given(st.floats(-90, 90))
def test_the_antimeridian_reads_the_same_from_both_sides(lat):
    for name in Atlas.load().names:
        layer = Atlas.load().layer(name)
        east, west, wrapped = layer.at([(lat, 180), (lat, -180), (lat, 540)])
        np.testing.assert_equal(east, west)
        np.testing.assert_equal(east, wrapped)


def test_the_poles_are_read_from_the_first_and_the_last_row(atlas):
    for name in atlas.names:
        layer = atlas.layer(name)
        grid, middle = layer.grid(), layer.shape[1] // 2
        for lat, row in [(90, 0), (-90, -1)]:
            read = layer.at([(lat, 0.01), (lat, -179.99)])
            np.testing.assert_array_equal(read, grid[row, [middle, 0]])
    assert atlas.is_land([(90, 0), (-90, 0)]).tolist() == [False, True]


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_lookup_reads_the_cell_around_the_point(lat, lon):
    for name in Atlas.load().names:
        layer = Atlas.load().layer(name)
        # In this order of operations: on an edge, such as 17.4 N, rounding decides on the cell.
        row = min(int((90 - lat) * (layer.shape[0] / 180)), layer.shape[0] - 1)
        column = int((lon + 180) * (layer.shape[1] / 360)) % layer.shape[1]
        if name == "land":
            code = layer.codes[row, column // 8] >> (7 - column % 8) & 1
        else:
            code = layer.codes[row, column]
        np.testing.assert_equal(layer.at((lat, lon))[0], layer.table[code])


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


def test_the_packaged_layers_are_what_was_written(atlas):
    atlas.verify()


def _copy_of_three_layers(path, change_meta=lambda entries: None, change_array=lambda codes: None):
    with np.load(Atlas.load().path) as arrays:
        meta = json.loads(arrays["meta"].tobytes())
        kept = {"country": arrays["country"], "life_zone": arrays["life_zone"]}
    names = ("country", "gdp_per_head", "life_zone")
    meta["layers"] = [entry for entry in meta["layers"] if entry["info"]["name"] in names]
    change_meta({entry["info"]["name"]: entry for entry in meta["layers"]})
    change_array(kept["life_zone"])
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez_compressed(path, meta=text, **kept)
    return Atlas.load(path)


def _set_one_cell(codes):
    codes[100, 200] += 1


def _set_one_number(entries):
    entries["gdp_per_head"]["storage"]["numbers"][7] = 9.9


def _swap_two_labels(entries):
    labels = entries["life_zone"]["info"]["labels"]
    labels[0], labels[1] = labels[1], labels[0]


def test_a_faithful_copy_is_verified(tmp_path):
    _copy_of_three_layers(tmp_path / "copy.npz").verify()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("life_zone", {"change_array": _set_one_cell}),
        ("life_zone", {"change_meta": _swap_two_labels}),
        ("gdp_per_head", {"change_meta": _set_one_number}),
    ],
)
def test_a_changed_layer_is_named(tmp_path, name, change):
    with pytest.raises(ChecksumError, match=name):
        _copy_of_three_layers(tmp_path / "changed.npz", **change).verify()


def test_a_layer_that_the_disk_spoilt_is_named(tmp_path):
    path = tmp_path / "spoilt.npz"
    spoilt = _copy_of_three_layers(path)
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("life_zone.npy")
    content = bytearray(path.read_bytes())
    content[entry.header_offset + entry.compress_size // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(ChecksumError, match="life_zone"):
        spoilt.verify()


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


def test_random_land_follows_its_seed(atlas):
    first, again = (uniform_on_land(atlas, 100, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert uniform_on_land(atlas, 0, np.random.default_rng(7)).shape == (0, 2)
