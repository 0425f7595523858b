"""The map: compact, complete at the antimeridian and the poles."""

import re
from types import SimpleNamespace

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowhy.answer import Candidate
from geowhy.explanation import Explanation, Reference
from geowhy.geo.sphere import distance_km
from geowhy.render.report import html_report
from geowhy.render.world_map import (
    CLASS_LIMITS,
    HEIGHT,
    WIDTH,
    cell_outlines,
    circle_lines,
    class_names,
    coastlines,
    cut_at_antimeridian,
    map_shapes,
    on_map,
    path_data,
    view_of_answer,
)
from geowhy.types import LatLon

from .pages import entry


def all_cells():
    base = h3.api.basic_int.get_res0_cells()
    return [cell for each in base for cell in h3.api.basic_int.cell_to_children(each, 2)]


def world_map(**changes):
    """The map of a page of one picture."""
    page = html_report([entry(**{"truth": LatLon(60.0, -170.0), **changes})])
    return re.search(r'<svg class="world" role="img".*?</svg>', page)[0]


def density(cells, probability):
    return SimpleNamespace(cells=np.array(cells, np.uint64), probability=np.array(probability))


def area(polygon):
    """Share of the map's plane; Equal Earth keeps the share of the sphere."""
    x, y = on_map(polygon).T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def test_it_says_what_it_shows():
    explanation = Explanation(0.0, (), 0.0, Reference("place", LatLon(-20.0, 30.0), "there"))
    assert (
        ' aria-label="World map for &lt;b&gt;.png. Answer 9.41° N, 0.84° W. Half of such answers '
        "are within 310 km of the truth, nine in ten within 1,800 km. "
        'Truth 60.00° N, 170.00° W, 12,200 km away. Held against 20.00° S, 30.00° E"'
    ) in world_map(image="<b>.png", explanation=explanation)


def test_the_whole_world_in_cells_stays_compact():
    cells = all_cells()
    text = world_map(density=density(cells, np.full(len(cells), 0.002)))
    assert len(map_shapes()) < 50_000
    assert len(world_map()) < 10_000
    assert len(text) < 350_000
    land = cells[::4]  # as many as there is land
    assert len(world_map(density=density(land, np.full(len(land), 0.002)))) < 100_000


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
    assert world_map().count('class="circle') == 2
    assert 'class="circle' not in world_map(radius_50_km=0.0, radius_90_km=25_000.0)


def test_marks_are_numbered_and_the_answer_is_on_top():
    explanation = Explanation(0.0, (), 0.0, Reference("place", LatLon(-20.0, 30.0), "there"))
    candidates = tuple(Candidate(LatLon(10.0 * n, 10.0 * n), 0.3, "") for n in range(3))
    text = world_map(candidates=candidates, explanation=explanation)
    marks = re.findall(r'translate\([^)]+\)"><(?:circle|path) class="([a-z ]+)"', text)
    assert marks[:5] == ["rival", "mode", "mode", "truth under", "answer"]
    assert re.findall(r">(\d)</text></g>", text) == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("changes", "least", "most"),
    [
        ({"position": LatLon(40, 10), "radius_90_km": 10.0}, 50, 60),
        ({"position": LatLon(40, 10), "radius_90_km": 2000.0}, 150, 300),
        ({"position": LatLon(10, 179), "radius_90_km": 2000.0}, 150, 350),  # across the map's edge
        ({"position": LatLon(89, 10), "radius_90_km": 3000.0}, 200, WIDTH),
        ({"position": LatLon(40, 10), "radius_90_km": 0.0}, 200, 300),  # a guess
        ({"position": LatLon(40, 10), "radius_90_km": 18_000.0}, 900, WIDTH),
    ],
)
def test_the_view_of_the_answer_holds_its_circle(changes, least, most):
    x, y, width = view_of_answer(entry(**changes).prediction)
    place = changes["position"]
    assert [x, y] == pytest.approx(on_map(np.array([place.lat, place.lon])).tolist())
    assert least <= width <= most


def test_cells_are_drawn_by_class_and_the_improbable_left_out():
    cells = all_cells()[:3]
    text = world_map(density=density(cells, [CLASS_LIMITS[0] / 2, 0.003, 0.5]))
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
    assert path_data(np.full((6, 2), 3.0), closed=True) == ""


def test_paths_are_written_in_few_characters():
    line = np.array([[0.0, 0.3], [10.5, -0.2], [10.5, -0.2], [110.5, 1.8]])
    assert path_data(line) == "M0 .3l10.5 -.5 100 2"
    assert path_data(line, closed=True) == "M0 .3l10.5 -.5 100 2z"
