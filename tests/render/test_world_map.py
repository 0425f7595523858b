"""The map: well-formed, compact, complete at the antimeridian and the poles."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.geo.sphere import distance_km
from geowhy.render.outlines import (
    HEIGHT,
    WIDTH,
    cell_outlines,
    circle_lines,
    closed_path,
    coastlines,
    cut_at_antimeridian,
    on_map,
)
from geowhy.render.world_map import (
    CLASS_LIMITS,
    MapContent,
    class_names,
    view_of_answer,
    world_map,
)
from geowhy.types import LatLon

SVG = "{http://www.w3.org/2000/svg}"


def all_cells():
    base = h3.api.basic_int.get_res0_cells()
    return [cell for each in base for cell in h3.api.basic_int.cell_to_children(each, 2)]


def content(**changes):
    values = {
        "answer": LatLon(66.0, 179.0),
        "radius_50_km": 500.0,
        "radius_90_km": 2500.0,
        "density": None,
        "truth": LatLon(60.0, -170.0),
        "title": "A <b>map</b> & more",
        "description": "Answer 66° N",
    }
    return MapContent(**{**values, **changes})


def density(cells, probability):
    return SimpleNamespace(cells=np.array(cells, np.uint64), probability=np.array(probability))


def area(polygon):
    """Share of the map's plane; Equal Earth keeps the share of the sphere."""
    x, y = on_map(polygon).T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def test_it_is_well_formed_and_says_what_it_shows():
    root = ElementTree.fromstring(world_map(content()))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title description"
    assert root.find(f"{SVG}title").text == "A <b>map</b> & more"
    assert root.find(f"{SVG}desc").text == "Answer 66° N"


def test_the_whole_world_in_cells_stays_compact():
    cells = all_cells()
    text = world_map(content(density=density(cells, np.full(len(cells), 0.002))))
    assert len(world_map(content())) < 60_000
    assert len(text) < 400_000
    land = cells[::4]  # as many as there is land
    assert len(world_map(content(density=density(land, np.full(len(land), 0.002))))) < 150_000


def test_everything_lies_within_the_map():
    cells = all_cells()[::7]
    points = np.vstack([part for cell in cells for part in cell_outlines(cell)])
    x, y = on_map(points).T
    assert x.min() >= -1e-9
    assert x.max() <= WIDTH + 1e-9
    assert y.min() >= -1e-9
    assert y.max() <= HEIGHT + 1e-9


def test_all_cells_together_cover_the_earth_once():
    # No cell is lost or drawn across the whole map, those at the edge and the poles included.
    covered = sum(area(part) for cell in all_cells() for part in cell_outlines(cell))
    lat = np.linspace(-90, 90, 721)
    east = np.stack([lat, np.full(721, 180.0)], axis=-1)
    assert covered == pytest.approx(area(np.vstack([east, (east * [1, -1])[::-1]])), rel=2e-3)


def test_a_cell_across_the_antimeridian_has_two_parts():
    cell = h3.api.basic_int.latlng_to_cell(0.0, 180.0, 2)
    parts = cell_outlines(cell)
    assert len(parts) == 2
    assert sorted(np.sign(part[:, 1].mean()) for part in parts) == [-1, 1]
    assert all(np.ptp(part[:, 1]) < 10 for part in parts)


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_a_polygon_around_a_pole_reaches_it(pole):
    ring = np.stack([np.full(12, pole * 0.9), np.arange(-170.0, 190.0, 30.0)], axis=-1)
    parts = cut_at_antimeridian(ring)
    assert sum(np.abs(part[:, 0]).max() == 90.0 for part in parts) == len(parts)
    assert sum(np.ptp(part[:, 1]) for part in parts) == pytest.approx(360.0)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(50, 19_000))
def test_a_circle_has_its_radius_and_no_line_across_the_map(lat, lon, radius):
    lines = circle_lines(LatLon(lat, lon), radius)
    for line in lines:
        assert np.abs(np.diff(line[:, 1])).max(initial=0) <= 180.0 + 1e-9
        # The points put in at the map's edge lie on a chord, not on the circle.
        away = distance_km((lat, lon), line[1:-1])
        assert np.abs(away - radius).max(initial=0) < 1e-3


def test_circles_are_left_out_where_they_are_no_line():
    text = world_map(content(radius_50_km=0.0, radius_90_km=25_000.0))
    assert text.count('class="circle') == 2  # both in the legend


def test_marks_are_numbered_and_the_answer_is_on_top():
    text = world_map(content(others=(LatLon(0, 0), LatLon(10, 10)), rival=LatLon(-20, 30)))
    marks = re.findall(r'translate\([^)]+\)"><(?:circle|path) class="([a-z ]+)"', text)
    assert marks[:5] == ["rival", "mode", "mode", "truth under", "answer"]
    assert re.findall(r">(\d)</text></g>", text) == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("changes", "least", "most"),
    [
        ({"answer": LatLon(40, 10), "radius_90_km": 10.0}, 50, 60),
        ({"answer": LatLon(40, 10), "radius_90_km": 2000.0}, 150, 300),
        ({"answer": LatLon(10, 179), "radius_90_km": 2000.0}, 150, 350),  # across the map's edge
        ({"answer": LatLon(89, 10), "radius_90_km": 3000.0}, 200, WIDTH),
        ({"answer": LatLon(40, 10), "radius_90_km": 0.0}, 200, 300),  # a guess
        ({"answer": LatLon(40, 10), "radius_90_km": 18_000.0}, 900, WIDTH),
    ],
)
def test_the_view_of_the_answer_holds_its_circle(changes, least, most):
    x, y, width = view_of_answer(content(**changes))
    assert [x, y] == pytest.approx(
        on_map(np.array([changes["answer"].lat, changes["answer"].lon])).tolist()
    )
    assert least <= width <= most


def test_cells_are_drawn_by_class_and_the_improbable_left_out():
    cells = all_cells()[:3]
    text = world_map(content(density=density(cells, [CLASS_LIMITS[0] / 2, 0.003, 0.5])))
    drawn = re.findall(r'<path class="d(\d)"', text)
    assert drawn == ["2", "7"]
    assert class_names()[2] == "0.2–0.5 %"
    assert class_names()[-1] == "over 10 %"


def test_coastlines_enclose_the_land():
    total = 0.0
    for curve in coastlines():
        assert np.abs(curve[:, 0]).max() <= 90.0
        assert np.abs(curve[:, 1]).max() <= 180.0
        x, y = on_map(curve).T
        total += np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2  # lakes count against it
    assert abs(total) / (WIDTH * HEIGHT) == pytest.approx(0.29 * 0.82, abs=0.03)


def test_a_polygon_smaller_than_a_tenth_is_left_out():
    assert closed_path(np.full((6, 2), 3.0)) == ""
