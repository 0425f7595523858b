"""KMZ: a ground overlay whose every pixel has the colour of its latitude and longitude."""

import io
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from geowhy.overlay import kmz
from geowhy.overlay.kmz import on_degrees, write_kmz
from geowhy.overlay.laid import LaidPicture

from .paint import PLACES, answer, colours, painted

KML = {"k": "http://www.opengis.net/kml/2.2"}
SHAPE = (300, 450)


def laid(place, shape=SHAPE):
    pose = PLACES[place]
    return LaidPicture.of(answer(pose, shape), painted(pose, shape))


def degrees(pixels, box):
    """Of all pixel centres, as a globe puts them."""
    height, width = pixels.shape[:2]
    south, west, north, east = box
    lat = north - (np.arange(height) + 0.5) / height * (north - south)
    lon = west + (np.arange(width) + 0.5) / width * (east - west)
    return np.stack(np.meshgrid(lat, lon, indexing="ij"), axis=-1)


@pytest.mark.parametrize("place", PLACES)
def test_every_pixel_has_the_colour_of_its_latitude_and_longitude(place):
    picture = laid(place)
    pixels, box = on_degrees(picture)
    shown = pixels[..., 3] > 0
    off = np.abs(pixels[..., :3] - colours(degrees(pixels, box)))
    assert off[shown].max() < 3.0
    assert shown.mean() > 0.1
    # All of the picture is in the box.
    inside = picture.ground(np.random.default_rng(0).uniform(0, 1, (500, 2)) * SHAPE[::-1])
    south, west, north, east = box
    assert ((inside[:, 0] > south) & (inside[:, 0] < north)).all()
    assert (((inside[:, 1] - west) % 360) < east - west).all()


def test_a_box_goes_on_beyond_the_antimeridian_and_all_around_a_pole():
    _, west, _, east = on_degrees(laid("antimeridian"))[1]
    assert 170 < west < 180 < east < 190
    _, (south, west, north, east) = on_degrees(laid("pole"))
    assert (west, north, east) == (-180.0, 90.0, 180.0)
    assert 70 < south < 80


def test_a_side_has_no_more_pixels_than_a_globe_takes(monkeypatch):
    monkeypatch.setattr(kmz, "MOST_PIXELS", 100)
    pixels, box = on_degrees(laid("level"))
    assert max(pixels.shape[:2]) == 100
    off = np.abs(pixels[..., :3] - colours(degrees(pixels, box)))
    assert off[pixels[..., 3] > 0].max() < 3.0


def test_the_document_says_box_picture_and_words(tmp_path):
    path = tmp_path / "a.kmz"
    write_kmz(laid("antimeridian"), path, "a & <b>", "10 km wide")
    with ZipFile(path) as archive:
        assert archive.namelist()[0].endswith(".kml")  # what globes open is the first one
        (overlay,) = ElementTree.fromstring(archive.read("doc.kml"))
        said = {name: overlay.findtext(f".//k:{name}", None, KML) for name in (
            "name", "description", "href", "north", "south", "east", "west",
        )}  # fmt: skip
        with Image.open(io.BytesIO(archive.read(said["href"]))) as image:
            assert (image.format, image.mode) == ("PNG", "RGBA")
    assert overlay.tag == "{http://www.opengis.net/kml/2.2}GroundOverlay"
    assert (said["name"], said["description"]) == ("a & <b>", "10 km wide")
    box = on_degrees(laid("antimeridian"))[1]
    written = tuple(float(said[name]) for name in ("south", "west", "north", "east"))
    assert written == pytest.approx(box, abs=1e-9)
