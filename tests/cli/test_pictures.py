"""Which files of a folder are images, and what is said of the others."""

from __future__ import annotations

import pytest
from PIL import Image

from geowhy.cli.pictures import UNREAD, pictures_in


@pytest.fixture
def put(tmp_path):
    """Puts a file into the folder: a picture of some format, or a text."""

    def put(name, form=""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "HEIF":
            import pillow_heif

            pillow_heif.from_pillow(Image.new("RGB", (64, 64))).save(path, format="HEIF")
        elif form:
            Image.new("RGB", (8, 8)).save(path, form)
        else:
            path.write_text("no image")
        return str(path)

    return put


def names(found, folder):
    return [picture.name.removeprefix(f"{folder}/") for picture in found.pictures]


def test_images_are_told_by_their_content(put, tmp_path):
    put("1.hif", "HEIF"), put("2.mpo", "JPEG"), put("3.dng", "TIFF"), put("4.dat", "PNG")
    found = pictures_in([str(tmp_path)])
    assert names(found, tmp_path) == ["1.hif", "2.mpo", "3.dng", "4.dat"]
    assert {picture.problem for picture in found.pictures} == {""}
    assert found.left_out.sentence() == ""


def test_what_is_called_an_image_and_is_none_is_not_passed_over(put, tmp_path):
    put("1.jpg"), put("2.NEF")
    first, second = pictures_in([str(tmp_path)]).pictures
    assert (first.problem, second.problem) == ("", UNREAD)


def test_whatever_is_passed_over_is_counted_and_named(put, tmp_path):
    put("a.jpg", "JPEG")
    for number in range(7):
        put(f"{number}.xmp")
    found = pictures_in([str(tmp_path)])
    assert names(found, tmp_path) == ["a.jpg"]
    assert found.left_out.sentence() == (
        "7 files left out: 0.xmp, 1.xmp, 2.xmp, 3.xmp, 4.xmp and 2 more (no images)"
    )


def test_litter_of_drives_and_archives_is_no_picture(put, tmp_path):
    put("b/a.jpg", "JPEG")
    for name in ("@eaDir/a.jpg/thumb.jpg", "__MACOSX/b/._a.jpg", "#recycle/x.jpg"):
        put(f"b/{name}", "JPEG")
    for name in ("$RECYCLE.BIN/x.jpg", ".Trashes/x.jpg", "@Recycle/x.jpg", ".AppleDouble/a.jpg"):
        put(f"b/c/{name}", "JPEG")
    put("b/._a.jpg"), put("b/Thumbs.db"), put(".DS_Store")
    found = pictures_in([str(tmp_path)])
    assert names(found, tmp_path) == ["b/a.jpg"]
    assert found.left_out.sentence() == (
        "10 files left out: 2 hidden; 1 in #recycle; 1 in $RECYCLE.BIN; 1 in .AppleDouble; "
        "1 in .Trashes; 1 in @Recycle; 1 in @eaDir; 1 Thumbs.db; 1 in __MACOSX"
    )


def test_a_folder_that_was_asked_for_is_read_whatever_it_is_called(put, tmp_path):
    put("@eaDir/a.jpg", "JPEG")
    assert len(pictures_in([str(tmp_path / "@eaDir")]).pictures) == 1
