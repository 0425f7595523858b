"""The map under a picture: in the same geometry as it, with lines at their degrees."""

import numpy as np
import pytest

from geowhy.geo.atlas import Atlas
from geowhy.geo.azimuthal import plane_to_sphere
from geowhy.geo.pose import Pose
from geowhy.images.worlds import reference_world
from geowhy.overlay.laid import LaidPicture
from geowhy.render.overlay_map import SIDE, OverlayMap
from geowhy.types import LatLon

from ..overlay.paint import PLACES, SHAPE, answer


def map_about(pose):
    blank = np.zeros((*SHAPE, 3), np.uint8)
    return OverlayMap(LaidPicture.of(answer(pose), blank).levelled())


def fields(drawn, side=SIDE):
    """Degrees of all pixel centres of the map, by its size alone."""
    away = ((np.arange(side) + 0.5) / side * 2 - 1) * drawn.half_km
    middle = drawn.laid.pose.lat_lon
    plane = np.stack(np.meshgrid(away, -away), axis=-1).reshape(-1, 2)
    return plane_to_sphere([(middle.lat, middle.lon)], plane).reshape(side, side, 2)


@pytest.mark.parametrize("place", ["level", "antimeridian", "pole"])
def test_the_world_is_the_reference_at_the_same_degrees(place):
    drawn = map_about(PLACES[place])
    world, pixels = reference_world(), drawn.world()
    assert pixels.shape == (SIDE, SIDE, 3)
    height, width = world.pixels.shape[:2]
    lat, lon = np.moveaxis(fields(drawn), -1, 0)
    row = np.clip((90 - lat) / 180 * height, 0, height - 1).astype(int)
    nearest = world.pixels[row, ((lon + 180) / 360 * width).astype(int) % width]
    assert np.corrcoef(pixels.ravel(), nearest.ravel())[0, 1] > 0.98


def test_degrees_lie_where_the_map_has_them():
    drawn = map_about(PLACES["antimeridian"])
    grid = fields(drawn)
    for row, column in ((3, 5), (500, 500), (990, 20)):
        x, y = drawn.on_map(grid[row, column][None])[0]
        assert (x, y) == pytest.approx((column + 0.5, row + 0.5), abs=1e-3)


def test_the_whole_picture_is_on_the_map_with_room():
    for pose in PLACES.values():
        drawn = map_about(pose)
        corners = drawn.on_map(drawn.laid.ground(drawn.laid.corners))
        assert ((corners > 0.05 * SIDE) & (corners < 0.95 * SIDE)).all()


def test_coasts_are_between_land_and_sea():
    drawn = map_about(PLACES["level"])
    line = drawn.coasts()[..., 3] > 0
    assert 0.005 < line.mean() < 0.1
    land = Atlas.load().is_land(fields(drawn).reshape(-1, 2)).reshape(SIDE, SIDE)
    # Around any point of the line there is both.
    rows, columns = (each[::211] for each in np.nonzero(line[20:-20, 20:-20]))
    shares = [land[r : r + 41, c : c + 41].mean() for r, c in zip(rows, columns, strict=True)]
    assert len(shares) > 20
    assert min(shares) > 0
    assert max(shares) < 1
    assert not map_about(Pose(LatLon(-45.0, -120.0), 600.0, 0.0)).coasts().any()


def test_lines_of_the_graticule_run_along_their_degrees():
    drawn = map_about(PLACES["antimeridian"])
    lines = {line.words: line for line in drawn.graticule()}
    assert {"180°", "178° E", "178° W", "16° S", "18° S"} <= lines.keys()
    for words, lat, lon in (("180°", -17.0, 180.0), ("16° S", -16.0, 179.5)):
        x, y = drawn.on_map(np.array([(lat, lon)]))[0]
        start, _, steps = lines[words].path[1:].partition("l")
        points = np.cumsum(np.reshape([float(n) for n in f"{start} {steps}".split()], (-1, 2)), 0)
        assert np.hypot(*(points - [x, y]).T).min() < 12.0
    assert all(line.label is None or (np.array(line.label) < SIDE).all() for line in lines.values())


def test_around_a_pole_parallels_close_and_meridians_are_30_degrees_apart():
    lines = {line.words: line.path for line in map_about(PLACES["pole"]).graticule()}
    assert {"85° N", "80° N", "0°", "30° E", "150° W", "180°"} <= lines.keys()
    assert sum(" N" not in words for words in lines) == 12
    steps = np.reshape([float(n) for n in lines["85° N"].partition("l")[2].split()], (-1, 2))
    assert np.hypot(*steps.sum(axis=0)) < 12.0


def test_the_scale_bar_is_a_round_length():
    drawn = map_about(PLACES["level"])
    length, units = drawn.scale_bar()
    assert length == 200.0
    assert units / SIDE * 2 * drawn.half_km == pytest.approx(length)
