"""Positions as cameras write them, and as nobody should."""

from __future__ import annotations

import io
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from geowhy.errors import ImageError
from geowhy.images.exif import CameraPosition, read_position
from geowhy.images.ifd import read_directory, sub_directory
from geowhy.types import LatLon

from .makers import encoded, exif, heic, picture, ratios, short, text

SYDNEY = {
    1: text("S"),
    2: ratios((33, 1), (51, 1), (2520, 100)),
    3: text("E"),
    4: ratios((151, 1), (12, 1), (4080, 100)),
}
WHERE = LatLon(-(33 + 51 / 60 + 25.2 / 3600), 151 + 12 / 60 + 40.8 / 3600)


def jpeg(gps, photo=None):
    directories = {"gps": gps} | ({"photo": photo} if photo else {})
    return encoded(picture(), "jpeg", exif=b"Exif\0\0" + exif({274: short(1)}, **directories))


def by_pillow():
    """The same position as another program writes it."""
    tags = Image.Exif()
    tags.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 25.2), 3: "E", 4: (151.0, 12.0, 40.8)})
    return tags.tobytes()


@pytest.mark.parametrize("encoding", ["jpeg", "png", "webp", "tiff", "avif"])
def test_every_format(encoding):
    found = read_position(encoded(picture(), encoding, exif=by_pillow()))
    assert found is not None
    assert found.position.lat == pytest.approx(WHERE.lat, abs=1e-6)
    assert found.position.lon == pytest.approx(WHERE.lon, abs=1e-6)


def test_heic_and_pillow_images():
    image = picture()
    image.info["exif"] = by_pillow()
    tiff = Image.open(io.BytesIO(encoded(picture(), "tiff", exif=by_pillow())))
    for source in (image, heic(image, exif=by_pillow()), tiff):
        found = read_position(source)
        assert found is not None
        assert found.position.lat == pytest.approx(WHERE.lat, abs=1e-6)


def test_all_that_a_camera_says():
    gps = SYDNEY | {5: (1, 1, b"\1"), 6: ratios((125, 10)), 31: ratios((15, 2))}
    photo = {0x9003: text("2024:05:17 14:03:09"), 0x9011: text("+10:00")}
    found = read_position(jpeg(gps, photo))
    assert found == CameraPosition(WHERE, 0.0075, -12.5, "2024-05-17T14:03:09+10:00")


def test_what_it_does_not_say_is_none():
    odd = {5: text("x"), 6: ratios((1, 0)), 31: ratios((0, 0))}
    for more, photo in (({}, None), (odd, {0x9003: text("yesterday")})):
        assert read_position(jpeg(SYDNEY | more, photo)) == CameraPosition(WHERE)


@pytest.mark.parametrize(
    ("south", "west"), [(False, False), (False, True), (True, False), (True, True)]
)
def test_hemispheres(south, west):
    refs = {1: text("S" if south else "N"), 3: text("w" if west else "e")}
    found = read_position(jpeg(SYDNEY | refs))
    assert found is not None
    assert math.copysign(1, found.position.lat) == (-1 if south else 1)
    assert math.copysign(1, found.position.lon) == (-1 if west else 1)


@pytest.mark.parametrize(
    "parts", [ratios((335, 10)), ratios((33, 1), (30, 1)), ratios((33, 1), (30, 1), (0, 0))]
)
def test_decimal_degrees_and_whole_minutes(parts):
    found = read_position(jpeg(SYDNEY | {2: parts}))
    assert found is not None
    assert found.position.lat == -33.5


@pytest.mark.parametrize(
    "gps",
    [
        {0: (1, 4, b"\2\3\0\0")},
        {1: text("N"), 3: text("E")},
        SYDNEY | {2: ratios((0, 0), (0, 0), (0, 0)), 4: ratios((0, 0), (0, 0), (0, 0))},
        SYDNEY | {2: ratios((0, 1), (0, 1), (0, 1)), 4: ratios((0, 1), (0, 1), (0, 1))},
    ],
)
def test_a_camera_without_a_fix(gps):
    assert read_position(jpeg(gps)) is None


def test_no_metadata():
    assert read_position(encoded(picture(), "jpeg")) is None
    assert read_position(encoded(picture(), "gif")) is None
    assert read_position(picture()) is None
    assert read_position(encoded(picture(), "jpeg", exif=b"Exif\0\0rubbish")) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({2: ratios((91, 1), (0, 1), (0, 1))}, "latitude of 91° is not within 0 and 90"),
        ({4: ratios((180, 1), (0, 1), (1, 1))}, "longitude of 180"),
        ({2: ratios((33, 0), (51, 1), (25, 1))}, "latitude is a division by zero"),
        ({1: text("")}, r"latitude has no hemisphere \(N or S\)"),
        ({3: short(3)}, r"longitude has no hemisphere \(E or W\)"),
        ({2: ratios(*[(1, 1)] * 4)}, "latitude has 4 parts"),
        ({4: (2, 4, b"abc\0")}, "longitude has 0 parts"),
        ({2: (10, 1, struct.pack("<ll", -33, 1))}, "latitude of -33"),
        ({2: (12, 1, struct.pack("<d", math.nan))}, "latitude of nan"),
    ],
)
def test_a_broken_position_is_an_error(change, why):
    with pytest.raises(ImageError, match=f"^broken: its GPS position can't be used: its {why}"):
        read_position(jpeg(SYDNEY | change), name="broken")


def test_a_block_outside_the_file_is_an_error():
    block = exif({0x8825: (4, 1, b"\xff\xff\0\0")})
    with pytest.raises(ImageError, match="lies outside"):
        read_position(encoded(picture(), "jpeg", exif=b"Exif\0\0" + block))


def test_a_position_survives_damaged_pixels():
    data = jpeg(SYDNEY)
    found = read_position(data[: data.index(b"\xff\xda") + 14])
    assert found == CameraPosition(WHERE)


def test_big_endian_and_bigtiff_directories():
    big = b"MM\0*\0\0\0\x08" + struct.pack(">HHHLHHL", 1, 274, 3, 1, 6, 0, 0)
    wide = b"II+\0\x08\0\0\0" + struct.pack("<QQHHQHHL", 16, 1, 274, 3, 1, 8, 0, 0)
    for block, value in ((big, 6), (wide, 8)):
        directory = read_directory(block)
        assert directory is not None
        assert directory.number(274) == value


@given(st.binary(max_size=300), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]))
def test_no_block_raises(noise, mark):
    root = read_directory(mark + noise)
    for tag in list(root.entries) if root else []:
        root.numbers(tag)
        root.number(tag)
        root.text(tag)
        sub_directory(root, tag)
