"""Masks for regions."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geowhy.errors import CoordinateError, DataError
from geowhy.geo.atlas import TABLES, Atlas
from geowhy.geo.regions import OTHER_NAMES, Region

# Degrees that whole turns don't round: eighths.
LATITUDES = st.integers(-720, 720).map(lambda eighths: eighths / 8)
LONGITUDES = st.integers(-1440, 1439).map(lambda eighths: eighths / 8)
SPANS = st.integers(8, 2880).map(lambda eighths: eighths / 8)
SOME_POINTS = arrays(np.float64, (20, 2), elements=LATITUDES).map(lambda points: points * (1, 2))
BOXES = st.tuples(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES).filter(
    lambda box: box[0] < box[2] and box[1] != box[3]
)


@pytest.fixture(scope="module")
def atlas():
    return Atlas.load()


def rectangle(south, west, north, east):
    """Ring of a rectangle, longitude first."""
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def mask(geojson, points):
    return Region.from_geojson(geojson).contains(points).tolist()


@pytest.mark.parametrize(
    ("text", "name", "inside", "outside"),
    [
        ("New Zealand", "New Zealand", (-41.3, 174.8), (-33.9, 151.2)),
        ("NZ", "New Zealand", (-36.85, 174.76), (-33.9, 151.2)),
        ("nz", "New Zealand", (-44.0, -176.5), (-21.2, -175.2)),  # the Chatham Islands, not Tonga
        ("cote d’ivoire", "Côte d'Ivoire", (5.35, -4.0), (5.6, -0.2)),
        ("Trinidad & Tobago", "Trinidad and Tobago", (10.6, -61.4), (9.8, -63)),
        ("Bahamas", "The Bahamas", (25.05, -77.4), (25.8, -80.3)),
        ("Saint Lucia", "St. Lucia", (13.9, -61.0), (14.6, -61.0)),
        ("ST", "São Tomé and Principe", (0.2, 6.6), (13.9, -61.0)),
        ("UK", "United Kingdom", (51.5, -0.1), (53.3, -6.3)),
        ("Denmark", "Kingdom of Denmark", (55.7, 12.5), (55.6, 13.1)),
        ("Western Africa", "Western Africa", (9.4, -0.84), (9.0, 15.0)),
        ("western  africa", "Western Africa", (14.7, -17.4), (30.0, -8.0)),
        ("Texas", "Texas", (30.27, -97.74), (35.5, -97.5)),
        ("Hawaii", "Hawaii", (21.4, -158.0), (37.8, -122.4)),
        ("Texas, US", "Texas", (30.27, -97.74), (35.5, -97.5)),
        ("Georgia", "Georgia", (41.7, 44.8), (33.75, -84.4)),
        ("Georgia, US", "Georgia (US state)", (33.75, -84.4), (41.7, 44.8)),
        ("georgia (us state)", "Georgia (US state)", (33.75, -84.4), (41.7, 44.8)),
        ("Georgia (country)", "Georgia", (41.7, 44.8), (33.75, -84.4)),
        ("Bavaria", "Bavaria, DE", (48.14, 11.58), (48.78, 9.18)),
        ("Bavaria, Germany", "Bavaria, DE", (48.14, 11.58), (48.2, 16.37)),
        ("new south wales", "New South Wales, AU", (-33.85, 151.0), (-37.8, 145.0)),
        ("Amazonas, BR", "Amazonas, BR", (-3.1, -60.0), (-6.2, -77.87)),
        ("Amazonas, Peru", "Amazonas, PE", (-6.2, -77.87), (-3.1, -60.0)),
        ("Scotland", "Scotland, GB", (55.95, -3.2), (54.97, -1.6)),
        ("Micronesia", "Micronesia", (6.9, 158.2), (13.5, 144.8)),
        ("Micronesia (UN region)", "Micronesia (UN region)", (13.5, 144.8), (-18, 178)),
    ],
)
def test_named_regions(atlas, text, name, inside, outside):
    region = Region.parse(text, atlas)
    assert region.name == name
    assert region.contains([inside, outside]).tolist() == [True, False]
    assert Region.parse(name, atlas).contains([inside, outside]).tolist() == [True, False]


FRENCH_SOUTH, TENERIFE, HONOLULU, BONAIRE = (
    (-49.4, 69.5),
    (28.3, -16.5),
    (21.4, -158),
    (12.15, -68.3),
)
PARIS, MOSCOW, VLADIVOSTOK, CHUKOTKA = (48.86, 2.35), (55.75, 37.6), (43.2, 132), (66.2, -173)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Western Europe", [PARIS], [FRENCH_SOUTH, BONAIRE, (16.2, -61.6)]),
        ("Eastern Africa", [FRENCH_SOUTH, (-21.1, 55.5)], [PARIS]),
        ("Southern Europe", [(40.4, -3.7), (38.7, -27.2)], [TENERIFE]),
        ("Northern Africa", [TENERIFE, (32.75, -17)], [(40.4, -3.7)]),
        ("Northern America", [(40, -100), (64, -150)], [HONOLULU]),
        ("Polynesia", [HONOLULU, (-27.1, -109.4)], [(40, -100)]),
        ("Caribbean", [BONAIRE], [PARIS]),
        ("Europe", [PARIS, MOSCOW], [VLADIVOSTOK, CHUKOTKA, FRENCH_SOUTH, TENERIFE]),
        ("Asia", [VLADIVOSTOK, CHUKOTKA, (35.7, 139.7)], [PARIS, MOSCOW]),
        ("Africa", [TENERIFE, FRENCH_SOUTH, (9.4, -0.84)], [PARIS]),
        ("South America", [(4, -53)], [(9.9, -84.1)]),
        ("North America", [(40, -100), (9.9, -84.1), BONAIRE], [HONOLULU, (-23.5, -46.6)]),
        ("the Americas", [(40, -100), (-23.5, -46.6)], [PARIS]),
        ("Oceania", [HONOLULU, (-33.9, 151.0)], [(40, -100)]),
        ("Spain", [TENERIFE, (40.4, -3.7)], [PARIS]),
        ("Bonaire", [BONAIRE], [(52.1, 5.1)]),
        ("ESP", [TENERIFE, (40.4, -3.7)], [PARIS]),
        ("deu", [(52.5, 13.4)], [PARIS]),
        ("XKX", [(42.6, 21.1)], [PARIS]),
    ],
)
def test_far_parts_belong_to_where_they_lie(atlas, text, inside, outside):
    region = Region.parse(text, atlas)
    assert region.contains(inside).all()
    assert not region.contains(outside).any()
    assert Region.parse(region.name, atlas).contains(inside).all()


def test_every_country_has_a_code_of_three_letters(atlas):
    assert list(TABLES["three_letters"]) == [country.code for country in atlas.countries]
    for code, country in zip(TABLES["three_letters"].values(), atlas.countries, strict=True):
        assert Region.parse(code, atlas).name == country.name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Spain,Portugal", "Spain, Portugal"),
        ("ESP, prt", "Spain, Portugal"),
        ("Amazonas, BR, Peru, Georgia, US", "Amazonas, BR, Peru, Georgia (US state)"),
        (
            "Micronesia (UN region),Western Africa,Texas",
            "Micronesia (UN region), Western Africa, Texas",
        ),
    ],
)
def test_a_list_is_all_its_regions_together(atlas, text, name):
    region = Region.parse(text, atlas)
    assert region.name == name
    points = np.random.default_rng(0).uniform([-60, -180], [75, 180], (3000, 2))
    items = Region.parse("Amazonas, BR", atlas), Region.parse("Peru", atlas)
    if "Peru" in name:
        items = (*items, Region.parse("Georgia, US", atlas))
    else:
        items = [Region.parse(each, atlas) for each in name.split(", ")]
    expected = np.any([each.contains(points) for each in items], axis=0)
    assert expected.any()
    np.testing.assert_array_equal(region.contains(points), expected)
    np.testing.assert_array_equal(Region.parse(name, atlas).contains(points), expected)


def test_a_region_says_what_it_holds(atlas):
    assert Region.parse("ES", atlas).holds == "with Canary Islands"
    western = Region.parse("Western Europe", atlas).holds
    assert western.startswith("Austria, Belgium, France, ")
    assert "; without Bonaire, Saba and Sint Eustatius, Clipperton, French Southern" in western
    assert "; with French Southern Territories" in Region.parse("Eastern Africa", atlas).holds
    europe = Region.parse("Europe", atlas).holds
    assert europe.startswith("Northern Europe, Western Europe, Southern Europe, Eastern Europe; ")
    assert "; without Canary Islands, Madeira, Bonaire, " in europe
    assert europe.endswith("; Russia west of 60° E only")
    assert Region.parse("Americas", atlas).holds.endswith(
        "; with Bonaire, Saba and Sint Eustatius, Clipperton; without Hawaii, Easter Island, "
        "Wake Island, United States Pacific Islands"
    )
    assert Region.parse("Spain, Ghana", atlas).holds == "Spain: with Canary Islands"
    assert Region.parse("Ghana", atlas).holds == ""


def test_countries_go_on_beyond_the_antimeridian(atlas):
    points = [(-17.8, 178.0), (-16.8, -180.0), (-16.8, 180.0), (-18.2, -178.8), (-13.8, -171.8)]
    assert Region.parse("Fiji", atlas).contains(points).tolist() == [True] * 4 + [False]
    chukotka = [(66.0, 179.0), (67.0, 180.0), (66.2, -173.0), (64.5, -165.4)]
    assert Region.parse("Russia", atlas).contains(chukotka).tolist() == [True] * 3 + [False]


def test_an_enclave_is_no_part_of_the_country_around_it(atlas):
    places = [(-29.6, 28.2), (-29.1, 26.2)]  # in Lesotho; Bloemfontein
    assert Region.parse("South Africa", atlas).contains(places).tolist() == [False, True]
    assert Region.parse("LS", atlas).contains(places).tolist() == [True, False]
    assert Region.parse("Southern Africa", atlas).contains(places).all()


def test_every_name_leads_back_to_its_region(atlas):
    points = np.random.default_rng(0).uniform([-90, -180], [90, 180], (2000, 2))
    for number, country in enumerate(atlas.countries):
        at_it = atlas.layer("country").at(points) == number
        for text in (country.name, country.code):
            region = Region.parse(text, atlas)
            assert region.name == country.name
            np.testing.assert_array_equal(region.contains(points), at_it)
    for name in atlas.infos["un_region"].labels:
        assert Region.parse(f"{name} (UN region)", atlas).name.startswith(name)
    for name in atlas.infos["us_state"].labels:
        assert Region.parse(f"{name}, USA", atlas).name.startswith(name)


def test_other_names_are_of_countries_that_there_are(atlas):
    names = {country.code: country.name for country in atlas.countries}
    for other, code in OTHER_NAMES.items():
        assert Region.parse(other, atlas).name == names[code]


def test_every_first_level_region_is_found_by_its_full_name(atlas):
    for label in atlas.infos["first_level_region"].labels:
        assert Region.parse(label, atlas).name in (label, label[:-4], f"{label[:-4]} (US state)")


def test_the_packaged_atlas_is_meant_if_none_is_given(atlas):
    bavaria = Region.parse("Bavaria")
    assert bavaria.contains([(48.14, 11.58), (48.78, 9.18)]).tolist() == [True, False]


def test_an_atlas_without_states_has_no_states(atlas):
    states = ("us_state", "first_level_region")
    others = {name: info for name, info in atlas.infos.items() if name not in states}
    with pytest.raises(DataError, match="no region called 'Texas'"):
        Region.parse("Texas", replace(atlas, infos=others))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("New Zeeland", "did you mean New Zealand"),
        ("Westen Africa", "did you mean Western Africa"),
        ("Calfornia", "did you mean California"),
        ("Amazonas", "did you mean Amazonas, [A-Z]{2} or Amazonas, [A-Z]{2} or"),
        ("Korea", r"did you mean North Korea or South Korea\?"),
        ("Qwxzv", "no region called 'Qwxzv': give a country .* US state, a state .* a box"),
        ("", "no region called '': give a country"),
        ("Spain,Portugall", "no region called 'Portugall': did you mean Portugal"),
        ("1,2,3", "isn't a box: give four numbers"),
        ("95,0,96,10", "latitude is beyond ±90"),
        ("0,0,nan,10", "latitude is beyond"),
        ("0,-600,10,10", "longitude is beyond ±540"),
        ("10,0,10,5", "south isn't below north"),
        ("20,0,10,5", "south isn't below north"),
        ("0,5,10,5", "west is the meridian of east"),
        ("0,190,10,-170", "west is the meridian of east"),
        ("nowhere.geojson", r"nowhere\.geojson: there is no such file"),
    ],
)
def test_what_cannot_be_meant_is_told(atlas, text, words):
    with pytest.raises(DataError, match=words):
        Region.parse(text, atlas)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("-10,110,5,140", [(-10, 110), (5, 140), (0, 125)], [(-10.1, 125), (0, 109.9), (0, 141)]),
        ("-20, 170, -10, -170", [(-15, 180), (-15, -180), (-15, 170), (-15, -170)], [(-15, 0)]),
        ("-20,170,-10,190", [(-15, 180), (-15, -170)], [(-15, -169.9), (-15, 169.9)]),
        ("-20,170,-10,180", [(-15, 180), (-15, -180)], [(-15, -179.9)]),
        ("-20,-180,-10,-170", [(-15, 180), (-15, -180)], [(-15, 179.9)]),
        ("60,-180,90,180", [(90, 0), (60, 180), (70, -180)], [(59.9, 0)]),
        ("0,0.1,1,0.3", [(0, 0.1), (1, 0.3)], [(0, 0.09999999999999999), (0, 0.30000000000000004)]),
        ("0,-400,1,400", [(0, 0), (1, 179), (0, -180)], [(2, 0)]),
    ],
)
def test_boxes(atlas, text, inside, outside):
    region = Region.parse(text, atlas)
    assert region.contains(inside).all()
    assert not region.contains(outside).any()
    assert Region.parse(region.name, atlas).contains(inside).all()


@given(BOXES, SOME_POINTS)
def test_a_box_is_a_comparison_of_coordinates(box, points):
    south, west, north, east = box
    lat, lon = points.T
    lon = np.where(lon == 180, -180.0, lon)
    between = (west <= lon) & (lon <= east) if west < east else (west <= lon) | (lon <= east)
    expected = (south <= lat) & (lat <= north) & between
    np.testing.assert_array_equal(Region.box(*box).contains(points), expected)


@given(LATITUDES, LONGITUDES, LATITUDES, SPANS, SOME_POINTS, st.booleans())
def test_a_rectangle_in_geojson_is_the_same_box(south, west, north, span, points, jumps):
    assume(south < north)
    box = (south, west, north, west + span)
    ring = shapely.Polygon(rectangle(*box)).segmentize(90.0).exterior.coords
    ring = np.array(ring)
    if jumps and span < 360:
        ring[:, 0] = (ring[:, 0] + 180) % 360 - 180
    found = Region.from_geojson(polygon(ring.tolist())).contains(points)
    np.testing.assert_array_equal(found, Region.box(*box).contains(points))


@given(BOXES, SOME_POINTS, st.sampled_from([-360.0, 360.0]))
def test_whole_turns_change_nothing(box, points, turn):
    region, shifted = Region.box(*box), np.add(points, (0, turn))
    expected = region.contains(points)
    np.testing.assert_array_equal(region.contains(shifted), expected)
    south, west, north, east = box
    if abs(west + turn) <= 540 and abs(east + turn) <= 540:
        turned = Region.box(south, west + turn, north, east + turn)
        np.testing.assert_array_equal(turned.contains(points), expected)
    if 0 < east - west <= 180:
        here = Region.from_geojson(polygon(rectangle(*box)))
        np.testing.assert_array_equal(here.contains(shifted), expected)
        ring = rectangle(south, west + turn, north, east + turn)
        there = Region.from_geojson(polygon(ring))
        np.testing.assert_array_equal(there.contains(points), expected)


@given(SOME_POINTS, st.sampled_from(["Fiji", "Eastern Europe", "Alaska"]))
def test_whole_turns_change_no_named_region(points, name):
    region = Region.parse(name, Atlas.load())
    points = np.add(points * (0.125, 0.25), (60, 175))  # where Chukotka and Alaska are
    turned = np.add(points, (0, 360))
    np.testing.assert_array_equal(region.contains(turned), region.contains(points))


def test_a_hole_is_outside_but_for_its_edge():
    around, lesotho = rectangle(-35, 16, -22, 33), rectangle(-31, 27, -28, 29.5)
    places = [(-29.6, 28.2), (-29.1, 26.2), (-31, 28), (-20, 20)]
    assert mask(polygon(around, lesotho), places) == [False, True, True, False]


def test_an_enclave_of_its_own_fills_the_hole():
    around, lesotho = rectangle(-35, 16, -22, 33), rectangle(-31, 27, -28, 29.5)
    both = {
        "type": "GeometryCollection",
        "geometries": [polygon(around, lesotho), polygon(lesotho)],
    }
    assert mask(both, [(-29.6, 28.2), (-29.1, 26.2), (-20, 20)]) == [True, True, False]


FIJI_AS_DRAWN = [
    polygon(rectangle(-21, 176, -12, 182)),
    polygon(rectangle(-21, -184, -12, -178)),
    polygon(rectangle(-21, 176, -12, -178)),
    {
        "type": "MultiPolygon",
        "coordinates": [[rectangle(-21, 176, -12, 180)], [rectangle(-21, -180, -12, -178)]],
    },
    polygon(
        [[176, -21], [180, -21], [-180, -21], [-178, -21], [-178, -12], [176, -12], [176, -21]]
    ),
    polygon([[180, -21], [-178, -21], [-178, -12], [176, -12], [176, -21], [-180, -21]]),
]


@pytest.mark.parametrize("geojson", FIJI_AS_DRAWN)
def test_rings_across_the_antimeridian(geojson):
    inside = [(-17.8, 178), (-16.8, 180), (-16.8, -180), (-18.2, -178.8), (-18, 181), (-18, -182)]
    outside = [(-18, 175), (-18, -177), (-18, 0), (-22, 180)]
    assert mask(geojson, inside + outside) == [True] * 6 + [False] * 4


@pytest.mark.parametrize("west", [-181, 179])
@pytest.mark.parametrize("outer_west", [-200, 160])
def test_holes_may_be_written_a_turn_away(west, outer_west):
    ring = rectangle(-20, outer_west, 20, outer_west + 40)
    holes = rectangle(-5, west, 5, west + 2), rectangle(-5, west + 4, 5, west + 6)
    without = [(0, 180), (0, -180), (0, 179.5), (0, -179.5), (0, -176)]
    assert mask(polygon(ring, *holes), [*without, (0, 178), (0, -178)]) == [False] * 5 + [True] * 2


def test_half_a_turn_is_no_jump():
    places = [(1, 90), (1, -90), (1, 180)]
    assert mask(polygon(rectangle(0, 0, 5, 180)), places) == [True, False, True]
    assert mask(polygon(rectangle(0, 0, 5, 180)[::-1]), places) == [True, False, True]
    assert mask(polygon(rectangle(0, -180, 5, 0)), places) == [False, True, True]


def test_a_hole_may_cross_the_edge_of_the_map():
    world = polygon(rectangle(-90, -180, 90, 180), rectangle(-5, 175, 5, -175))
    places = [(0, 180), (0, -180), (0, -178), (0, 178), (0, 0), (10, 180)]
    assert mask(world, places) == [False] * 4 + [True] * 2


def test_antarctica_as_it_is_drawn_along_the_edge_of_the_map():
    coast = [[-180, -78], [-60, -65], [60, -67], [180, -78]]
    antarctica = polygon([*coast, [180, -90], [-180, -90], [-180, -78]])
    places = [(-90, 0), (-85, 180), (-70, -60), (-70, 60), (-50, 0), (-70, 180)]
    assert mask(antarctica, places) == [True] * 4 + [False] * 2


def test_all_kinds_of_geojson_are_read(tmp_path):
    feature = {"type": "Feature", "properties": {}, "geometry": polygon(rectangle(0, 0, 5, 5))}
    several = {"type": "MultiPolygon", "coordinates": [[rectangle(10, 10, 15, 15)]]}
    nowhere = {"type": "Feature", "properties": {}, "geometry": None}
    deep = {"type": "GeometryCollection", "geometries": [several, polygon()]}
    collection = {"type": "FeatureCollection", "features": [feature, nowhere, deep]}
    file = tmp_path / "two places.GeoJSON"
    file.write_text(json.dumps(collection), encoding="utf-8-sig")
    region = Region.parse(str(file), Atlas.load())
    assert region.name == "two places"
    assert region.contains([(1, 1), (12, 12), (7, 7)]).tolist() == [True, True, False]
    assert mask(feature, [(1, 1), (12, 12)]) == [True, False]


def test_heights_and_tuples_do_no_harm():
    ring = tuple((*position, 400.0) for position in rectangle(0, 0, 5, 10))
    assert mask({"type": "Polygon", "coordinates": (ring,)}, [(1, 9), (9, 1)]) == [True, False]


def test_a_polygon_from_an_object_may_have_a_name():
    square = polygon(rectangle(0, 0, 5, 5))
    assert Region.from_geojson(square).name == "polygon"
    assert Region.from_geojson(square, "at home").name == "at home"


SQUARE = rectangle(0, 0, 5, 5)
CIRCUMPOLAR = [[-120, 60], [0, 60], [120, 60], [-120, 60]]


@pytest.mark.parametrize(
    ("geojson", "words"),
    [
        (
            polygon([[1, 95], [2, 95], [2, 96], [1, 95]]),
            "latitude is beyond ±90; .* longitude first",
        ),
        (polygon([[400, 1], [700, 1], [700, 2], [400, 1]]), "longitude is beyond ±540"),
        (polygon([[float("nan"), 1], [7, 1], [7, 2], [8, 1]]), "longitude is beyond"),
        (polygon(SQUARE[:4]), "isn't closed; repeat its first position"),
        (polygon(SQUARE[:3]), "a ring needs four positions"),
        (polygon(["abcd"] * 4), "isn't a list of positions"),
        (polygon([[10**400, 1]] * 4), "isn't a list of positions"),
        (polygon([[1, 2], [1, 2], [3], [1, 2]]), "isn't a list of positions"),
        (polygon([[1], [1], [1], [1]]), "a ring needs four positions"),
        (polygon(7), "isn't a list of positions"),
        (polygon(SQUARE, SQUARE), "it covers nothing"),
        (polygon([[0, 0], [5, 5], [5, 0], [0, 5], [0, 0]]), "Self-intersection.*draw it again"),
        (polygon([[5, 0], [5, 5], [5, 3], [5, 0]]), "isn't the outline of an area"),
        (polygon(CIRCUMPOLAR), "goes around a pole; lead it along"),
        (polygon([[-180, 60], [-60, 60], [60, 60], [180, 60]]), "goes around a pole"),
        (polygon(), "it covers nothing; give at least one polygon"),
        ({"type": "FeatureCollection", "features": []}, "it covers nothing"),
        ({"type": "FeatureCollection"}, "'FeatureCollection' isn't a usable part"),
        ({"type": "Point", "coordinates": [1, 2]}, "'Point' isn't a usable part; give Polygons"),
        ({"type": "MultiPolygon", "coordinates": [3]}, "'Polygon' isn't a usable part"),
        ({"type": "GeometryCollection", "geometries": [3]}, "3 isn't a usable part"),
        ({}, "None isn't a usable part"),
    ],
)
def test_what_is_no_polygon_is_told(geojson, words):
    with pytest.raises(DataError, match=f"the GeoJSON object: .*{words}"):
        Region.from_geojson(geojson)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no json", "this isn't a readable GeoJSON file"),
        (b"\xff\xfe\x00", "this isn't a readable GeoJSON file"),
        (b"[" * 200_000, "this isn't a readable GeoJSON file"),
        (b"[1, 2]", "this is JSON, but not GeoJSON"),
        (b'{"type": "Topology"}', "'Topology' isn't a usable part"),
    ],
)
def test_a_bad_file_is_named(tmp_path, atlas, content, words):
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    with pytest.raises(DataError, match=rf"bad\.json: {words}"):
        Region.parse(str(file), atlas)


@pytest.mark.parametrize("point", [(91, 0), (float("nan"), 0), (0, float("inf"))])
@pytest.mark.parametrize("text", ["Fiji", "-10,110,5,140"])
def test_points_off_the_earth_are_refused(atlas, text, point):
    with pytest.raises(CoordinateError):
        Region.parse(text, atlas).contains([(0, 0), point])


@pytest.mark.parametrize("text", ["Fiji", "-10,110,5,140"])
def test_no_points_and_one_point(atlas, text):
    region = Region.parse(text, atlas)
    assert region.contains(np.empty((0, 2))).shape == (0,)
    assert region.contains((-5, 120)).dtype == np.bool_
    assert region.contains((-5, 120)).shape == (1,)


def test_only_polygons_load_shapely():
    code = (
        "import sys; from geowhy.geo.atlas import Atlas; from geowhy.geo.regions import Region;"
        "[Region.parse(t, Atlas.load()).contains([(0, 0)]) for t in ('Fiji', '0,0,1,1')];"
        "print('shapely' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
