"""TIFF pictures as satellites and surveys leave them: deep, many-banded, full of holes, large."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from geowhy.errors import ImageError
from geowhy.images.ifd import read_directory
from geowhy.images.raster import bands_of
from geowhy.images.reading import Limits, read_image

from .makers import encoded, exif, picture, raster, short, text

TRUTH = np.asarray(picture())
GREY, RGB = 1, 2
EXTRA = 338


def like_the_picture(pixels, tolerance=12):
    """Black and white lie elsewhere after a stretch, but order and hues are those of the picture.

    The darkest and the lightest value of the picture are 40 and 220.
    """
    expected = (TRUTH.astype(float) - 40) / 180 * 255
    return np.abs(pixels - np.clip(expected, 0, 255)).max() <= tolerance


@pytest.mark.parametrize("kind", ["<u2", "<i2", "<u4", "<i4", "<f4", "<f8"])
@pytest.mark.parametrize("planar", [False, True])
def test_reflectances_are_stretched_to_what_they_show(kind, planar):
    values = (TRUTH * 11.0).astype(kind)
    image = read_image(raster(values, RGB, planar=planar))
    assert like_the_picture(image.pixels)
    assert image.notes == ("its values 440 to 2,420 are black to white",)


def test_small_floats_are_stretched_too():
    assert like_the_picture(read_image(raster(TRUTH.astype("<f4") / 900, RGB)).pixels)


def test_deep_photographs_are_not_stretched():
    image = read_image(raster(TRUTH.astype("<u2") * 257, RGB))
    np.testing.assert_array_equal(image.pixels, TRUTH)
    assert image.notes == ()
    dark = raster(TRUTH.astype("<u2") * 64, RGB, more={34675: (7, 8, b"nonsense")})
    np.testing.assert_array_equal(read_image(dark).pixels, np.rint(TRUTH * (64 / 257)))


def test_a_single_band_is_grey():
    image = read_image(raster((TRUTH[..., :1] * 10.0).astype("<f4"), GREY))
    assert np.ptp(image.pixels, axis=2).max() == 0
    assert image.pixels[0, 0, 0] > 200 > 30 > image.pixels[0, -1, 0]
    inverted = read_image(raster((TRUTH[..., :1] * 10.0).astype("<f4"), 0))
    np.testing.assert_array_equal(inverted.pixels, 255 - image.pixels)


class TestBands:
    def four(self, kind, **more):
        near_infrared = np.full((*TRUTH.shape[:2], 1), 30)
        return raster(np.concatenate([TRUTH, near_infrared], axis=2).astype(kind), RGB, **more)

    @pytest.mark.parametrize("more", [None, {EXTRA: short(0)}])
    def test_a_fourth_is_no_transparency_unless_the_file_says_so(self, more):
        image = read_image(self.four("u1", more=more))
        np.testing.assert_array_equal(image.pixels, TRUTH)
        assert image.notes == ("1 more band, such as near infrared, left out",)

    @pytest.mark.parametrize("kind", ["u1", "<u2", "<f4"])
    def test_transparency_by_its_tag_is_over_white(self, kind):
        full = {"u1": 255, "<u2": 65535, "<f4": 1.0}[kind]
        alpha = np.full((*TRUTH.shape[:2], 1), float(full))
        alpha[:, 40:] = 0
        layers = np.concatenate([TRUTH / 255.0 * full, alpha], axis=2)
        layers = np.rint(layers) if kind != "<f4" else layers
        image = read_image(raster(layers.astype(kind), RGB, more={EXTRA: short(2)}))
        assert np.abs(image.pixels[:, :40].astype(int) - TRUTH[:, :40]).max() <= 1
        assert image.pixels[:, 40:].min() == 255
        assert image.notes == ()

    def test_three_under_a_grey_tag_are_colours(self):
        image = read_image(raster(TRUTH, GREY))
        np.testing.assert_array_equal(image.pixels, TRUTH)
        assert "doesn't say which of its 3 bands" in image.notes[0]

    def test_the_first_three_of_many(self):
        many = np.concatenate([TRUTH, TRUTH[..., ::-1], TRUTH], axis=2)
        assert like_the_picture(read_image(raster(many.astype("<u2") * 8, GREY)).pixels)
        assert like_the_picture(
            read_image(raster(many.astype("<u2") * 8, GREY, planar=True)).pixels
        )

    def test_bands_that_have_names(self):
        names = "".join(
            f'<Item name="DESCRIPTION" sample="{band}" role="description">{name}</Item>'
            for band, name in enumerate(["Blue", "Green", "Red", "Nir"])
        )
        tag = text(f"<GDALMetadata>{names}</GDALMetadata>")
        values = np.concatenate([TRUTH[..., ::-1], TRUTH[..., :1]], axis=2)
        image = read_image(raster(values, GREY, more={42112: tag}))
        np.testing.assert_array_equal(image.pixels, TRUTH)
        assert "bands 3, 2, 1 of 4 are red, green and blue" in image.notes[0]

    def test_two_are_grey(self):
        image = read_image(raster(TRUTH[..., :2].copy(), GREY))
        np.testing.assert_array_equal(image.pixels, TRUTH[..., :1].repeat(3, axis=2))
        assert image.notes == ("the first of two bands is shown as grey",)
        directory = read_directory(raster(TRUTH[..., :2].copy(), GREY, more={EXTRA: short(2)}))
        assert bands_of(directory).alpha == 1


class TestNoData:
    @pytest.mark.parametrize(
        ("kind", "mark", "tag"),
        [("<u2", 65535, "65535"), ("<i2", -9999, "-9999"), ("<f4", np.nan, "nan"),
         ("<f4", np.nan, ""), ("<f4", -3.4e38, ""), ("<f4", -9999.0, "-9999"), ("u1", 7, "7")],
    )  # fmt: skip
    def test_it_is_black_and_does_not_count(self, kind, mark, tag):
        values = (TRUTH * (1.0 if kind == "u1" else 11.0)).astype(kind)
        values[:20] = mark
        more = {42113: text(tag)} if tag else None
        for min_side in (None, 12):
            pixels = read_image(raster(values, RGB, more=more), min_side=min_side).pixels
            step = len(TRUTH) // len(pixels)
            assert pixels[: 20 // step].max() == 0
            if kind != "u1":
                assert pixels[20 // step :].max() > 240

    def test_nothing_else_is_black(self):
        image = read_image(raster(np.full((9, 9, 3), np.nan, "<f4"), RGB))
        assert image.pixels.max() == 0

    def test_a_tag_that_is_no_number_is_ignored(self):
        image = read_image(raster(TRUTH, RGB, more={42113: text("none")}))
        np.testing.assert_array_equal(image.pixels, TRUTH)

    def test_tiles_that_were_left_out(self):
        data = bytearray(raster(TRUTH.astype("<u2") * 11, RGB, rows=24, more={42113: text("0")}))
        directory = read_directory(bytes(data))
        for tag in (273, 279):
            data[directory.entries[tag].start :][:4] = bytes(4)
            data[directory.entries[tag].start : directory.entries[tag].start + 4] = bytes(4)
        pixels = read_image(bytes(data)).pixels
        assert pixels[:24].max() == 0
        assert pixels[24:].max() > 200


class TestPacking:
    @pytest.mark.parametrize("encoding", ["lzw-tiff", "deflate-tiff", "tiff"])
    @pytest.mark.parametrize("predictor", [1, 2])
    def test_as_another_program_packs(self, encoding, predictor):
        values = Image.fromarray(TRUTH[..., 0].astype("<u2") * 11)
        info = {317: predictor} if encoding != "tiff" else {}
        image = read_image(encoded(values, encoding, tiffinfo=info))
        assert image.pixels[0, 0, 0] > 200 > 30 > image.pixels[0, -1, 0]
        plain = read_image(raster(np.asarray(values)[..., None], GREY))
        np.testing.assert_array_equal(image.pixels, plain.pixels)

    def test_predicted_floats(self):
        """Differences of bytes, highest first: TIFF Technical Note 3."""
        values = (TRUTH * 11.5).astype(">f4")
        rows = values.view(np.uint8).reshape(48, 80 * 3, 4).transpose(0, 2, 1).reshape(48, -1)
        steps = rows.reshape(48, -1, 3).copy()
        steps[:, 1:] -= rows.reshape(48, -1, 3)[:, :-1]
        stored = steps.reshape(48, 80, 12).view("<f4").reshape(48, 80, 3)
        image = read_image(raster(stored, RGB, more={317: short(3)}, packing=8))
        assert like_the_picture(image.pixels)

    def test_a_jpeg_within(self):
        data = encoded(picture(640, 640), "jpeg-tiff")
        image = read_image(data, min_side=60, limits=Limits(max_pixels=10_000))
        assert image.pixels.shape == (64, 64, 3)
        assert np.abs(image.pixels[5, 5].astype(int) - (200, 40, 40)).max() < 10

    def test_what_is_not_read_is_said_truly(self):
        lerc = raster(TRUTH.astype("<u2"), RGB, more={259: short(34887)})
        complex_numbers = raster(TRUTH.astype("<u2"), RGB, more={339: short(5)})
        sensor = raster(TRUTH[..., :1].astype("<u2"), 32803)
        for data, why in (
            (lerc, "packed by method number 34887"),
            (complex_numbers, "numbers of several kinds"),
            (sensor, "the raw values of a sensor"),
        ):
            with pytest.raises(
                ImageError, match=f"is whole, but of a kind that isn't read: .*{why}"
            ):
                read_image(data)


class TestLarge:
    def test_means_are_of_the_pixels_under_them(self):
        values = np.random.default_rng(0).integers(0, 4000, (45, 63, 3)).astype("<u2")
        values[0, 0], values[-1, -1] = 0, 65535
        for planar in (False, True):
            data = raster(values, RGB, planar=planar, rows=4)
            pixels = read_image(data, min_side=9).pixels
            means = values.reshape(9, 5, 63, 3)[:, :, :60].reshape(9, 5, 12, 5, 3).mean((1, 3))
            order = np.argsort(means.ravel())
            assert pixels.shape == (9, 13, 3)
            assert (np.diff(pixels[:, :12].ravel()[order].astype(int)) >= 0).all()

    def test_a_strip_of_ground_keeps_its_shorter_side(self):
        image = read_image(raster(np.full((200, 4000, 3), 9, "<u2"), RGB, rows=200), min_side=224)
        assert image.pixels.shape == (200, 4000, 3)

    def test_400_million_pixels_in_little_memory(self, tmp_path):
        """Most of the file is a hole, so that the test needs no disk either."""
        path = tmp_path / "large.tif"
        size, rows = 20_000, 1_000
        numbers = {256: size, 257: size, 258: 8, 259: 1, 262: GREY, 277: 1, 278: rows}
        tags = {tag: (4, 1, value.to_bytes(4, "little")) for tag, value in numbers.items()}
        offsets = np.arange(20, dtype="<u4") * (size * rows) + 4096
        tags[273] = 4, 20, offsets.tobytes()
        with path.open("wb") as file:
            file.write(exif(tags))
            file.truncate(4096 + size * size)
            file.seek(4096 + size * 10_000)
            file.write(b"\xff" * (size * 100))
        code = (
            "import sys, json, re; from geowhy.images.reading import read_image\n"
            "pixels = read_image(sys.argv[1], min_side=200).pixels\n"
            "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())\n"
            "print(json.dumps([pixels.shape, pixels[100, 100].tolist(), int(peak[1]) // 1024]))"
        )
        command = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        shape, pixel, peak_mb = json.loads(done.stdout)
        assert (shape, pixel) == ([200, 200, 3], [255] * 3)
        assert peak_mb < 300
        with pytest.raises(ImageError, match="20000 × 20000 pixels, more than"):
            read_image(path)

    def test_limits_hold(self):
        data = raster(TRUTH.astype("<u2"), RGB)
        for limits, why in (
            (Limits(max_pixels=80 * 48 - 1), "80 × 48 pixels"),
            (Limits(max_pixels_in_parts=80 * 48 - 1), "80 × 48 pixels"),
            (Limits(max_bytes_in_parts=1000), "unpacked"),
        ):
            with pytest.raises(ImageError, match=why):
                read_image(data, limits=limits)


def test_orientation_and_profile_hold_here_too():
    turned = Image.fromarray(TRUTH).transpose(Image.Transpose.ROTATE_90)
    data = raster(np.asarray(turned), GREY, more={274: short(6)})
    np.testing.assert_array_equal(read_image(data).pixels, TRUTH)


def test_the_preview_in_a_raw_photograph_is_said():
    raw = raster(TRUTH, RGB, more={254: (4, 1, b"\1\0\0\0")})
    (note,) = read_image(raw).notes
    assert "preview of 80 × 48 pixels in a raw photograph" in note
    assert read_image(raster(TRUTH, RGB), name="a.DNG").notes == (note,)
    assert read_image(raster(TRUTH, RGB), name="a.tif").notes == ()


def test_no_damage_raises_anything_else():
    chance = random.Random(5)
    whole = [
        raster(TRUTH.astype(kind), photometric, planar=planar, packing=packing, more={**more})
        for kind, photometric, planar, packing, more in (
            ("<u2", RGB, False, 1, {}),
            ("<f4", GREY, True, 8, {42113: text("0")}),
            ("<i4", GREY, False, 8, {317: short(2), EXTRA: short(0)}),
            ("<f8", RGB, True, 8, {317: short(3)}),
            ("u1", GREY, False, 1, {}),
        )
    ] + [encoded(Image.fromarray(TRUTH[..., 0].astype("<u2")), "lzw-tiff")]
    read = 0
    for data in whole:
        for number in range(60):
            bad = bytearray(data)
            if number % 3 == 0:
                bad = bad[: chance.randrange(1, len(bad))]
            else:
                for _ in range(1 + number % 4):
                    bad[chance.randrange(min(len(bad), 400))] = chance.randrange(256)
            with contextlib.suppress(ImageError):
                read += read_image(bytes(bad), min_side=20).pixels.shape[2] == 3
    assert 20 < read < len(whole) * 60
