"""The script that registers worlds finds offsets that the test has put in."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from geowhy.geo.sphere import lat_lon_to_unit, unit_to_lat_lon
from geowhy.images.overhead import WorldImage

SCRIPT = Path(__file__).parents[1] / "scripts" / "register_worlds.py"
RNG = np.random.default_rng(5)
WAVES = 70 * RNG.normal(size=(3, 5))  # some 600 km long
PHASES = RNG.uniform(0, 2 * np.pi, 5)
CENTRES = unit_to_lat_lon(RNG.normal(size=(160, 3)))
CENTRES = CENTRES[(np.abs(CENTRES[:, 0]) > 40) & (np.abs(CENTRES[:, 0]) < 65)][:24]
REFERENCE_COLOURS = ((120, 100, 60), (10, 30, 90))  # of land and sea


@pytest.fixture(scope="module")
def script():
    if not SCRIPT.is_file():
        pytest.skip("scripts are only in a checkout")
    spec = importlib.util.spec_from_file_location("register_worlds", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


def drawn(height, colours, offset_deg=(0.0, 0.0)):
    """Made-up continents, their things moved north and east."""
    lat = 90 - (np.arange(height) + 0.5) * 180 / height - offset_deg[0]
    lon = (np.arange(2 * height) + 0.5) * 180 / height - 180 - offset_deg[1]
    places = lat_lon_to_unit(np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1))
    level = np.sin(places @ WAVES + PHASES).sum(axis=-1)
    share = 1 / (1 + np.exp(-2 * level))[..., None]
    pixels = np.array(colours[0]) * share + np.array(colours[1]) * (1 - share)
    return np.rint(pixels).astype(np.uint8)


@pytest.fixture(scope="module")
def templates(script):
    return script.prepare(
        WorldImage(drawn(900, REFERENCE_COLOURS)), CENTRES, script.lightness, coasts=True
    )


@pytest.mark.parametrize("height", [800, 600])
def test_an_offset_is_found_whatever_the_colours(script, templates, height):
    put_px = np.array([0.4, -0.7])
    other = drawn(height, ((60, 60, 60), (200, 200, 200)), put_px / 15)
    found, shifts = script.fitted(templates, script.lightness(other))
    assert found == pytest.approx(put_px, abs=0.1)
    assert shifts.matched.mean() > 0.9
    assert (shifts.interval_px() < 0.5).all()


def test_pixels_are_those_of_the_reference_however_far_north(script, templates):
    other = drawn(800, REFERENCE_COLOURS, (0.0, -3 / 15))
    found = script.compare(templates, WorldImage(script.lightness(other)))
    assert found.median_px == pytest.approx([0, -3], abs=0.5)


def test_intervals_know_that_neighbours_err_together(script):
    centres = np.array([(5.0, 5.0)] * 60 + [(25.0, 5.0)] * 40)
    offset_px = np.repeat([(0.0, 3.0), (1.0, 3.0)], (60, 40), axis=0)
    matched = np.ones(100, bool)
    shifts = script.Shifts(centres, offset_px, matched)
    assert list(shifts.median_px) == [0, 3]
    assert list(shifts.interval_px()) == [0.5, 0]
    matched[:60] = False
    assert list(script.Shifts(centres, offset_px, matched).median_px) == [1, 3]


@pytest.mark.parametrize("at", [(0.3, -1.2), (-2.0, 2.45)])
def test_the_top_of_a_parabola_is_found(script, at):
    down, right = np.meshgrid(np.arange(-4, 5), np.arange(-4, 5), indexing="ij")
    surface = 9 - (down - at[0]) ** 2 - 2 * (right - at[1]) ** 2
    assert script.peaks(surface[None])[:, 0] == pytest.approx(at)


def test_places_are_at_coasts_or_inland(script):
    rng = np.random.default_rng(0)
    for inland, least, most in ((False, 0.1, 0.8), (True, 0.0, 0.02)):
        centres = script.places(20, rng, inland=inland)
        views = script.cut_views(script.reference_world(), centres, script.PX_KM, script.VIEW)
        share = script.water(views).mean((1, 2))
        assert centres.shape == (20, 2)
        assert ((share >= least) & (share <= most)).all()


def test_colour_is_the_same_in_light_and_shadow(script):
    sand, sea = np.array([180, 150, 100]), np.array([30, 90, 180])
    shades = np.array([[sand, sand * 0.7], [sea, sea * 0.7]]).astype(np.uint8)
    blue = script.colour(shades)[..., 0].astype(int)
    assert (np.abs(blue[:, 0] - blue[:, 1]) < 6).all()
    assert (blue[0] < 110).all()
    assert (blue[1] > 170).all()
    assert (script.colour(np.full((2, 2, 3), 77, np.uint8)) == 128).all()
