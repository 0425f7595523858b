"""World files: six lines that put the first pixel's centre, and the map beside them."""

from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from geowhy.errors import ImageError
from geowhy.geo.azimuthal import plane_to_sphere
from geowhy.geo.sphere import distance_km
from geowhy.overlay.laid import LaidPicture
from geowhy.overlay.world_file import write_with_world_file

from .paint import PLACES, SHAPE, answer, painted


def laid(place):
    return LaidPicture.of(answer(PLACES[place]), painted(PLACES[place]))


@pytest.mark.parametrize(("name", "beside"), [("a.jpg", "a.jgw"), ("a.PNG", "a.pgw")])
def test_six_lines_say_where_pixel_centres_lie(tmp_path, name, beside):
    picture = laid("uneven")
    files = write_with_world_file(picture, tmp_path / name)
    names = [name, beside, "a.prj", f"{name}.aux.xml"]
    assert [file.name for file in files] == names
    assert sorted(names) == sorted(file.name for file in tmp_path.iterdir())
    a, d, b, e, c, f = (float(line) for line in files[1].read_text().splitlines())
    pixels = np.array([(0.0, 0.0), (SHAPE[1] - 1.0, 0.0), (10.0, 50.0)])
    metres = pixels @ np.array([(a, d), (b, e)]) + [c, f]
    centre = picture.pose.lat_lon
    ground = plane_to_sphere([(centre.lat, centre.lon)], metres / 1000)[0]
    assert distance_km(ground, picture.ground(pixels + 0.5)).max() < 1e-6
    with Image.open(files[0]) as image:
        off = np.abs(np.asarray(image).astype(float) - picture.pixels)
    assert off.mean() < (3.0 if name == "a.jpg" else 1e-9)


def test_the_map_is_named_in_both_files_of_it(tmp_path):
    _, _, prj, xml = write_with_world_file(laid("antimeridian"), tmp_path / "a.png")
    wkt = prj.read_text().strip()
    assert wkt.count("[") == wkt.count("]")
    for words in ('PROJECTION["Azimuthal_Equidistant"]', "6371008.8,0.0]", 'UNIT["Meter",1.0]'):
        assert words in wkt
    lat, lon = (
        float(wkt.partition(f'PARAMETER["{name}",')[2].partition("]")[0])
        for name in ("Latitude_Of_Origin", "Central_Meridian")
    )
    assert (lat, lon) == pytest.approx((-17.0, 179.5), abs=1e-6)
    assert ElementTree.fromstring(xml.read_text()).findtext("SRS") == wkt


def test_a_tilted_picture_is_no_jpeg(tmp_path):
    with pytest.raises(ImageError, match=r"is tilted.*\.png"):
        write_with_world_file(laid("tilted"), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())
    with Image.open(write_with_world_file(laid("tilted"), tmp_path / "a.png")[0]) as image:
        assert image.mode == "RGBA"
