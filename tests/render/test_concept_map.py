"""Maps of concepts: the raster, what is compared, and the figure as it is drawn."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from geowhy.concepts.grounding import parse_grounding
from geowhy.concepts.vocabulary import Concept
from geowhy.errors import DataError
from geowhy.evaluation.concept_comparison import compare
from geowhy.geo.atlas import Atlas, uniform_on_land
from geowhy.geo.sphere import equal_earth
from geowhy.model.geomodel import GeoModel
from geowhy.render.concept_map import (
    COLOURS,
    FORMATS,
    NO_DATA,
    draw_comparison,
    figure_bytes,
    rasterised,
)
from geowhy.render.world_map import X_MOST, Y_MOST

SAHARA, AMAZON, MID_ATLANTIC, ANTARCTICA = (25.0, 10.0), (-5.0, -62.0), (25.0, -40.0), (-80.0, 90.0)
NARROW_WATERS = [(20.5, 38.2), (27.0, 51.2), (-1.0, 33.0), (42.0, 50.5)]  # and lakes
AGREEMENT = "Pearson correlation r = 0.500 over 20,000 gallery points."


@pytest.fixture(scope="module")
def atlas():
    return Atlas.load()


@pytest.fixture(scope="module")
def places(atlas):
    return uniform_on_land(atlas, 20_000, np.random.default_rng(0))


def a_concept(atlas, grounding, **changes):
    said = {"id": "dry", "name": "dry", "category": "c", "definition": "Dry.", "prompts": ()}
    parsed = parse_grounding(grounding, atlas) if grounding else None
    return Concept(**{**said, **changes}, grounding=parsed)


def a_locator(places, scores):
    aligner = SimpleNamespace(
        bank=SimpleNamespace(ids=("other", "dry")),
        concept_scores=lambda side, columns: side[:, columns],
    )
    engine = SimpleNamespace(
        gallery=SimpleNamespace(lat_lon=places, side=np.stack([0 * scores, -2 * scores], axis=1)),
        model=GeoModel("tiny", None, None, aligner, None),
    )
    return SimpleNamespace(name="tiny", engine=engine)


def value_at(grid, lat_lon):
    height, width = grid.shape
    x, y = equal_earth(lat_lon)
    return grid[int((1 - y / Y_MOST) * height / 2), int((x / X_MOST + 1) * width / 2)]


def test_a_pixel_is_the_mean_of_its_known_values():
    point = np.array([[10.0, 20.0]])
    grid = rasterised(np.repeat(point, 4, axis=0), np.array([1.0, 2.0, np.nan, 6.0]))
    assert value_at(grid, point[0]) == 3.0


def test_a_pixel_is_where_its_place_is():
    grid = rasterised(np.array([[60.0, -100.0], [-30.0, 140.0]]), np.array([1.0, 2.0]))
    assert value_at(grid, (60.0, -100.0)) == 1.0
    assert value_at(grid, (-30.0, 140.0)) == 2.0
    assert np.isnan(value_at(grid, (0.0, 0.0)))


def test_gaps_are_filled_from_the_nearest_place(places):
    grid = rasterised(places, (places[:, 1] > 0).astype(float))
    assert value_at(grid, SAHARA) == 1.0
    assert value_at(grid, AMAZON) == 0.0
    assert np.isnan(value_at(grid, (-30.0, -110.0)))  # the middle of the Pacific
    on_land = uniform_on_land(Atlas.load(), 2000, np.random.default_rng(1))
    assert np.mean([np.isnan(value_at(grid, place)) for place in on_land]) < 0.002


def test_a_filled_gap_keeps_what_its_neighbour_does_not_know():
    grid = rasterised(np.array([[0.0, 0.0], [0.0, 11.0]]), np.array([np.nan, 5.0]))
    row = grid[grid.shape[0] // 2]
    known = np.flatnonzero(~np.isnan(row))
    at = int(np.flatnonzero(row == 5.0).mean())
    middle = grid.shape[1] // 2
    assert known.size
    assert np.isnan(row[middle])
    # The second place reaches three pixels to either side, less where the first is nearer.
    assert known.min() > (middle + at) / 2 - 1


def test_more_places_make_a_finer_raster(places):
    values = np.zeros(len(places))
    coarse, fine = rasterised(places[:5000], values[:5000]), rasterised(places, values)
    assert fine.shape[1] == pytest.approx(2 * coarse.shape[1], rel=0.02)
    assert fine.shape[1] / fine.shape[0] == pytest.approx(X_MOST / Y_MOST, rel=0.01)


def test_compare_standardises_scores_and_correlates_them(atlas, places):
    rain = atlas.layer("precipitation").at(places)
    scores = np.nan_to_num(rain, nan=0.0).astype(np.float32)
    compared = compare(a_concept(atlas, "precipitation"), a_locator(places, scores), atlas)
    assert compared.score.mean() == pytest.approx(0, abs=1e-5)
    assert compared.score.std() == pytest.approx(1, abs=1e-5)
    assert compared.pearson == pytest.approx(-1, abs=1e-5)  # the locator turns it round
    assert not compared.is_class
    assert compared.truth_words == "precipitation in a mean year (mm/yr)"


def test_compare_leaves_out_places_of_unknown_truth(atlas, places):
    sea = np.array([[0.0, -30.0]] * 5)
    everywhere = np.concatenate([places, sea])
    scores = np.random.default_rng(1).normal(size=len(everywhere)).astype(np.float32)
    concept = a_concept(atlas, "elevation > 500")
    compared = compare(concept, a_locator(everywhere, scores), atlas)
    assert not compared.known[-5:].any()
    truth = atlas.layer("elevation").at(places) > 500
    known = compared.known[:-5]
    expected = np.corrcoef(-scores[:-5][known], truth[known])[0, 1]
    assert compared.pearson == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("grounding", "words"),
    [
        ("log(1 + relief)", "log(1 + relief), with relief in m"),
        ("latitude / 2", "latitude / 2"),
        ("wind >= 5", "wind >= 5, with wind in m/s"),
        ("koppen_5 == 'B arid'", "koppen_5 == 'B arid'"),
        ("latitude", "latitude (°)"),
    ],
)
def test_the_truth_is_told_with_its_unit(atlas, places, grounding, words):
    scores = places[:, 0].astype(np.float32)
    concept = a_concept(atlas, grounding)
    assert compare(concept, a_locator(places, scores), atlas).truth_words == words


def test_compare_refuses_a_truth_that_is_the_same_everywhere(atlas, places):
    north = places[places[:, 0] > 0]
    locator = a_locator(north, north[:, 0].astype(np.float32))
    with pytest.raises(DataError, match="the same, or unknown, at all"):
        compare(a_concept(atlas, "latitude > 0"), locator, atlas)


def drawn(atlas, places, **changes):
    """A figure, and its pixels ``[H, W, 3]`` from 0 to 1."""
    scores = places[:, 0].astype(np.float32)
    concept = a_concept(atlas, changes.pop("grounding", "koppen_5 == 'B arid'"), **changes)
    figure = draw_comparison(compare(concept, a_locator(places, scores), atlas), AGREEMENT)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return figure, np.asarray(canvas.buffer_rgba())[..., :3] / 255


def colour_at(figure, pixels, axes, lat_lon):
    x, y = axes.transData.transform(equal_earth(lat_lon))
    return pixels[int(pixels.shape[0] - y), int(x)]


def test_the_map_shows_land_sea_and_gaps(atlas, places):
    figure, pixels = drawn(atlas, places)
    score, truth = (axes for axes in figure.axes if axes.get_images())
    low, high = colormaps[COLOURS]([0.0, 1.0])[:, :3]
    near = pytest.approx
    assert colour_at(figure, pixels, truth, SAHARA) == near(high, abs=0.01)
    assert colour_at(figure, pixels, truth, AMAZON) == near(low, abs=0.01)
    for axes in (score, truth):
        for water in (MID_ATLANTIC, *NARROW_WATERS):
            assert colour_at(figure, pixels, axes, water) == near(1.0, abs=0.02), water
        assert colour_at(figure, pixels, axes, ANTARCTICA) == near(to_rgb(NO_DATA), abs=0.01)
    # The score is minus the latitude.
    south, north = (colour_at(figure, pixels, score, p) for p in ((-47.5, -71.0), (73.0, -40.0)))
    assert south == near(high, abs=0.02)
    assert north == near(low, abs=0.02)


def texts(figure):
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"grounding": "precipitation"},
        {
            "name": "a name of many words that goes on until nobody reads it any further, and on",
            "definition": "A definition that costs $5 and $6 and is " + 30 * "long and " + "wide.",
            "grounding": "land_cover == 'cropland' and (koppen_30 in ['Cfa', 'Cfb', 'Dfa', 'Dfb'] "
            "or elevation > 100 and precipitation > 300 and distance_to_coast_km < 400)",
        },
    ],
    ids=["short", "degree", "long"],
)
def test_no_text_leaves_the_figure_or_overlaps_another(atlas, places, changes):
    figure, _ = drawn(atlas, places, **changes)
    boxes = {t.get_text(): t.get_window_extent() for t in texts(figure)}
    for text, box in boxes.items():
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.width, text
        assert box.y1 <= figure.bbox.height, text
    for one, other in combinations(texts(figure), 2):
        first, second = (t.get_window_extent().padded(-1) for t in (one, other))
        assert not first.overlaps(second), (one.get_text(), other.get_text())


def test_the_figure_says_what_it_shows(atlas, places):
    figure, _ = drawn(atlas, places, name="dry $a$ land")
    said = [t.get_text() for t in texts(figure)]
    for words in ("dry $a$ land", "Dry.", f"Model tiny. {AGREEMENT}", "koppen_5 == 'B arid'"):
        assert words in said
    assert said.count("no data") == 2
    assert "standard deviations over the land" in said
    assert {"holds", "doesn't hold"} <= set(said)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_figure_gives_the_same_bytes(atlas, places, kind):
    one, other = (figure_bytes(drawn(atlas, places)[0], kind) for _ in range(2))
    assert one == other
