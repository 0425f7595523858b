"""GeoTIFF: its tags, read back, put each pixel where geodesy does."""

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from PIL import Image

from geowhy.overlay.geotiff import write_geotiff
from geowhy.overlay.laid import LaidPicture

from .paint import PLACES, SHAPE, answer, colours, painted

SPHERE = Geodesic(6371008.8, 0.0)


def written(place, path, shape=SHAPE):
    pose = PLACES[place]
    laid = LaidPicture.of(answer(pose, shape), painted(pose, shape))
    write_geotiff(laid, path)
    with Image.open(path) as image:
        image.load()
    return laid, image


def keys_of(image):
    """The values of a GeoKey directory by their keys."""
    tags = image.tag_v2
    entries = np.reshape(tags[34735], (-1, 4))
    assert entries[0].tolist() == [1, 1, 1, len(entries) - 1]
    assert (np.diff(entries[1:, 0]) > 0).all()  # as the standard wants them
    found = {}
    for key, where, count, value in entries[1:].tolist():
        if where == 34736:
            found[key] = tags[34736][value]
        elif where == 34737:
            found[key] = tags[34737][value : value + count]
        else:
            assert (where, count) == (0, 1)
            found[key] = value
    return found


def ground(image, pixels):
    """Degrees of pixel coordinates, by the tags alone and another's geodesy."""
    keys, matrix = keys_of(image), np.reshape(image.tag_v2[34264], (4, 4))
    for column, row in pixels:
        x, y, *_ = matrix @ [column, row, 0, 1]
        x, y = x - keys[3082], y - keys[3083]
        bearing = np.degrees(np.arctan2(x, y))
        there = SPHERE.Direct(keys[3089], keys[3088], bearing, np.hypot(x, y))
        yield there["lat2"], there["lon2"]


@pytest.mark.parametrize("place", PLACES)
def test_the_tags_say_where_every_corner_lies(tmp_path, place):
    laid, image = written(place, tmp_path / "a.tif")
    level = laid.levelled()
    for (lat, lon), (true_lat, true_lon) in zip(
        ground(image, level.pixel(laid.ground(laid.corners))),
        laid.ground(laid.corners),
        strict=True,
    ):
        assert SPHERE.Inverse(lat, lon, true_lat, true_lon)["s12"] < 1.0


def test_the_projection_is_written_out(tmp_path):
    place, keys = PLACES["pole"].lat_lon, keys_of(written("pole", tmp_path / "a.tif")[1])
    assert {key: keys[key] for key in (1024, 1025, 2048, 2050, 2056, 3072, 3074, 3075, 3076)} == {
        1024: 1,  # projected
        1025: 1,  # a pixel is an area
        2048: 32767,  # said by what follows
        2050: 32767,
        2056: 32767,
        3072: 32767,
        3074: 32767,
        3075: 12,  # azimuthal equidistant
        3076: 9001,  # metres
    }
    assert (keys[2057], keys[2058]) == (6371008.8, 6371008.8)
    assert (keys[3089], keys[3088]) == pytest.approx((place.lat, place.lon), abs=1e-5)
    assert keys[1026].endswith("|")
    assert "87.00000" in keys[1026]
    assert keys[2049] == "Sphere of 6371.0088 km|"


def test_a_level_picture_is_whole_and_as_it_was(tmp_path):
    laid, image = written("level", tmp_path / "a.tif")
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), laid.pixels)


def test_a_tilted_one_has_alpha_and_its_colours_at_the_right_places(tmp_path):
    _, image = written("tilted", tmp_path / "a.tif", (200, 200))
    assert image.mode == "RGBA"
    pixels = np.asarray(image)
    rows, columns = (each[::997] for each in np.nonzero(pixels[..., 3]))
    assert len(rows) > 20
    there = list(ground(image, zip(columns + 0.5, rows + 0.5, strict=True)))
    assert np.abs(pixels[rows, columns, :3] - colours(there)).max() < 3.0
