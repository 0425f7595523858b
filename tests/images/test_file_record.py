"""What files say of their own place: GPS of cameras, georeferences of satellite pictures."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from geowhy.answer import FileRecord
from geowhy.geo.sphere import distance_km
from geowhy.images.reading import read_image

from .makers import encoded, exif, picture, raster, ratios, text

VALUES = np.full((40, 80, 3), 99, "u1")


def doubles(*values):
    return 12, len(values), struct.pack(f"<{len(values)}d", *values)


def keys(*pairs):
    rows = [(1, 1, 0, len(pairs)), *((key, 0, 1, value) for key, value in pairs)]
    flat = [number for row in rows for number in row]
    return 3, len(flat), struct.pack(f"<{len(flat)}H", *flat)


def tags(scale, corner, *pairs):
    x, y = corner
    return {
        33550: doubles(scale, scale, 0),
        33922: doubles(0, 0, 0, x, y, 0),
        34735: keys(*pairs),
    }


def said(more):
    return read_image(raster(VALUES, 2, more=more))


def is_near(found, lat, lon, within_km):
    return float(distance_km((found.position.lat, found.position.lon), (lat, lon))) <= within_km


def test_degrees():
    found = said(tags(0.1, (10.0, 50.0), (1024, 2), (2048, 4326))).file_says
    assert found.origin == "georeference"
    assert is_near(found, 48.0, 14.0, 0.001)
    assert found.width_km == pytest.approx(8 * 111.195 * np.cos(np.radians(48)), rel=1e-3)


def test_positions_of_pixel_centres_are_half_a_pixel_on():
    found = said(tags(0.1, (10.05, 49.95), (1024, 2), (1025, 2))).file_says
    assert is_near(found, 48.0, 14.0, 0.001)


def test_degrees_beyond_the_antimeridian():
    found = said(tags(0.1, (179.0, 10.0), (1024, 2))).file_says
    assert is_near(found, 8.0, -177.0, 0.001)


@pytest.mark.parametrize(
    ("code", "x", "y", "lat", "lon"),
    [
        (32631, 448251.795, 5411932.678, 48.858222, 2.2945),  # the Eiffel Tower
        (32756, 334873.0, 6252266.0, -33.8568, 151.2153),  # the opera house of Sydney
        (25833, 391000.0, 5820000.0, 52.5190, 13.3936),
        (3857, 255425.0, 6250855.0, 48.8583, 2.2945),
    ],
)
def test_metres(code, x, y, lat, lon):
    found = said(tags(10.0, (x - 400, y + 200), (1024, 1), (3072, code))).file_says
    assert is_near(found, lat, lon, 0.3)


def test_a_turned_matrix():
    """Columns go south, rows go east."""
    matrix = [0.0, 0.1, 0, 10.0, -0.1, 0, 0, 50.0, 0, 0, 0, 0, 0, 0, 0, 1.0]
    found = said({34264: doubles(*matrix), 34735: keys((1024, 2))}).file_says
    assert is_near(found, 46.0, 12.0, 0.001)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (tags(10.0, (0, 0), (1024, 1), (3072, 3031)), "EPSG:3031"),
        (tags(10.0, (0, 0), (1024, 1)), "without a code"),
        (tags(10.0, (0, 0), (1024, 2)), "latitude"),
        (tags(float("nan"), (0, 0), (1024, 2)), "latitude"),
        (tags(10.0, (9e9, 0), (1024, 1), (3072, 32631)), "outside its zone"),
        ({**tags(10.0, (0, 0)), 34735: doubles(1, 1, 0, 1, 1024, 0, 1, float("inf"))}, "infinity"),
    ],
)
def test_what_cannot_be_used_is_noted_and_the_picture_is_read(more, why):
    image = said(more)
    assert image.file_says is None
    assert any("its georeference isn't reported" in note and why in note for note in image.notes)


def test_a_camera():
    gps = {1: text("S"), 2: ratios((33, 1), (30, 1), (0, 1)), 3: text("E"), 4: ratios((151, 1))}
    image = read_image(encoded(picture(), "jpeg", exif=b"Exif\0\0" + exif({}, gps=gps)))
    assert image.file_says.origin == "camera"
    assert image.file_says == FileRecord(image.file_says.position, "camera")
    assert is_near(image.file_says, -33.5, 151.0, 0.001)
    broken = exif({}, gps={**gps, 1: text("")})
    image = read_image(encoded(picture(), "jpeg", exif=b"Exif\0\0" + broken))
    assert image.file_says is None
    assert image.notes == (
        "its GPS position can't be used: its latitude has no hemisphere (N or S)",
    )


def test_nothing_is_said_by_most():
    image = read_image(encoded(picture(), "png"))
    assert (image.file_says, image.notes) == (None, ())


def test_a_heic_that_only_its_metadata_turn_is_left_and_that_is_noted():
    import pillow_heif

    turn = Image.Exif()
    turn[274] = 6
    image, buffer = picture(), io.BytesIO()
    whole = pillow_heif.from_bytes(image.mode, image.size, image.tobytes())
    whole.save(buffer, quality=95, exif=turn.tobytes())
    data = buffer.getvalue()
    assert read_image(data).pixels.shape == (80, 48, 3)
    assert read_image(data).notes == ()
    at = data.index(b"irot")
    for unturned in (data.replace(b"irot", b"free"), data[: at + 4] + b"\0" + data[at + 5 :]):
        image = read_image(unturned)
        assert image.pixels.shape == (48, 80, 3)
        assert "as the standard of HEIF asks" in image.notes[0]
