"""``geowhy locate --overlay``: each kind of file, and what is refused before an answer or after."""

from dataclasses import replace
from zipfile import ZipFile

import pytest
from PIL import Image

from geowhy.geo.pose import Pose
from geowhy.images.reading import read_image
from geowhy.types import LatLon

POSE = Pose(LatLon(9.4075, -0.8393), 400.0, 20.0)
KNOWN = {"heading_deg": 20.0, "width_km": 400.0, "footprint": POSE.footprint(), "verified": True}


@pytest.fixture
def posed(put_module, fakes):
    """Puts in a model whose answers have this pose."""

    def put(**pose):
        class Posed(fakes.FakeLocator):
            def locate_each(self, images, top_k=5):
                for found in super().locate_each(images, top_k):
                    yield replace(found, **pose) if hasattr(found, "position") else found

        put_module("geowhy.locator", Locator=Posed)

    return put


@pytest.fixture
def known(posed):
    posed(**KNOWN)


@pytest.mark.usefixtures("known")
def test_a_page(geowhy, folder, tmp_path):
    result = geowhy("locate", folder / "b/savanna.PNG", "--overlay", tmp_path / "o.html")
    assert result.exit_code == 0
    assert "near Tamale" in result.stdout
    assert "top points north (20°)" in result.stdout
    assert result.stderr == f"Laid over the map: {tmp_path}/o.html\n"
    assert "<h1>Near Tamale, Ghana</h1>" in (tmp_path / "o.html").read_text()


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("name", ["o.tif", "o.TIFF", "o.jpg", "o.png"])
def test_files_for_maps_hold_the_whole_picture(geowhy, folder, tmp_path, name):
    assert geowhy("locate", folder / "b/savanna.PNG", "--overlay", tmp_path / name).exit_code == 0
    with Image.open(tmp_path / name) as image:
        assert image.size == (8, 8)
    assert (tmp_path / "o.prj").exists() is (name in ("o.jpg", "o.png"))


@pytest.mark.usefixtures("known")
def test_a_globe_is_told_what_it_shows(geowhy, folder, tmp_path):
    result = geowhy("locate", folder / "b/savanna.PNG", "--overlay", tmp_path / "o.kmz", "--json")
    assert result.stdout.startswith('{"version"')
    with ZipFile(tmp_path / "o.kmz") as archive:
        said = archive.read("doc.kml").decode()
    assert "savanna.PNG: near Tamale, Ghana</" in said
    assert "the picture agrees with it: verified. The picture is 400" in said


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(("name", "least"), [("o.html", 2048), ("o.kmz", 2048), ("o.tif", None)])
def test_no_more_of_a_picture_is_read_than_is_shown(
    geowhy, folder, tmp_path, monkeypatch, name, least
):
    asked = []

    def reading(source, **how):
        asked.append(how["min_side"])
        return read_image(source, **how)

    monkeypatch.setattr("geowhy.cli.overlay.read_image", reading)
    assert geowhy("locate", folder / "b/savanna.PNG", "--overlay", tmp_path / name).exit_code == 0
    assert asked == [least]


@pytest.mark.parametrize(
    ("pose", "words"),
    [({}, "the model fake names a place"), ({**KNOWN, "verified": False}, "wasn't verified")],
)
def test_what_is_not_known_or_verified_is_answered_but_not_laid(
    geowhy, folder, tmp_path, posed, pose, words
):
    posed(**pose)
    result = geowhy("locate", folder / "b/savanna.PNG", "--overlay", tmp_path / "o.html")
    assert result.exit_code == 1
    assert "near Tamale" in result.stdout
    assert words in result.stderr
    assert not (tmp_path / "o.html").exists()


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("images", "name", "words"),
    [
        (["b/savanna.PNG"], "o.gif", "end the name in .html"),
        (["b/savanna.PNG"], "none/o.html", "there is no folder"),
        (["b/savanna.PNG"], "b/savanna.PNG", "would write over the picture"),
        (["."], "o.html", "lays one picture over the map, and these are 2"),
    ],
)
def test_what_cannot_be_laid_is_refused_before_any_answer(geowhy, folder, images, name, words):
    before = (folder / "b/savanna.PNG").read_bytes()
    result = geowhy("locate", *(folder / image for image in images), "--overlay", folder / name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    assert (folder / "b/savanna.PNG").read_bytes() == before


@pytest.mark.usefixtures("known")
def test_an_image_that_cannot_be_read_is_not_laid(geowhy, folder):
    result = geowhy("locate", folder / "notes.txt", "--overlay", folder / "o.html")
    assert result.exit_code == 1
    assert not (folder / "o.html").exists()
